// SPDX-License-Identifier: Apache-2.0

// A second opinion: the policy decided rule by rule, with three-valued logic and no index.

import FlowModel
import Testing

@testable import FlowPolicy

/// Decides flows the plain way, and compares.
struct PlainWalk {
    struct Answer: Equatable {
        var lane: Lane
        var rule: String?
        var code: String
    }

    struct Tally {
        var deferred = 0
        var byRule = 0
        var codes: [String: Int] = [:]
    }

    let policy: Policy

    init(_ policy: Policy) { self.policy = policy }

    /// Checks everything that admission and refinement promise of one flow.
    func check(_ facts: FlowFacts, hosts: [String], _ tally: inout Tally) throws {
        let last = policy.refine(facts)
        func context() -> Comment { Comment(rawValue: policy.explain(facts).text) }
        #expect(Answer(lane: last.lane, rule: last.rule, code: last.reason.code) == decide(facts), context())
        let admission = policy.admit(facts)
        var lanes = [last.lane]
        var awaits: Awaited = []
        if case .deferred(let deferral) = admission {
            tally.deferred += 1
            awaits = deferral.awaits
            lanes += deferral.candidates
            #expect(Set(lanes).count == lanes.count, context())
        }
        tally.byRule += last.rule == nil ? 0 : 1
        tally.codes[last.reason.code, default: 0] += 1
        if policy.mode == .decide {
            #expect(admission.verdict.lane == .bypass, context())
        } else {
            #expect(admission.verdict == last, context())
        }
        check(policy.explain(facts))
        for (learnt, late) in try futures(of: facts, hosts) {
            let verdict = policy.refine(late)
            // A name of Private Relay is found by inspection itself.
            if verdict.reason.code.hasPrefix("private-relay") || verdict.reason.detail.contains("Private Relay") {
                continue
            }
            // What is not awaited changes nothing.
            let allowed = awaits.isDisjoint(with: learnt) ? [last.lane] : lanes
            #expect(allowed.contains(verdict.lane), "\(policy.explain(late).text)\nbefore:\n\(context())")
        }
    }

    /// The trace names what decided.
    private func check(_ explanation: Explanation) {
        let context = Comment(rawValue: explanation.text)
        let verdict = explanation.admission.verdict
        let decisive = explanation.steps.filter { [.match, .standsAside, .waits].contains($0.outcome) }
        if let rule = verdict.rule {
            #expect(decisive.contains { $0.rule == rule }, context)
            if case .decided = explanation.admission, !decisive.contains(where: { $0.outcome == .waits }) {
                #expect(decisive.first { $0.kind == .rule }?.rule == rule, context)
            }
        } else if !verdict.reason.code.hasPrefix("mode-"), verdict.reason.code != "no-rule" {
            #expect(decisive.contains { $0.kind != .rule }, context)
        }
        #expect(explanation.short.count <= 200)
        #expect(!explanation.short.contains { $0.isNewline })
    }

    /// What may be learnt of a flow, alone and together, with the facts that it would then have.
    private func futures(of facts: FlowFacts, _ hosts: [String]) throws -> [(Awaited, FlowFacts)] {
        var futures: [(Awaited, FlowFacts)] = [([], facts)]
        let claimed = facts.names.first { $0.proof == .claimed }?.name.description
        if !facts.names.contains(where: { $0.proof == .proved }) {
            for host in claimed.map({ [$0] }) ?? hosts {
                let name = try #require(HostName(host))
                var late = facts
                if claimed == nil {
                    late.learn(name, .claimed)
                    futures.append((.claimed, late))
                }
                late.learn(name, .proved)
                futures.append((claimed == nil ? [.claimed, .proved] : .proved, late))
            }
        }
        if facts.protocols.isEmpty {
            futures += futures.flatMap { learnt, late in
                ["tls", "http/1.1"].map { name in
                    var late = late
                    late.protocols = [name]
                    return (learnt.union(.claimed), late)
                }
            }
        }
        guard case .unknown(let cause) = facts.identity.codeClass, policy.holds.contains(cause),
            // A program of the never set is one before its class is known, and DNS waits for nothing.
            facts.identity.neverRow == nil, facts.destination.port != 53
        else { return futures }
        return futures
            + futures.flatMap { learnt, late in
                [CodeClass.os, .vendor, .thirdParty, .unsigned].flatMap { known in
                    [0, 3].map { bits in
                        var late = late
                        late.identity.codeClass = .known(known)
                        late.identity.provedName = nil
                        late.identity.requirements = RequirementResults(
                            policy: policy.stamp, [bits & 1 != 0, bits & 2 != 0])
                        return (learnt.union(.identity), late)
                    }
                }
            }
    }

    // MARK: The second opinion

