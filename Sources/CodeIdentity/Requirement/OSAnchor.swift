// SPDX-License-Identifier: Apache-2.0

// `anchor os`: when a Linux program is the distribution's own, unmodified, and nothing but itself.

/// The judgement behind `anchor os`.
///
/// Necessary, not sufficient for leaving a flow alone: a distribution packages curl and Firefox too. The system unit is
/// asked for by its own atom.
public struct OSAnchor: Sendable, Hashable {
    /// One condition that is not met.
    public enum Reason: Sendable, Hashable, CustomStringConvertible {
        case noPackage
        case package(PackageVerdict)
        case deleted
        /// Somebody else than root can write the file or a folder above it.
        case writablePath
        case role(ProgramRole)
        case confined
        case injectable(InjectionPath)
        /// Something could not be found out, or did not stay as it was.
        case unsure(CodeProblem.Code)

        public var description: String {
            switch self {
            case .noPackage: "no package owns it"
            case .package(let verdict): "its package's digest: \(verdict.rawValue)"
            case .deleted: "its file is deleted or replaced"
            case .writablePath: "its path is not root's alone"
            case .role(let role): "it is of the role \(role.rawValue)"
            case .confined: "it runs in a container or another mount namespace"
            case .injectable(let path): "foreign code can run in it: \(path.rawValue)"
            case .unsure(let code): "not all is known: \(code.rawValue)"
            }
        }

        /// Whether more looking could take the reason away: then the atom is undecided, and so is its negation.
        var isUnknown: Bool {
            switch self {
            case .package(.inTransaction), .package(.unreadable), .injectable(.unreadableMappings), .unsure: true
            default: false
            }
        }
    }

    /// What speaks against it, in fixed order.
    public let reasons: [Reason]

    /// Whether every condition is met.
    public var holds: Bool { reasons.isEmpty }

    /// Judges a program.
    ///
    /// Any way in which foreign code can run in it speaks against it, whatever its name. That includes an environment
    /// that asks the loader for more: a packaged library, which the mappings show as intact, still changes what it does.
    public static func judge(_ identity: LinuxIdentity) -> OSAnchor {
        var reasons: [Reason] = []
        forEachReason(identity) { reasons.append($0) }
        return OSAnchor(reasons: reasons)
    }

    /// The same without allocating.
    static func outcome(_ identity: LinuxIdentity) -> Outcome {
        var outcome = Outcome.true
        forEachReason(identity) { reason in
            if outcome != .false { outcome = reason.isUnknown ? .undecided : .false }
        }
        return outcome
    }

    private static func forEachReason(_ identity: LinuxIdentity, _ body: (Reason) -> Void) {
        let executable = identity.executable
        if let claim = executable.claim {
            if claim.verdict != .intact { body(.package(claim.verdict)) }
        } else {
            body(.noPackage)
        }
        if executable.deleted { body(.deleted) }
        if !executable.rootOwnedChain { body(.writablePath) }
        if executable.role != .ordinary { body(.role(executable.role)) }
        if identity.context.confinement != .none { body(.confined) }
        for path in identity.injection { body(.injectable(path)) }
        // What is wrong with a mapping stands among the injections.
        for problem in identity.problems where problem.code != .mappedCode { body(.unsure(problem.code)) }
    }
}
