// SPDX-License-Identifier: Apache-2.0

// The table of hosts against the plain walk: a thousand random policies and flows, the same answers.

import FlowModel
import FlowPolicy
import Testing

@Suite("The index of rules")
struct RuleIndexTests {
    private static let hosts = ["a.example", "b.example", "x.a.example", "y.x.a.example", "c.test", "d.c.test"]

    private func condition(_ dice: inout Dice, depth: Int) -> String {
        switch dice.roll(depth > 1 ? 6 : 9) {
        case 0: return "class: [\(dice.pick(["os", "vendor", "os, unsigned"]))]"
        case 1: return "port: \(dice.pick(["443", "80-443", "[1, 2]"]))"
        case 2: return "address: \(dice.pick(["10.0.0.0/8", "203.0.113.7"]))"
        case 3, 4, 5:
            let star = dice.roll(3) == 0 ? "*." : ""
            let network = dice.roll(4) == 0 ? ", 10.0.0.0/8" : ""
            let proof = dice.pick(["", "", ", name-proof: proved", ", name-proof: resolved"])
            return "to: [\"\(star)\(dice.pick(Self.hosts))\", \(dice.pick(Self.hosts))\(network)]\(proof)"
        case 6: return "not: {\(condition(&dice, depth: depth + 1))}"
        case 7: return "any: [{\(condition(&dice, depth: depth + 1))}, {\(condition(&dice, depth: depth + 1))}]"
        default: return "all: [{\(condition(&dice, depth: depth + 1))}, {\(condition(&dice, depth: depth + 1))}]"
        }
    }

    private func policy(_ dice: inout Dice) throws -> Policy {
        var yaml = "version: 1\nmode: \(dice.pick(["enforce", "enforce", "observe"]))\n"
        if dice.roll(2) == 0 { yaml += "unknown: {exited: \(dice.pick(["relay", "block"]))}\n" }
        yaml += "rules:\n"
        for number in 1...(1 + dice.roll(8)) {
            var keys = condition(&dice, depth: 1)
            if !keys.hasPrefix("port"), dice.roll(3) == 0 { keys += ", port: 443" }
            let then = dice.pick(["bypass", "relay", "inspect", "block"])
            yaml += "  - {name: r\(number), when: {\(keys)}, then: \(then)}\n"
        }
        if dice.roll(2) == 0 { yaml += "  - {name: rest, then: \(dice.pick(["inspect", "bypass"]))}\n" }
        return try Sample.policy(yaml + "profiles: {p: {detect: \"*\"}}\n")
    }

    private func facts(_ dice: inout Dice) throws -> FlowFacts {
        let host = dice.pick(["10.1.1.1", "203.0.113.7", "198.51.100.1", dice.pick(Self.hosts), "other.test"])
        var facts = try Sample.facts(
            "\(host):\(dice.pick(["443", "80", "9"])) \(dice.pick(["class=os", "class=vendor", "cause=exited"]))")
        for proof in [NameProof.resolved, .claimed, .proved] where dice.roll(3) == 0 {
            facts.learn(try #require(HostName(dice.pick(Self.hosts + ["other.test"]))), proof)
        }
        return facts
    }

    @Test("The index finds the rule that the plain walk finds")
    func differential() throws {
        var dice = Dice(2026)
        var deferred = 0
        var matched = 0
        for _ in 0..<1_000 {
            let policy = try policy(&dice)
            for _ in 0..<10 {
                let facts = try facts(&dice)
                let explanation = policy.explain(facts)
                let match = explanation.steps.first { $0.outcome == .match }?.rule
                let verdict = explanation.admission.verdict
                #expect(verdict.rule == match, "\(explanation.text)")
                matched += match == nil ? 0 : 1
                let waits = explanation.steps.contains { $0.outcome == .waits }
                if case .deferred(let deferral) = explanation.admission {
                    deferred += 1
                    #expect(waits, "\(explanation.text)")
                    #expect(deferral.candidates != [verdict.lane])
                } else if !waits {
                    // With nothing to wait for, the first answer is the last.
                    #expect(policy.refine(facts) == verdict, "\(explanation.text)")
                }
            }
        }
        #expect(deferred > 500)
        #expect(matched > 1_000)
    }

    @Test("Whatever name is learnt, the verdict is the first one or in one of the lanes that were announced")
    func announced() throws {
        var dice = Dice(5)
        for _ in 0..<1_000 {
            let policy = try policy(&dice)
            let early = try facts(&dice)
            guard !early.names.contains(where: { $0.proof >= .claimed }) else { continue }
            let admission = policy.admit(early)
            var lanes: [Lane] = [admission.verdict.lane]
            if case .deferred(let deferral) = admission { lanes += deferral.candidates }
            for host in Self.hosts + ["other.test"] {
                var late = early
                late.learn(try #require(HostName(host)), .claimed)
                if dice.roll(2) == 0 { late.learn(try #require(HostName(host)), .proved) }
                let lane = policy.refine(late).lane
                #expect(lanes.contains(lane), "\(host) \(lane)\n\(policy.explain(early).text)")
            }
        }
    }
}
