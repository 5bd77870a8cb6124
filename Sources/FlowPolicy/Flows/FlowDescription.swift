// SPDX-License-Identifier: Apache-2.0

// A flow as a person or a program describes it, to ask a policy about it.

public import FlowModel

/// A flow that somebody describes: where it goes, by whom, and what is proved of that.
///
/// What is proved is handed to `Policy.judge`, as for a real flow, so that the class and the requirements come from the
/// same code. A description that contradicts itself is a flow whose program is unknown (`contradictory`), never an
/// error: real systems contradict themselves too.
public struct FlowDescription: Sendable {
    /// What a description may leave out, and what it may name.
    public struct Context: Sendable {
        /// When a flow begins that has no `time`: milliseconds since 1970-01-01 UTC.
        public var now: Int64
        /// Seconds that local time is ahead of UTC, for flows that have no `time` with an offset of its own.
        public var utcOffset: Int32?
        /// The number of a user of this machine.
        public var userID: @Sendable (String) -> UInt32?

        public init(
            now: Int64, utcOffset: Int32? = nil, userID: @escaping @Sendable (String) -> UInt32? = { _ in nil }
        ) {
            self.now = now
            self.utcOffset = utcOffset
            self.userID = userID
        }
    }

    public let place: SourcePlace
    /// The facts; the identity in them is one that no policy has judged.
    public let facts: FlowFacts
    /// What is proved of the program; nil when only a class, or why none is known, was given.
    public let evidence: CodeEvidence?
    /// Detectors that find something in what it carries.
    public let content: [String]
    /// What a reader should know: what contradicts itself, and what is missing.
    public let notes: [String]

    init(
        place: SourcePlace, facts: FlowFacts, evidence: CodeEvidence? = nil, content: [String] = [],
        notes: [String] = []
    ) {
        self.place = place
        self.facts = facts
        self.evidence = evidence
        self.content = content
        self.notes = notes
    }

    /// The facts with the identity as a policy judges it.
    public func facts(for policy: Policy) -> FlowFacts {
        guard let evidence else { return facts }
        var facts = facts
        facts.identity = policy.judge(evidence)
        return facts
    }
}

extension Policy {
    /// What becomes of a flow of which all is known that will be: admission, and refinement where that waits.
    func settle(_ facts: FlowFacts) -> Verdict {
        switch admit(facts) {
        case .decided(let verdict): return verdict
        case .deferred: return refine(facts)
        }
    }

    /// What is done with a finding in what a flow sends; nil where nobody looks.
    func decision(on detector: String, in facts: FlowFacts, _ verdict: Verdict) -> (ContentDecision, rule: String?)? {
        guard verdict.lane == .inspect, let profile = verdict.profile.flatMap(profile) else { return nil }
        if let rule = contentRules(for: facts).first(where: { $0.covers(detector) }) {
            return (rule.decision, rule.name)
        }
        guard profile.detect.contains(detector) else { return nil }
        return (profile.decision(on: detector, .outbound), nil)
    }

    /// Whether the identity was judged for this policy, so that rules on `code` may ask it.
    public func hasJudged(_ identity: IdentitySummary) -> Bool { identity.requirements?.policy == stamp }
}

extension FlowDescription {
    /// What a policy makes of the flow, and why, in lines for people.
    public func explanation(_ policy: Policy) -> String {
        let facts = facts(for: policy)
        var lines = notes.map { "note: \($0)" }
        lines.append(policy.explain(facts).text)
        let verdict = policy.settle(facts)
        lines += content.map { detector in
            guard let (decision, rule) = policy.decision(on: detector, in: facts, verdict) else {
                return "content \(detector): nobody looks for it in this flow"
            }
            let cause = rule.map { "rule \"\($0)\"" } ?? "the profile"
            return "content \(detector): \(decision.action.rawValue) by \(cause)"
                + (decision.restraint.map { " (\($0))" } ?? "")
        }
        return lines.joined(separator: "\n")
    }

    /// The same for programs: a JSON object a line.
    public func explanationLines(_ policy: Policy) -> String {
        let facts = facts(for: policy)
        var lines = notes.map { JSONLine([("kind", .text("note")), ("note", .text($0))]).text }
        lines.append(policy.explain(facts).jsonLines)
        let verdict = policy.settle(facts)
        lines += content.map { detector in
            let found = policy.decision(on: detector, in: facts, verdict)
            return JSONLine([
                ("kind", .text("content")), ("content", .text(detector)),
                ("action", (found?.0.action.rawValue).map(JSONLine.Value.text) ?? .null),
                ("rule", (found?.rule).map(JSONLine.Value.text) ?? .null),
            ]).text
        }
        return lines.joined(separator: "\n")
    }
}
