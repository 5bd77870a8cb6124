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

extension CodeEvidence.Name: CustomStringConvertible {
    /// `platform:com.apple.curl`, `AB12CD34EF:com.example.app`, `package curl (/usr/bin/curl)`.
    public var description: String {
        switch self {
        case .apple(let name): name.description
        case .linux(let package, let path): "package \(package) (\(path))"
        }
    }
}

extension CodeEvidence {
    /// The evidence of a maker as the system answered for it.
    ///
    /// On macOS a requirement counts as met only when the system's own evaluation of its text says so. Programs of the
    /// system are not handed to that evaluation, because it waits on such programs; for them the kernel's word answers a
    /// requirement that asks for nothing else.
    public init(_ answer: MakerAnswer) {
        switch answer.maker {
        case .linux(let identity): self.init(answer.summary, identity)
        case .apple(let identity): self.init(answer.summary, identity)
        case nil: self.init(summary: answer.summary) { _ in false }
        }
    }

    private init(_ summary: IdentitySummary, _ identity: LinuxIdentity) {
        let (executable, unit) = (identity.executable, identity.context.unit)
        var summary = summary
        if case .known = summary.codeClass {
            summary.classReason = identity.classification.reasons.joined(separator: "; ")
        }
        let isProved =
            executable.claim?.verdict == .intact && executable.rootOwnedChain && !executable.deleted
        self.init(
            summary: summary,
            name: isProved ? executable.claim.map { .linux(package: $0.package, path: executable.path) } : nil,
            unit: unit.flatMap { $0.system && $0.claim?.verdict == .intact && $0.dropIns.isEmpty ? $0.name : nil }
        ) { $0.evaluate(identity) == .true }
    }

    private init(_ summary: IdentitySummary, _ identity: AppleIdentity) {
        let proved = identity.provedName
        var summary = summary
        summary.classReason = summary.classReason ?? Self.reason(summary.codeClass, proved)
        self.init(summary: summary, name: proved.map(Name.apple)) { requirement in
            if case .platform(let identifier) = proved, requirement.expression.asksOnlyTheKernel {
                return requirement.evaluate(Self.platformCode(identifier)) == .true
            }
            return identity.outcome(of: RequirementPrinter.text(requirement.expression)) == .satisfied
        }
    }

    private static func reason(_ codeClass: IdentitySummary.Class, _ name: ProvedName?) -> String? {
        switch (codeClass, name) {
        case (.known(.os), _): "the kernel calls it a program of the system, and the system itself runs it"
        case (.known(.platformInteractive), _):
            "the kernel calls it a program of the system, and the system does not run it of itself"
        case (.known(.unsigned), _):
            "nobody vouches for it: it has no signature, one that does not hold, or an ad-hoc one"
        case (.known, let name?): "its signature is valid, as \(name)"
        case (.known, nil): "its signature is valid, and proves no name"
        case (.unknown, _): nil
        }
    }

    /// A program of the system as requirements see it: `anchor apple` by the kernel's word, and its identifier.
    static func platformCode(_ identifier: String) -> CodeSubject {
        CodeSubject(identifier: Array(identifier.utf8), platform: 1, inTrustCache: .yes)
    }
}

extension RequirementExpression {
    /// Whether it asks nothing but `anchor apple` and identifiers, which the kernel's word answers.
    ///
    /// Anything else is not known for a program that is known by the kernel's word only, and what is not known must not
    /// be taken for no: `! entitlement["…"] exists` would admit all.
    var asksOnlyTheKernel: Bool {
        var rest = [self]
        while let next = rest.popLast() {
            switch next {
            case .appleAnchor, .identifier, .never, .always: continue
            case .and(let a, let b), .or(let a, let b): rest += [a, b]
            case .not(let a): rest.append(a)
            case .appleGenericAnchor, .certificateHash, .legacyInfoValue, .cdhash, .info, .entitlement,
                .certificateField, .certificateExtension, .certificatePolicy, .certificateTimestamp,
                .certificateTrusted, .anchorTrusted, .namedAnchor, .namedCode, .platform, .notarized,
                .legacyDeveloperID, .unknown, .skipped, .osAnchor, .package, .unit, .path, .digest, .interpreter, .user:
                return false
            }
        }
        return true
    }
}
