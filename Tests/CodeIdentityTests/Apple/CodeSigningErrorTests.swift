// SPDX-License-Identifier: Apache-2.0

// What the numbers of Security mean.

import Testing

@testable import CodeIdentity

@Suite("CodeSigningError") struct CodeSigningErrorTests {
    @Test("Success is no error")
    func success() { #expect(CodeSigningError(status: 0) == nil) }

    @Test(
        "The codes of Security have their names",
        arguments: [
            (-67062, .unsigned), (-67061, .signatureFailed), (-67059, .signatureUnsupported),
            (-67052, .requirementInvalid), (-67051, .requirementUnsupported), (-67050, .requirementFailed),
            (-67045, .signatureInvalid), (-67034, .staticCodeChanged), (-67030, .infoPlistFailed),
            (-67023, .resourceDirectoryFailed), (-67054, .badResource), (-67010, .badMainExecutable),
            (-67063, .guestInvalid), (-67065, .noSuchCode), (-66998, .invalidTeamIdentifier),
            (-66997, .badTeamIdentifier), (-66994, .invalidEntitlements),
        ] as [(Int32, CodeSigningError.Code)])
    func names(_ status: Int32, _ code: CodeSigningError.Code) {
        #expect(CodeSigningError(status: status) == .code(code))
    }

    @Test("Every status comes back as it was")
    func roundTrip() {
        let others: [Int32] = [.min, -67071, -1, 1, 100_000, 100_001, 100_002, 100_255, 100_256, .max]
        for status in others + CodeSigningError.Code.allCases.map(\.rawValue) {
            #expect(CodeSigningError(status: status)?.status == status)
        }
    }

    @Test("100000 and more is an errno, within the bounds that Security has for it")
    func unix() {
        #expect(CodeSigningError(status: 100_001) == .unix(1))
        #expect(CodeSigningError(status: 100_255) == .unix(255))
        #expect(CodeSigningError(status: 100_000) == .other(100_000))
        #expect(CodeSigningError(status: 100_256) == .other(100_256))
    }

    @Test("What may pass, or says nothing of the code, is never a denial")
    func meanings() {
        #expect(CodeSigningError.code(.noSuchCode).meaning == .gone)
        #expect(CodeSigningError.unix(3).meaning == .gone)
        #expect(CodeSigningError.code(.staticCodeChanged).meaning == .changedOnDisk)
        #expect(CodeSigningError.code(.unsigned).meaning == .refuted)
        #expect(CodeSigningError.code(.guestInvalid).meaning == .refuted)
        #expect(CodeSigningError.code(.signatureUnsupported).meaning == .unknown)
        #expect(CodeSigningError.unix(1).meaning == .unknown)
        #expect(CodeSigningError.other(-25291).meaning == .unknown)
    }
}
