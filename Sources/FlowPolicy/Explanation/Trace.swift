// SPDX-License-Identifier: Apache-2.0

// The slow way through a policy, one thing after another, with a word about each.

public import FlowModel

extension Policy {
    /// Says what admission makes of a flow, and why.
    ///
    /// Rules are asked one after another, without the table that admission uses: the slow way, and a check on the fast
    /// one.
    public func explain(_ facts: FlowFacts) -> Explanation {
        let admission = admit(facts)
        var steps: [Explanation.Step] = []
        var sound = facts
        if let contradiction = facts.identity.contradiction {
            sound = facts.distrusted
            steps.append(.init(.identity, "contradictory", .match, contradiction))
        }
        if !tracePreemption(sound, &steps) { traceRules(sound, admission.verdict, &steps) }
        return Explanation(
            facts: facts.text, mode: mode, policy: digest, steps: steps, admission: admission,
            isReleaseSticky: facts.isReleaseSticky, short: admission.verdict.short(sound))
    }

    /// What comes before the rules; whether it decides.
    private func tracePreemption(_ facts: FlowFacts, _ steps: inout [Explanation.Step]) -> Bool {
        let decided = preemption.decide(facts)
        if case .off? = decided?.ground { return true }
        if case .exclusion(let place)? = decided?.ground {
            let exclusion = preemption.exclusion(place)
            steps.append(.init(.exclusion, exclusion.row, .match, "\(exclusion.tier.rawValue): \(exclusion.reason)"))
            return true
        }
        if preemption.exclusionCount > 0 {
            let detail =
                "none of \(preemption.exclusionCount) holds for \(facts.transport.rawValue) to \(facts.destination)"
            steps.append(.init(.exclusion, nil, .noMatch, detail))
        }
        if let row = facts.identity.neverRow {
            guard preemption.isInspected(row) else {
                steps.append(.init(.never, row, .match, facts.identity.proofText))
                return true
            }
            steps.append(.init(.never, row, .noMatch, "the policy takes this row out of the never set by name"))
        }
        guard case .dns? = decided?.ground else { return false }
        steps.append(.init(.dns, nil, .match, "port 53, class \(facts.identity.classText)"))
        return true
    }

    private func traceRules(_ facts: FlowFacts, _ verdict: Verdict, _ steps: inout [Explanation.Step]) {
        let open = open(facts)
        var isDecided = false
        for rule in rules {
            let outcome: (Explanation.Outcome, String)
            switch rule.consequence {
            case .content(let content):
                let found = "\(content.decision.action.rawValue) \(content.detectors.joined(separator: ", "))"
                let holds = rule.truth(facts, .final) == .yes
                outcome = (
                    holds ? rule.isDormant(under: mode) ? .would : .holds : .noMatch,
                    holds ? found : rule.why(facts, .final)
                )
            case .flow(let lane, _):
                if isDecided { continue }
                outcome = self.outcome(of: rule, lane, facts, open)
                isDecided = outcome.0 == .match || outcome.0 == .standsAside
            }
            steps.append(.init(.rule, rule.name, outcome.0, outcome.1, number: rule.number))
        }
        if case .unknown(let cause) = facts.identity.codeClass, hasVerdict(for: cause), verdict.rule == nil {
            steps.append(.init(.unknown, cause.rawValue, .match, "no rule before the last resort matches"))
        }
        switch (verdict.reason.code, unreadable(facts)) {
        case (_, nil): break
        case ("quic-refused", _), ("quic-relayed", _):
            steps.append(.init(.quic, nil, .match, verdict.reason.detail))
        case ("private-relay-refused", _), ("private-relay-blind", _):
            steps.append(.init(.privateRelay, nil, .match, verdict.reason.detail))
        default: break
        }
    }

    private func outcome(
        of rule: Rule, _ lane: Lane, _ facts: FlowFacts, _ open: Awaited
    ) -> (Explanation.Outcome, String) {
        let isDormant = rule.isDormant(under: mode)
        if rule.conditions.isEmpty, !isDormant, case .unknown(let cause) = facts.identity.codeClass,
            hasVerdict(for: cause)
        {
            return (.standsAside, "`unknown` has a verdict for \(cause.rawValue)")
        }
        let truth = rule.truth(facts, open)
        let why = rule.why(facts, open)
        switch truth {
        case .yes:
            return isDormant ? (.would, "would \(lane.rawValue), in mode \(rule.mode.rawValue): \(why)") : (.match, why)
        case .no, .unknown: return (.noMatch, why)
        case .waits:
            let isLast = rule.truth(facts, .final) == .yes
            return (.waits, why + (isLast ? "; it matches if nothing more is learnt" : ""))
        }
    }
}

extension Explanation.Step {
    fileprivate init(
        _ kind: Explanation.Kind, _ name: String?, _ outcome: Explanation.Outcome, _ detail: String, number: Int? = nil
    ) {
        self.init(kind: kind, number: number, name: name, outcome: outcome, detail: detail)
    }
}

extension Rule {
    /// The condition that settles the rule, in words; all of them when it matches.
    fileprivate func why(_ facts: FlowFacts, _ open: Awaited) -> String {
        if conditions.isEmpty { return "every flow" }
        let truth = truth(facts, open)
        if truth == .yes { return conditions.map(\.text).joined(separator: ", ") }
        return conditions.first { $0.truth(facts, open).isLike(truth) }?.why(facts, open) ?? ""
    }
}

extension Verdict {
    /// The verdict in a line of at most 200 characters, for events: the rule, the proof of the identity, the destination.
    public func short(_ facts: FlowFacts) -> String {
        let parts: [(String, Int)] = [
            ("\(lane.rawValue): \(reason)", 100), (facts.identity.proofText, 50),
            ("\(facts.transport.rawValue) to \(facts.displayHost):\(facts.destination.port)", 46),
        ]
        return parts.map { $0.visible.clipped(to: $1) }.joined(separator: "; ")
    }
}