    func decide(_ facts: FlowFacts) -> Answer {
        var facts = facts
        if policy.mode == .off { return Answer(lane: .bypass, code: "mode-off") }
        if facts.identity.codeClass == .known(.unsigned),
            facts.identity.provedName != nil || facts.identity.neverRow != nil
        {
            facts.identity.codeClass = .unknown(.contradictory)
            facts.identity.neverRow = nil
        }
        func moded(_ mode: Policy.Mode, _ lane: Lane, _ rule: String?, _ code: String) -> Answer {
            switch mode {
            case .off: return Answer(lane: .bypass, rule: rule, code: "mode-off")
            case .decide: return Answer(lane: .bypass, rule: rule, code: "mode-decide")
            case .observe where lane == .block: return Answer(lane: .relay, rule: rule, code: "mode-observe")
            case .observe, .enforce: return Answer(lane: lane, rule: rule, code: code)
            }
        }
        for exclusion in policy.exclusions
        where exclusion.covers(facts.transport, facts.destination, facts.interface) {
            return moded(policy.mode, .bypass, nil, exclusion.tier == .never ? "never" : "excluded")
        }
        if let row = facts.identity.neverRow, !policy.settings.inspectedNeverRows.contains(row) {
            return moded(policy.mode, .bypass, nil, "never")
        }
        var isKnown = false
        if case .known = facts.identity.codeClass { isKnown = true }
        if facts.destination.port == 53 {
            let others: Lane = [.pass: .bypass, .report: .relay, .block: .block][policy.settings.dns] ?? .bypass
            let isOther = isKnown && facts.identity.codeClass != .known(.os)
            return moded(policy.mode, isOther ? others : .bypass, nil, "dns")
        }
        func read(_ verdict: Verdict, _ lane: Lane, _ mode: Policy.Mode) -> Answer {
            let relay = facts.names.contains {
                ["mask.test", "mask.d.c.test"].contains($0.name.description) && $0.proof != .resolved
            }
            guard lane == .inspect, let profile = verdict.profile.flatMap(policy.profile) else {
                return Answer(lane: verdict.lane, rule: verdict.rule, code: verdict.reason.code)
            }
            let refuse = profile.privateRelay == .refuse
            let isSystem = [.known(.os), .known(.platformInteractive)].contains(facts.identity.codeClass)
            if relay, isSystem || (refuse && mode == .enforce), !policy.catalogues.hosts.isEmpty {
                return moded(
                    mode, refuse ? .block : .relay, verdict.rule,
                    refuse ? "private-relay-refused" : "private-relay-blind")
            }
            if facts.transport == .udp, facts.destination.port == 443 {
                let refuse = profile.quic == .refuse
                return moded(mode, refuse ? .block : .relay, verdict.rule, refuse ? "quic-refused" : "quic-relayed")
            }
            return Answer(lane: verdict.lane, rule: verdict.rule, code: verdict.reason.code)
        }
        var own: Answer?
        if case .unknown(let cause) = facts.identity.codeClass, let answer = policy.unknown[cause] {
            own = read(answer.verdict, answer.verdict.profile == nil ? answer.verdict.lane : .inspect, policy.mode)
        }
        for rule in policy.rules {
            guard case .flow(let lane, let verdict) = rule.consequence else { continue }
            if policy.mode != rule.mode, rule.mode == .off || rule.mode == .decide { continue }
            if rule.conditions.isEmpty { return own ?? read(verdict, lane, rule.mode) }
            if rule.conditions.allSatisfy({ holds($0, facts) == true }) { return read(verdict, lane, rule.mode) }
        }
        return own ?? moded(policy.mode, .bypass, nil, "no-rule")
    }

    /// Nil where a fact is missing.
    private func holds(_ condition: Condition, _ facts: FlowFacts) -> Bool? {
        switch condition {
        case .codeClass(let classes):
            guard case .known(let known) = facts.identity.codeClass else { return nil }
            return classes.contains(known)
        case .code(let references):
            guard case .known = facts.identity.codeClass, let results = facts.identity.requirements,
                results.policy == policy.stamp
            else { return nil }
            return references.contains { results.satisfies($0.number) }
        case .transport(let transports): return transports.contains(facts.transport)
        case .intake(let intakes): return intakes.contains(facts.intake)
        case .port(let ranges): return ranges.contains { $0 ~= facts.destination.port }
        case .address(let prefixes):
            return facts.destination.address.map { address in prefixes.contains { $0.contains(address) } }
        case .to(let destination, let proof):
            let texts = destination.names.texts
            let prefixes = destination.prefixes
            if let address = facts.destination.address, prefixes.contains(where: { $0.contains(address) }) {
                return true
            }
            for evidence in facts.names where evidence.proof >= proof {
                for text in texts {
                    let name = evidence.name.description
                    if text.hasPrefix("*.") ? name.hasSuffix(text.dropFirst()) : name == text { return true }
                }
            }
            return facts.destination.address == nil && !prefixes.isEmpty ? nil : false
        case .executable(let patterns):
            return facts.identity.executable.map { path in patterns.contains { $0.matches(path) } }
        case .interface(let classes): return facts.interface.map(classes.contains)
        case .user(let ranges): return facts.identity.userID.map { user in ranges.contains { $0 ~= user } }
        case .session(let kinds): return facts.session.map(kinds.contains)
        case .time(let window): return window.contains(facts.startedAt, utcOffset: facts.utcOffset)
        case .applicationProtocol(let names):
            return facts.protocols.isEmpty ? nil : facts.protocols.contains { names.contains($0) }
        case .any(let conditions):
            let answers = conditions.map { holds($0, facts) }
            return answers.contains(true) ? true : answers.contains(nil) ? nil : false
        case .all(let conditions):
            let answers = conditions.map { holds($0, facts) }
            return answers.contains(false) ? false : answers.contains(nil) ? nil : true
        case .not(let condition): return holds(condition, facts).map { !$0 }
        }
    }
}
