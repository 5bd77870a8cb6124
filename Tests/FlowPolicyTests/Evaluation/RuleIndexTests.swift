// SPDX-License-Identifier: Apache-2.0

// The index against the plain walk: random policies and flows, the same answers.

import FlowModel
import Testing

@testable import FlowPolicy

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

    @Test("Policies that were read decide as the plain walk over their rules does")
    func read() throws {
        var dice = Dice(2026)
        var tally = PlainWalk.Tally()
        for _ in 0..<500 {
            let walk = PlainWalk(try policy(&dice))
            for _ in 0..<10 { try walk.check(facts(&dice), hosts: Self.hosts + ["other.test"], &tally) }
        }
        #expect(tally.deferred > 250)
        #expect(tally.byRule > 500)
    }

    @Test("Policies with everything that can stand in one decide as the plain walk over their rules does")
    func drawn() throws {
        var dice = Dice(7)
        var tally = PlainWalk.Tally()
        for _ in 0..<500 {
            var draw = PolicyDraw(dice)
            let walk = PlainWalk(Policy(draw.parts()))
            for _ in 0..<10 { try walk.check(draw.facts(), hosts: PolicyDraw.hosts, &tally) }
            dice = draw.dice
        }
        // Every way through is taken often enough to mean something.
        #expect(tally.deferred > 100, "\(tally)")
        #expect(tally.byRule > 300, "\(tally)")
        for code in [
            "never", "excluded", "dns", "no-rule", "unknown-identity", "quic-refused", "quic-relayed",
            "private-relay-refused", "private-relay-blind", "mode-observe", "mode-decide", "mode-off",
        ] {
            #expect(tally.codes[code, default: 0] > 5, "\(code) \(tally)")
        }
    }

    @Test("A list that many rules share is indexed once, and each of them is found")
    func shared() throws {
        var names = HostSet()
        for number in 0..<10_000 { names.insert(try #require(HostName("h\(number).example"))) }
        var list = Destination()
        list.formUnion(Destination(names: names), "list big")
        #expect(list.names.parts.map(\.identity) == names.parts.map(\.identity))
        let rules = (1...500).map { number in
            Rule.sample(
                number, [.to(list, .claimed), .port([UInt16(number)...UInt16(number)])], .relay)
        }
        let policy = Policy(PolicyParts(mode: .enforce, stamp: 1, rules: rules))
        for (port, rule) in [(1, "r1"), (250, "r250"), (500, "r500")] {
            #expect(try policy.refine(Sample.facts("h9999.example:\(port)")).rule == rule)
        }
        #expect(try policy.refine(Sample.facts("h10000.example:7")).rule == nil)
    }

    @Test("More ranges than the index keeps apart are still told apart")
    func coarse() throws {
        let ranges = stride(from: 1, to: 65_000, by: 4).map { UInt16($0)...UInt16($0 + 1) }
        #expect(ranges.count > PolicyLimits.indexIntervals.value)
        let rule = Rule.sample(1, [.port(ranges)], .block)
        let policy = Policy(PolicyParts(mode: .enforce, stamp: 1, rules: [rule]))
        var facts = try Sample.facts("192.0.2.1:1")
        let wrong = stride(from: UInt16(1), to: 65_000, by: 97).filter { port in
            facts.destination.port = port
            let isInside = (port - 1) % 4 < 2 && port != 53
            return policy.refine(facts).lane != (isInside ? .block : .bypass)
        }
        #expect(wrong.isEmpty)
    }
}
