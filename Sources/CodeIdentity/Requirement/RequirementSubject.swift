// SPDX-License-Identifier: Apache-2.0

// What a requirement is evaluated against.

/// An answer that a system outside the code must give.
public enum SystemAnswer: String, Sendable, Hashable {
    case yes
    case no
    /// Nobody was asked, or nobody answered.
    case unknown
}

/// The facts of one signed slice, or of one running Mac program, that a requirement may ask for.
///
/// Nothing here says that the signature is good: evaluate only what was verified, or say that you did not.
public struct CodeSubject: Sendable {
    /// From the best code directory, up to its NUL.
    public var identifier: [UInt8]
    public var cdhash: CDHash?
    public var team: [UInt8]?
    public var platform: UInt8
    public var flags: CodeSignatureFlags
    /// Leaf first, root last; empty for ad-hoc code.
    public var certificates: [CertificateFacts]
    public var info: [String: PropertyListValue]
    public var entitlements: [String: PropertyListValue]
    /// When a secure timestamp says that the code was signed: seconds since 1970-01-01 UTC.
    public var secureTimestamp: Int64?
    /// Whether the running system's trust cache holds the cdhash.
    public var inTrustCache: SystemAnswer
    /// Whether Apple notarised the cdhash.
    public var notarized: SystemAnswer
    /// SHA-256 of the roots that stand for Apple's; a test may put its own here.
    public var appleRoots: Set<[UInt8]>

    public init(
        identifier: [UInt8], cdhash: CDHash? = nil, team: [UInt8]? = nil, platform: UInt8 = 0,
        flags: CodeSignatureFlags = [], certificates: [CertificateFacts] = [], info: [String: PropertyListValue] = [:],
        entitlements: [String: PropertyListValue] = [:], secureTimestamp: Int64? = nil,
        inTrustCache: SystemAnswer = .unknown, notarized: SystemAnswer = .unknown,
        appleRoots: Set<[UInt8]> = AppleRoots.sha256
    ) {
        self.identifier = identifier
        self.cdhash = cdhash
        self.team = team
        self.platform = platform
        self.flags = flags
        self.certificates = certificates
        self.info = info
        self.entitlements = entitlements
        self.secureTimestamp = secureTimestamp
        self.inTrustCache = inTrustCache
        self.notarized = notarized
        self.appleRoots = appleRoots
    }
}

/// What a requirement is evaluated against: code of one system or the other.
///
/// An atom of the other system is undecided, as is its negation, and says so in the explanation: so one rule can name
/// both systems, and `! anchor apple` does not admit every Linux program.
public enum RequirementSubject: Sendable {
    case apple(CodeSubject)
    case linux(LinuxIdentity)
}
