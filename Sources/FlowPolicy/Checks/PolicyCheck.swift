// SPDX-License-Identifier: Apache-2.0

// Looks for what is doubtful in a policy: the order of the looks, and what they share.

internal import FlowModel

extension Policy {
    /// What is doubtful in the policy, in the order of its documents.
    ///
    /// `now` is in milliseconds since 1970-01-01 UTC. Claims are made only where they are plain: a rule that is called
    /// shadowed or contradictory decides no flow, and one that is not may still decide none. Bounded by
    /// `PolicyLimits.checkSteps`; a finding says so when that was not enough.
    public func check(now: Int64) -> [PolicyFinding] {
        var check = PolicyCheck(self, now: now)
        check.reach()
        check.requirements()
        check.programs()
        check.destinations()
        check.settings()
        return check.outcome
    }
}

/// One check of one policy.
struct PolicyCheck {
    /// A rule, and the ways in which flows can fulfil it.
    struct Checked {
        let rule: Rule
        /// Nil when there are too many; none when its conditions contradict each other.
        let ways: [Region]?
        /// The lane as the document has it; nil for a rule on content.
        let lane: Lane?

        /// Whether it lets traffic out unseen, or what is found in it.
        var letsOut: Bool {
            switch rule.consequence {
            case .flow(let lane, _): lane == .bypass || lane == .relay
            // What the mode holds back has a restraint; what the document only reports has none.
            case .content(let content): content.decision.action == .report && content.decision.restraint == nil
            }
        }

        var title: String { "rule \(rule.number) \"\(rule.name)\"" }
        /// What a message begins with where a content rule would be misread as letting a whole flow out.
        var letsOutText: String { lane == nil ? "lets findings out" : "lets traffic out (\(lane?.rawValue ?? ""))" }
    }

    let policy: Policy
    let now: Int64
    let checked: [Checked]
    let takers: [Taker]
    /// Hosts whose programs accept only their own certificates.
    let pinned: (rows: [HostRow], set: HostSet)
    var budget: CheckBudget
    private var findings: [PolicyFinding] = []
    private var noted: Set<Noted> = []

    /// A rule has one finding of a kind: two would say the same of two of its ways.
    private struct Noted: Hashable {
        let code: PolicyFinding.Code
        let place: SourcePlace
        let rule: String?
        /// Tells findings apart that are about no rule.
        let message: String
    }

    init(_ policy: Policy, now: Int64, _ budget: CheckBudget = CheckBudget()) {
        self.policy = policy
        self.now = now
        var budget = budget
        let regions = RegionWays(policy.requirements)
        let checked = policy.rules.map { rule in
            var lane: Lane?
            if case .flow(let written, _) = rule.consequence { lane = written }
            return Checked(rule: rule, ways: regions.ways(rule.conditions, &budget), lane: lane)
        }
        self.checked = checked
        takers = Taker.all(policy, checked)
        let rows = policy.catalogues.hosts.filter { $0.catalogue == "pinned-hosts" }
        pinned = (rows, rows.reduce(into: HostSet()) { $0.insert($1.pattern) })
        self.budget = budget
    }

    /// The rules that are carried out somewhere.
    var active: [Checked] { checked.filter { $0.rule.mode != .off || policy.mode == .off } }

    /// Where a key that is no rule's stands, or what is around it; the document's beginning where nobody kept it.
    func place(of key: String) -> SourcePlace {
        var path = key[...]
        while true {
            if let place = policy.outline.keys[String(path)] { return place }
            guard let dot = path.lastIndex(of: ".") else { break }
            path = path[..<dot]
        }
        return SourcePlace(file: policy.files.first ?? "policy", line: 1, column: 1)
    }

    mutating func note(_ finding: PolicyFinding) {
        let key = Noted(
            code: finding.code, place: finding.place, rule: finding.rule,
            message: finding.rule == nil ? finding.message : "")
        if noted.insert(key).inserted { findings.append(finding) }
    }

    mutating func note(
        _ code: PolicyFinding.Code, _ severity: PolicyFinding.Severity, _ about: Checked, _ message: String,
        mend: String
    ) {
        note(
            PolicyFinding(
                code, severity, about.rule.place, rule: about.rule.name, "\(about.title) \(message)", mend: mend))
    }

    /// The findings in the order of the documents; the gravest where there are too many.
    var outcome: [PolicyFinding] {
        var kept = findings
        let limit = PolicyLimits.findings.value
        let tooWide = checked.filter { $0.ways == nil }.count
        if budget.isSpent || tooWide > 0 || kept.count > limit {
            let why =
                kept.count > limit
                ? "there are \(kept.count) findings, and the gravest \(limit) are listed"
                : budget.isSpent
                    ? "the rules are too many or too long to compare all of them"
                    : "\(tooWide) rule\(tooWide == 1 ? " has" : "s have") more ways to be met than are compared"
            kept = Array(kept.sorted { $0.severity > $1.severity }.prefix(limit))
            kept.append(
                PolicyFinding(
                    .incomplete, .note, place(of: "rules"), "not everything was looked at: \(why)",
                    mend: "split rules with many `any`, name long lists once under `lists`, and mend what is listed"))
        }
        return kept.sorted { ($0.place, $0.code.rawValue) < ($1.place, $1.code.rawValue) }
    }
}
