// SPDX-License-Identifier: Apache-2.0

// Whether a socket may be let go for good: what a policy says of all that a program could send.

public import FlowModel

extension Policy {
    /// Whether this policy leaves alone all that the program of this flow ever sends the same way, wherever it goes.
    ///
    /// To be asked before a flow whose release is sticky is let go (`FlowFacts.isReleaseSticky`): its destination,
    /// names, protocol and interface and the time count as any. When unsure, false. It looks at every rule: ask once
    /// for each program and policy.
    public func leavesAlone(everythingLike facts: FlowFacts) -> Bool {
        guard mode == .observe || mode == .enforce else { return true }
        let facts = facts.identity.contradiction == nil ? facts : facts.distrusted
        let identity = facts.identity
        if let row = identity.neverRow, !preemption.isInspected(row) { return true }
        let open = open(facts)
        var standsAside: UnknownCause?
        if case .unknown(let cause) = identity.codeClass, hasVerdict(for: cause) { standsAside = cause }
        guard !preemption.mayRefuseQueries(of: identity.codeClass, open) else { return false }
        for (rule, answer) in zip(rules, answers) {
            guard let answer else { continue }
            if rule.conditions.isEmpty, standsAside != nil { break }
            let truth = rule.truthAnywhere(facts, open)
            guard truth != .no else { continue }
            guard answer.leavesAlone else { return false }
            if truth == .yes { return true }
        }
        return standsAside.flatMap { unknown[$0]?.leavesAlone } ?? nothingMatched.leavesAlone
    }
}

extension Rule {
    /// Whether it holds wherever the flow goes, nowhere, or (`waits`) here and there.
    fileprivate func truthAnywhere(_ facts: FlowFacts, _ open: Awaited) -> Truth {
        var isCertain = true
        for condition in conditions {
            switch condition.truthAnywhere(facts, open) {
            case .yes: continue
            case .waits: isCertain = false
            // As when a flow is judged, a fact that stays unknown keeps a rule from matching.
            case .no, .unknown: return .no
            }
        }
        return isCertain ? .yes : .waits([])
    }
}

extension Condition {
    /// What the facts say when the flow could go anywhere, any way, at any time; `waits` where that decides.
    fileprivate func truthAnywhere(_ facts: FlowFacts, _ open: Awaited) -> Truth {
        switch self {
        case .to, .address, .port, .applicationProtocol, .interface, .time: .waits([])
        case .codeClass, .code, .transport, .intake, .executable, .user, .session: truth(facts, open)
        case .any(let conditions):
            conditions.reduce(Truth.yes) { $0.and($1.truthAnywhere(facts, open).negated) }.negated
        case .all(let conditions): conditions.reduce(Truth.yes) { $0.and($1.truthAnywhere(facts, open)) }
        case .not(let condition): condition.truthAnywhere(facts, open).negated
        }
    }
}

extension Answer {
    /// Whether its flow is never read nor refused, whatever is found out about it.
    fileprivate var leavesAlone: Bool {
        [nil, .quic, .privateRelay].allSatisfy { way.lane($0) == .bypass || way.lane($0) == .relay }
    }
}
