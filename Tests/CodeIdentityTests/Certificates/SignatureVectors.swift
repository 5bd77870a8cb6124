// SPDX-License-Identifier: Apache-2.0

// The real signatures under Tests/Vectors/codesign, and how these tests verify.

import Foundation

@testable import CodeIdentity

struct SignatureVector: Sendable {
    let cms: [UInt8]
    let directories: SyntheticDirectories
    let team: String

    /// Signed by `codesign`.
    static func developerID() throws -> SignatureVector {
        try SignatureVector("developer-id", team: "S8XHQB96PW")
    }

    /// With an expired certificate and without agility attributes.
    static func withoutAgility() throws -> SignatureVector {
        try SignatureVector("developer-id-no-agility", team: "Z3L495V9L4")
    }

    private init(_ name: String, team: String) throws {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/codesign")
        cms = Array(try Data(contentsOf: folder.appending(path: "\(name).cms")))
        let slotZero = Array(try Data(contentsOf: folder.appending(path: "\(name).codedirectory")))
        directories = SyntheticDirectories(
            slotZero: slotZero,
            digests: [SyntheticDirectories.digest(slotZero, slot: 0, .sha256)].compactMap(\.self))
        self.team = team
    }
}

enum SignatureCheck {
    /// 2025-06-01 00:00:00 UTC.
    static let now: Int64 = 1_748_736_000

    static func verify(
        _ cms: [UInt8], over directories: SyntheticDirectories, team: String?, flags: CodeSignatureFlags = [],
        roots: Set<[UInt8]> = AppleRoots.sha256, now: Int64 = now
    ) throws -> SignatureProof {
        CMSVerifier(appleRoots: roots).verify(
            try CMSSignature.read(cms),
            over: SignedDirectories(
                slotZero: directories.slotZero, digests: directories.digests, team: team.map { Array($0.utf8) },
                flags: flags),
            now: now)
    }

    /// Signs with the fixture and verifies with its root standing for Apple's.
    static func verify(
        _ signer: SyntheticSigner, over directories: SyntheticDirectories = .one(), team: String? = "TEAM123456",
        flags: CodeSignatureFlags = [], apple: Bool = true, now: Int64 = now
    ) throws -> SignatureProof {
        let signed = try signer.sign(directories)
        return try verify(
            signed.cms, over: directories, team: team, flags: flags, roots: apple ? signed.appleRoots : [], now: now)
    }
}

extension SignatureProof {
    var codes: [CodeProblem.Code] { problems.map(\.code) }
}
