// SPDX-License-Identifier: Apache-2.0

// What Security answers when code does not check out, and what each answer means.

/// An `OSStatus` of Apple's code signing functions that is not success.
public enum CodeSigningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code signing codes that an identity can meet (`CSCommon.h`).
    public enum Code: Int32, Sendable, CaseIterable {
        case staticCodeNotFound = -67068
        case invalidAttributeValues = -67066
        case noSuchCode = -67065
        case guestInvalid = -67063
        case unsigned = -67062
        case signatureFailed = -67061
        case signatureNotVerifiable = -67060
        case signatureUnsupported = -67059
        case badResource = -67054
        case requirementInvalid = -67052
        case requirementUnsupported = -67051
        case requirementFailed = -67050
        case badObjectFormat = -67049
        case internalError = -67048
        case signatureInvalid = -67045
        case staticCodeChanged = -67034
        case infoPlistFailed = -67030
        case resourceDirectoryFailed = -67023
        case badMainExecutable = -67010
        case invalidTeamIdentifier = -66998
        case badTeamIdentifier = -66997
        case signatureUntrusted = -66996
        case invalidEntitlements = -66994
        case revokedNotarization = -66992
    }

    /// What an error says of the code, as far as identity is concerned.
    public enum Meaning: Sendable, Hashable {
        /// The process is not there, or not that image any more.
        case gone
        /// The file is another than the one that runs: an update, most often.
        case changedOnDisk
        /// There is no signature, or it does not hold.
        case refuted
        /// It could not be found out; ask again later. Never a denial.
        case unknown
    }

    case code(Code)
    /// An `errno`, which Security reports as 100000 and more.
    case unix(Int32)
    case other(Int32)

    /// Nil for success (0).
    public init?(status: Int32) {
        guard status != 0 else { return nil }
        if let code = Code(rawValue: status) {
            self = .code(code)
        } else if case 100_001...100_255 = status {
            self = .unix(status - 100_000)
        } else {
            self = .other(status)
        }
    }

    /// The `OSStatus` again.
    public var status: Int32 {
        switch self {
        case .code(let code): code.rawValue
        case .unix(let errno): 100_000 &+ errno  // made from an `OSStatus`, see above
        case .other(let status): status
        }
    }

    public var meaning: Meaning {
        switch self {
        case .unix(KernelCodeSigning.Errno.noSuchProcess): .gone
        case .unix, .other: .unknown
        case .code(let code):
            switch code {
            case .noSuchCode: .gone
            case .staticCodeChanged: .changedOnDisk
            case .guestInvalid, .unsigned, .signatureFailed, .badResource, .signatureInvalid, .infoPlistFailed,
                .resourceDirectoryFailed, .badMainExecutable, .invalidTeamIdentifier, .badTeamIdentifier,
                .signatureUntrusted, .invalidEntitlements, .revokedNotarization:
                .refuted
            // A system update that changes the form of signatures shows as "unsupported" for everything that runs: to
            // call that a bad signature would cut off the machine.
            case .staticCodeNotFound, .invalidAttributeValues, .signatureNotVerifiable, .signatureUnsupported,
                .requirementInvalid, .requirementUnsupported, .requirementFailed, .badObjectFormat, .internalError:
                .unknown
            }
        }
    }

    public var description: String {
        switch self {
        case .code(let code): "\(code) (\(code.rawValue))"
        case .unix(let errno): "errno \(errno)"
        case .other(let status): "status \(status)"
        }
    }
}
