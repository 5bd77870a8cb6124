// SPDX-License-Identifier: Apache-2.0

// The policy: an immutable snapshot that answers whether a flow may pass, and what is done with what is found in it.

public import FlowModel

/// A policy, read from a document and checked.
///
/// Every answer already has the mode applied; what the rules would have done without it stands in the reason.
/// Nothing here reads a file, a clock or the network, and nothing waits.
public struct Policy: Sendable {
    /// The version of the document's language.
    public let version: Int
    public let mode: Mode
    /// What holds the mode below the document's; nil when nothing does.
    public let modeCap: ModeCap?
    /// Sixteen hexadecimal digits that change when the text changes: a label for events, no proof of anything.
    public let digest: String

    /// What it says once for all rules.
    public let settings: PolicySettings
    /// The requirements that its rules ask, each once; `judge` answers them in this order.
    public let requirements: [PolicyRequirement]
    /// Traffic that no rule is asked about, the never set first.
    public let exclusions: [Exclusion]
    /// Causes of not knowing the program for which a flow is held until it is known.
    public let holds: Set<UnknownCause>
    /// The catalogues as this policy has them.
    public let catalogues: Catalogues
    /// The files it was read from, the document first.
    public let files: [String]
    /// Tags the requirement results that belong to this policy; another number each time a policy is read.
    let stamp: UInt64

    let rules: [Rule]
    /// By cause: the lane as the document has it, and the verdict the mode makes of it.
    let unknown: [UnknownCause: (lane: Lane, verdict: Verdict)]
    private let index: RuleIndex
    private let profiles: [String: Profile]
    private let hasContentRules: Bool
    private let nothingMatched: Verdict

    /// Reads a document; throws every problem that could be found in one run.
    ///
    /// `file` names the document in problems and is not opened.
    public static func read(
        yaml: String, file: String, _ environment: PolicyEnvironment
    ) throws(PolicyProblems) -> Policy {
        try PolicyReader.read(yaml, file: file, environment)
    }

    init(_ document: PolicyParts) {
        let parts = document.capped
        version = parts.version
        mode = parts.mode
        modeCap = parts.modeCap
        digest = parts.digest
        settings = parts.settings
        requirements = parts.requirements
        exclusions = parts.exclusions
        holds = parts.holds
        catalogues = parts.catalogues
        files = parts.files
        stamp = parts.stamp
        rules = parts.rules
        unknown = parts.unknown
        profiles = Dictionary(parts.profiles.map { ($0.name, $0) }) { first, _ in first }
        index = RuleIndex(rules)
        hasContentRules = rules.contains { if case .content = $0.consequence { true } else { false } }
        // Weir takes only what its policy names: a flow that no rule matches is left alone.
        let nothing = document.mode.verdict(
            .bypass, profile: nil, rule: nil, code: "no-rule", cause: "no rule matched, so the flow is left alone")
        nothingMatched = parts.modeCap?.restrain(nothing) ?? nothing
    }

    /// The summary of a program as this policy sees it: its class by the catalogues, and the requirements it meets.
    ///
    /// Takes microseconds and neither waits nor reads, but allocates: ask once for each program and policy, and keep it
    /// with the identity. An answer that was made for another policy decides no rule on `code`.
    public func judge(_ evidence: CodeEvidence) -> IdentitySummary {
        var summary = catalogues.classified(evidence)
        summary.requirements = RequirementResults(
            policy: stamp, requirements.map { evidence.satisfies($0.compiled) })
        return summary
    }

    /// Decides a flow that has just arrived, from memory.
    public func admit(_ facts: FlowFacts) -> Admission {
        // `off` and `decide` never claim a flow, so there is nothing to wait for.
        guard mode != .off else { return .decided(nothingMatched) }
        let found = find(facts, .early)
        let (lane, verdict) = outcome(found.decider)
        guard let needs = found.needs, !found.waiting.subtracting(LaneSet(lane)).isEmpty else {
            return .decided(verdict)
        }
        if mode == .decide {
            var guess = verdict
            guess.reason = Reason(
                verdict.reason.code, verdict.reason.detail + ", unless the name, not known yet, matches an earlier rule"
            )
            return .decided(guess)
        }
        let candidates = LaneSet(found.waiting.lanes.map { LaneSet(mode.effective($0)) })
        guard !candidates.subtracting(LaneSet(verdict.lane)).isEmpty else { return .decided(verdict) }
        return .deferred(Deferral(needs: needs, candidates: candidates.lanes, otherwise: verdict))
    }

    /// Decides a flow or a message of which all names are known that will be known.
    public func refine(_ facts: FlowFacts) -> Verdict {
        guard mode != .off else { return nothingMatched }
        return outcome(find(facts, .final).decider).verdict
    }

    /// The profile of a verdict, by its name.
    public func profile(_ name: String) -> Profile? { profiles[name] }

    /// The rules on content that hold for an inspected flow or message, in order.
    ///
    /// They hold beside the rule that decided the flow, wherever they stand: that one says whether Weir looks, these
    /// say what is done with what it finds. A name that is not known counts as another name.
    public func contentRules(for facts: FlowFacts) -> [ContentRule] {
        guard hasContentRules, mode == .observe || mode == .enforce else { return [] }
        return rules.compactMap { rule in
            guard case .content(let content) = rule.consequence, rule.truth(facts, .final) == .yes else { return nil }
            return content
        }
    }

    private func find(_ facts: FlowFacts, _ stage: NameStage) -> RuleIndex.Found {
        index.find(facts, stage, in: rules) { unknown[$0] != nil }
    }

    /// The lane as the document has it, and the verdict.
    private func outcome(_ decider: RuleIndex.Found.Decider) -> (lane: Lane, verdict: Verdict) {
        switch decider {
        case .rule(let place):
            if case .flow(let lane, let verdict) = rules[place].consequence { return (lane, verdict) }
        case .unknown(let cause):
            if let own = unknown[cause] { return own }
        case .nothing: break
        }
        return (.bypass, nothingMatched)
    }
}

/// What admission says of a flow.
public enum Admission: Sendable, Hashable {
    case decided(Verdict)
    /// A rule before the deciding one depends on a name that is not known yet.
    case deferred(Deferral)

    /// The verdict that holds if nothing more is learnt.
    public var verdict: Verdict {
        switch self {
        case .decided(let verdict): return verdict
        case .deferred(let deferral): return deferral.otherwise
        }
    }
}

/// A decision that a name of the destination may still change.
public struct Deferral: Sendable, Hashable {
    /// The strongest proof that a waiting rule asks for.
    ///
    /// `claimed`: read the SNI or `Host`; `proved`: judge the certificate.
    public let needs: NameProof
    /// The lanes that the waiting rules lead to, each once.
    public let candidates: [Lane]
    /// The verdict that holds if nothing more is learnt.
    public let otherwise: Verdict

    /// Whether the flow may turn out to be refused, so that it should not be opened before its name is known.
    public var mayBlock: Bool { candidates.contains(.block) }
}

/// Everything a policy is made of, as the reader puts it together.
struct PolicyParts {
    var version = 1
    var mode = Policy.Mode.observe
    var modeCap: ModeCap?
    var digest = ""
    var settings = PolicySettings()
    var requirements: [PolicyRequirement] = []
    var exclusions: [Exclusion] = []
    var holds: Set<UnknownCause> = []
    var catalogues = Catalogues.shipped
    var files: [String] = []
    var stamp: UInt64
    var rules: [Rule] = []
    var unknown: [UnknownCause: (lane: Lane, verdict: Verdict)] = [:]
    var profiles: [Profile] = []
}
