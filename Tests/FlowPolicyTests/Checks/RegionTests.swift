// SPDX-License-Identifier: Apache-2.0

// Random small policies over a small universe of flows: what is claimed of rules is true of every flow.

import CodeIdentity
import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Regions")
struct RegionTests {
    private static let hosts = ["a.example", "x.a.example", "b.example", "example"]
    private static let patterns = ["/bin/a", "/bin/*", "*/a", "/opt/a", "*"]

    private func condition(_ dice: inout Dice, depth: Int = 0) throws -> Condition {
        switch dice.roll(depth > 2 ? 13 : 19) {
        case 0: return .codeClass(dice.pick([[.os], [.vendor], [.os, .vendor], CodeClass.allCases]))
        case 1: return CheckSample.code(dice.roll(2))
        case 2: return .transport(dice.pick([[.tcp], [.udp], [.tcp, .udp]]))
        case 3: return .port([dice.pick([443...443, 80...443, 1...100])])
        case 4:
            return .address([try #require(IPPrefix(dice.pick(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0"])))])
        case 5, 6, 7:
            var hosts = [dice.pick(Self.hosts), dice.pick(Self.hosts.map { "*.\($0)" })]
            if dice.roll(2) == 0 { hosts.remove(at: dice.roll(2)) }
            if dice.roll(4) == 0 { hosts.append("10.0.0.0/8") }
            return try CheckSample.to(hosts, dice.pick([.resolved, .claimed, .claimed, .proved]))
        case 8: return .executable([ExecutablePattern(text: dice.pick(Self.patterns))])
        case 9: return .interface([dice.pick([.wired, .wifi])])
        case 10: return dice.roll(2) == 0 ? .user([dice.pick([0...10, 5...5])]) : .session([.console])
        case 11: return .applicationProtocol(dice.pick([["tls"], ["tls", "ssh"], ["http/1.1"]]))
        case 12:
            var window = TimeWindow()
            window.days = dice.pick([0x7f, 0x1f, 1])
            if dice.roll(2) == 0 { window.minutes = dice.pick([(480, 1080), (1320, 360), (0, 1440)]) }
            window.zone = dice.pick([.fixed(0), .fixed(3600), .local])
            if dice.roll(3) == 0 { window.notAfter = CheckSample.now }
            return .time(window)
        case 13, 14, 15: return .not(try condition(&dice, depth: depth + 1))
        case 16: return .any([try condition(&dice, depth: depth + 1), try condition(&dice, depth: depth + 1)])
        default: return .all([try condition(&dice, depth: depth + 1), try condition(&dice, depth: depth + 1)])
        }
    }

    private func facts(_ dice: inout Dice) throws -> FlowFacts {
        let host = dice.pick(["10.1.1.1", "10.2.0.1", "203.0.113.7", "[2001:db8::1]", dice.pick(Self.hosts), "c.test"])
        let words = "\(host):\(dice.pick(["443", "80", "9"])) transport=\(dice.pick(["tcp", "udp"]))"
        var facts = try Sample.facts(
            "\(words) \(dice.pick(["class=os", "class=vendor", "class=unsigned", "cause=exited"]))")
        for proof in [NameProof.resolved, .claimed, .proved] where dice.roll(2) == 0 {
            facts.learn(try #require(HostName(dice.pick(Self.hosts + ["c.test"]))), proof)
        }
        if dice.roll(4) > 0 {
            facts.identity.requirements = RequirementResults(policy: 1, [dice.roll(2) == 0, dice.roll(2) == 0])
        }
        facts.identity.executable = dice.pick([nil, "/bin/a", "/bin/b", "/opt/a"])
        facts.identity.userID = dice.pick([nil, 5, 7, 99])
        facts.interface = dice.pick([nil, .wired, .wifi])
        facts.session = dice.pick([nil, .console, .remote])
        facts.protocols = dice.pick([[], ["tls"], ["tls", "http/1.1"]])
        facts.startedAt = CheckSample.now + Int64(dice.roll(14 * 24) - 7 * 24) * 3_600_000
        facts.utcOffset = dice.pick([nil, 0, -18_000])
        return facts
    }

    @Test("Whatever is called within is within, and whatever is called empty holds for no flow")
    func containment() throws {
        var dice = Dice(11)
        var universe: [FlowFacts] = []
        for _ in 0..<300 { universe.append(try facts(&dice)) }
        var (within, empty, hits) = (0, 0, 0)
        for _ in 0..<3_000 {
            let one = try [condition(&dice), condition(&dice)]
            // Often a loosened copy, so that containment is no accident.
            let other = dice.roll(2) == 0 ? [one[0]] : [try condition(&dice)]
            let policy = try CheckSample.policy([CheckSample.rule(1, one, .block), CheckSample.rule(2, other, .block)])
            var budget = CheckBudget()
            let regions = RegionWays(policy.requirements)
            guard let mine = regions.ways(one, &budget), let theirs = regions.ways(other, &budget) else { continue }
            let isWithin = mine.allSatisfy { way in theirs.contains { way.isWithin($0, &budget) } }
            within += isWithin && !mine.isEmpty ? 1 : 0
            empty += mine.isEmpty ? 1 : 0
            for facts in universe {
                let (first, second) = (policy.rules[0], policy.rules[1])
                for (holds, alsoHolds) in [
                    (first.truth(facts, .early), second.truth(facts, .early)),
                    (first.truth(facts, .final), second.truth(facts, .final)),
                ] where holds == .yes {
                    hits += 1
                    #expect(!mine.isEmpty, "\(PolicyCheck.text(one)) holds for \(facts.text)")
                    #expect(
                        !isWithin || alsoHolds == .yes,
                        "\(PolicyCheck.text(one)) in \(PolicyCheck.text(other)): \(facts.text)")
                }
            }
        }
        #expect(within > 1_000)
        #expect(empty > 100)
        #expect(hits > 10_000)
    }

    @Test("No flow is decided by a rule that is called shadowed, contradictory or left to exclusions")
    func policies() throws {
        var dice = Dice(7)
        var universe: [FlowFacts] = []
        for _ in 0..<200 { universe.append(try facts(&dice)) }
        var claimed = 0
        for _ in 0..<600 {
            var rules: [Rule] = []
            for number in 1...6 {
                var conditions = try [condition(&dice)]
                if dice.roll(2) == 0 { conditions.append(try condition(&dice)) }
                rules.append(CheckSample.rule(number, conditions, dice.pick(Lane.allCases)))
            }
            let policy = try CheckSample.policy(rules, requirements: ["anchor apple", "anchor apple and identifier a"])
            let dead = Set(
                policy.check(now: CheckSample.now).filter { [.shadowed, .contradictory].contains($0.code) }
                    .compactMap(\.rule))
            claimed += dead.count
            for facts in universe {
                for verdict in [policy.admit(facts).verdict, policy.refine(facts)] {
                    if let rule = verdict.rule {
                        #expect(!dead.contains(rule), "\(policy.explain(facts).text)")
                    }
                }
            }
        }
        #expect(claimed > 300)
    }

    @Test("A rule with more ways to be met than are compared is called nothing, and that is said")
    func tooWide() throws {
        let wide = (0..<7).map { index in
            Condition.any([.port([1...UInt16(index + 2)]), .user([0...UInt32(index + 1)])])
        }
        let policy = try CheckSample.policy([
            CheckSample.rule(1, wide, .inspect), CheckSample.rule(2, [.port([1...1])], .inspect),
        ])
        #expect(CheckSample.found(policy, of: [.shadowed, .incomplete]) == ["note incomplete -"])
    }
}
