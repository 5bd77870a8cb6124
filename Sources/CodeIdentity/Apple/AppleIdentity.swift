// SPDX-License-Identifier: Apache-2.0

// Who a Mac program is: what the kernel proves, what the examination adds, and what stays a claim.

/// A name that the program could not have given itself.
///
/// An identifier alone is no name: anybody may sign with any. It is one within the system or within a team.
public enum ProvedName: Hashable, Sendable, CustomStringConvertible {
    /// A program of the system, by the kernel's word.
    case platform(identifier: String)
    /// Apple's own, but not part of the system: `anchor apple` holds.
    case apple(identifier: String)
    /// Signed by a team that Apple certified.
    case team(String, identifier: String)

    /// `platform:com.apple.curl`, `apple:com.apple.dt.Xcode`, `AB12CD34EF:com.example.app`.
    public var description: String {
        switch self {
        case .platform(let identifier): "platform:\(identifier)"
        case .apple(let identifier): "apple:\(identifier)"
        case .team(let team, let identifier): "\(team):\(identifier)"
        }
    }
}

/// Whether the program acted for itself or for another.
public enum ActingFor: Hashable, Sendable {
    /// The system does not say.
    case unknowable
}

/// Requirements that are always asked, because names are proved by them.
public enum AppleRequirements {
    public static let apple = "anchor apple"
    /// Signed with a kind of certificate whose team Apple set or compared with the signature: the App Store's,
    /// development, distribution, submission and Developer ID.
    ///
    /// `anchor apple generic` alone would admit every certificate that Apple ever issued to anybody.
    public static let team =
        "anchor apple generic and (certificate leaf[field.1.2.840.113635.100.6.1.9] exists"
        + " or certificate leaf[field.1.2.840.113635.100.6.1.2] exists"
        + " or certificate leaf[field.1.2.840.113635.100.6.1.4] exists"
        + " or certificate leaf[field.1.2.840.113635.100.6.1.7] exists"
        + " or certificate leaf[field.1.2.840.113635.100.6.1.12] exists"
        + " or certificate 1[field.1.2.840.113635.100.6.2.6] exists"
        + " and certificate leaf[field.1.2.840.113635.100.6.1.13] exists)"

    static let always = [apple, team]
}

/// Who a running Mac program is.
///
/// `kernel` is rung one and always there; `examination` is rung two. Neither holds a verdict.
public struct AppleIdentity: Hashable, Sendable {
    /// How far rung two came.
    public enum Examination: Hashable, Sendable {
        /// Not asked: the kernel's word is enough, or nothing could be added.
        case none
        /// Under way, or refused because too much is being asked.
        case missing
        case timedOut
        /// The process ended before it could be examined.
        case exited
        /// The process ran another program before it could be examined, or its number is another's.
        case replaced
        /// The code could not be found or read.
        case failed(CodeSigningError)
        case done(CodeExamination)

        /// Whether asking again would bring the same.
        var isLasting: Bool {
            switch self {
            case .none: true
            case .missing, .timedOut, .exited, .replaced: false
            case .failed(let error): error.meaning == .refuted
            case .done(let examination): examination.invalidity.map { $0.meaning == .refuted } ?? true
            }
        }
    }

    public let token: AuditToken
    public internal(set) var kernel: KernelStatus
    public internal(set) var examination: Examination

    public init(token: AuditToken, kernel: KernelStatus, examination: Examination = .none) {
        self.token = token
        self.kernel = kernel
        self.examination = examination
    }

    /// The examination, when the code proved to be what is signed on disk.
    public var verified: CodeExamination? {
        guard kernel.isValid, case .done(let examination) = examination, examination.invalidity == nil else {
            return nil
        }
        return examination
    }

    /// How the code stands to a requirement; nil when that was not asked, or not answered yet.
    public func outcome(of requirement: String) -> RequirementOutcome? {
        if case .done(let examination) = examination { examination.outcomes[requirement] } else { nil }
    }

    /// The name that is proved; nil when all there is are claims.
    public var provedName: ProvedName? {
        if kernel.isPlatformBinary { return kernel.claimedIdentifier.map { .platform(identifier: $0) } }
        guard let verified, let facts = verified.facts, let identifier = facts.identifier else { return nil }
        if verified.outcomes[AppleRequirements.apple] == .satisfied { return .apple(identifier: identifier) }
        guard verified.outcomes[AppleRequirements.team] == .satisfied, let team = facts.team else { return nil }
        return .team(team, identifier: identifier)
    }

    /// Always unknowable: the system names only the application that a flow counts for.
    ///
    /// That is the last user of the socket, or the process in whose name a daemon works. A descriptor may have been
    /// passed on, and a daemon that does not say for whom it works appears as itself. So what a program *is* must not
    /// excuse what it *carries*.
    public var actsForAnother: ActingFor { .unknowable }

    /// How code of others can run under this identity; sorted, without duplicates.
    ///
    /// From the kernel's bits and, once the code is verified, its entitlements. For the system's own programs further
    /// rules hold that no bit shows: for them the list may say too much, never too little.
    public var injection: [InjectionPath] {
        let bits = kernel.bits
        var paths: Set<InjectionPath> = []
        if !kernel.validatesLibraries { paths.insert(kernel.isHardened ? .libraryValidationOff : .notHardened) }
        if bits.contains(.getTaskAllow) { paths.insert(.getTaskAllow) }
        if bits.contains(.debugged) { paths.insert(.debugged) }
        if !kernel.isEnforced { paths.insert(.notEnforced) }
        // An entitlement of code that did not verify is still a way in, so any facts will do.
        if case .done(let examination) = examination, let entitlements = examination.facts?.entitlements {
            for (key, path) in Self.weakening where entitlements[key]?.boolean == true { paths.insert(path) }
        }
        return InjectionPath.allCases.filter(paths.contains)
    }

    private static let weakening: [(key: String, path: InjectionPath)] = [
        ("com.apple.security.cs.disable-library-validation", .libraryValidationOff),
        ("com.apple.security.cs.allow-dyld-environment-variables", .dyldEnvironment),
        ("com.apple.security.get-task-allow", .getTaskAllow),
        ("com.apple.security.cs.allow-unsigned-executable-memory", .unsignedExecutableMemory),
        ("com.apple.security.cs.disable-executable-page-protection", .pageProtectionOff),
    ]
}
