// SPDX-License-Identifier: Apache-2.0

// What is proved of a program, in the form in which a policy asks for it.

public import CodeIdentity
public import FlowModel

/// What is proved of the program behind a flow.
///
/// Names in it are names that the program could not have given itself; what is only claimed is left out.
public struct CodeEvidence: Sendable {
    /// A proved name on either system.
    public enum Name: Sendable, Hashable {
        case apple(ProvedName)
        /// An intact file of a package, on a path that only root can change.
        case linux(package: String, path: String)
    }

    /// The class by facts alone, before the catalogues say more; process, user and executable.
    public var summary: IdentitySummary
    public var name: Name?
    /// The systemd unit that the system manager runs it in, where it was proved.
    public var unit: String?
    private let meets: @Sendable (CompiledRequirement) -> Bool

    /// Evidence for anything that can be asked for requirements.
    public init(
        summary: IdentitySummary, name: Name? = nil, unit: String? = nil,
        meets: @escaping @Sendable (CompiledRequirement) -> Bool
    ) {
        self.summary = summary
        self.name = name
        self.unit = unit
        self.meets = meets
    }

    /// Whether the program meets a requirement; false where that cannot be said.
    public func satisfies(_ requirement: CompiledRequirement) -> Bool { meets(requirement) }
}

extension CodeEvidence {
    /// The evidence of a maker as the system answered for it.
    ///
    /// On macOS a requirement counts as met only when the system's own evaluation of its text says so, or, for a program
    /// of the system, when its identifier, which the kernel vouches for, is all that is asked beside `anchor apple`.
    public init(_ answer: MakerAnswer) {
        switch answer.maker {
        case .linux(let identity):
            var name: Name?
            if let claim = identity.executable.claim, claim.verdict == .intact, identity.executable.rootOwnedChain,
                !identity.executable.deleted
            {
                name = .linux(package: claim.package, path: identity.executable.path)
            }
            let unit = identity.context.unit.flatMap { $0.system && $0.claim?.verdict == .intact ? $0.name : nil }
            self.init(summary: answer.summary, name: name, unit: unit) { $0.evaluate(identity) == .true }
        case .apple(let identity):
            let proved = identity.provedName
            self.init(summary: answer.summary, name: proved.map(Name.apple)) { requirement in
                if case .platform(let identifier) = proved {
                    return requirement.evaluate(Self.platformCode(identifier)) == .true
                }
                return identity.outcome(of: RequirementPrinter.text(requirement.expression)) == .satisfied
            }
        case nil:
            self.init(summary: answer.summary) { _ in false }
        }
    }

    /// A program of the system as requirements see it: `anchor apple` by the kernel's word, and its identifier.
    static func platformCode(_ identifier: String) -> CodeSubject {
        CodeSubject(identifier: Array(identifier.utf8), platform: 1, inTrustCache: .yes)
    }
}
