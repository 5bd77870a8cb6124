// SPDX-License-Identifier: Apache-2.0

// Plans of policies that were read, with the catalogues that ship: whatever stands in a document, the plan misses nothing.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The capture plan of a document")
struct ReadPolicyPlanTests {
    private static let never = Catalogues.shipped.protocols.filter { $0.tier == .never }
        .flatMap { [$0.id, $0.row] }.sorted()

    private func condition(_ dice: inout Dice, depth: Int = 0) -> String {
        switch dice.roll(depth > 1 ? 14 : 18) {
        case 0: return "class: \(dice.pick(CodeClass.allCases).rawValue)"
        case 1: return "code: agent"
        case 2: return "transport: \(dice.pick(["tcp", "udp"]))"
        case 3, 4, 5: return "port: \(dice.pick(["443", "[123, 5223]", "\"1-1023\"", "\"49152-65535\""]))"
        case 6, 7: return "address: \(dice.pick(["10.0.0.0/8", "\"::/0\"", "17.0.0.0/8", "192.0.2.0/24"]))"
        case 8: return "to: \(dice.pick(["a.example", "list mixed", "list file", "catalogue private-life"]))"
        case 9: return "to: [list mixed, \"*.b.example\"], name-proof: \(dice.pick(["proved", "resolved"]))"
        case 10: return "protocol: \(dice.pick(["tls", "http/1.1"]))"
        case 11: return "interface: \(dice.pick(["wifi", "peer-to-peer"]))"
        case 12: return "user: \"1000-2000\""
        case 13: return "time: {days: mon-fri, zone: \"+00:00\"}"
        case 14, 15: return "not: {\(condition(&dice, depth: depth + 1))}"
        case 16: return "any: [{\(condition(&dice, depth: depth + 1))}, {\(condition(&dice, depth: depth + 1))}]"
        default: return "all: [{\(condition(&dice, depth: depth + 1))}, {\(condition(&dice, depth: depth + 1))}]"
        }
    }

    private func yaml(_ dice: inout Dice) -> (text: String, cap: ModeCap?) {
        let mode = dice.pick([Policy.Mode.enforce, .enforce, .observe, .decide, .off])
        var text = "version: 1\nmode: \(mode.rawValue)\ndns: {others: \(dice.pick(["pass", "report", "block"]))}\n"
        switch dice.roll(4) {
        case 0: text += "capture: {exclude: [core-protocols, apple-core-ports]}\n"
        case 1: text += "capture: {exclude: core-protocols, inspect-never: [\"\(dice.pick(Self.never))\"]}\n"
        default: break
        }
        if dice.roll(3) == 0 {
            let verdict = dice.pick(["hold", "bypass", "relay", "inspect", "block"])
            text += "unknown: {\(dice.pick(UnknownCause.allCases).rawValue): \(verdict), exited: bypass}\n"
                .replacing("exited: \(verdict), exited: bypass", with: "exited: \(verdict)")
        }
        text += "catalogues: {private-life: {add: [b.example]}}\n"
        text += "lists: {mixed: [a.example, 10.1.0.0/16, \"2001:db8::/32\"], file: {file: hosts.txt}}\n"
        text += "requirements: {agent: 'anchor apple generic'}\nrules:\n"
        let lower: [Policy.Mode: [String]] = [.enforce: ["observe", "decide", "off"], .observe: ["decide", "off"]]
        for number in 1...(1 + dice.roll(6)) {
            let network = dice.roll(2) == 0
            let when =
                network
                ? dice.pick(["port: 443", "address: 10.0.0.0/8", "port: 123, transport: udp"]) : condition(&dice)
            var rule =
                "{name: r\(number), when: {\(when)}, then: \(dice.pick(["bypass", "bypass", "relay", "inspect", "block"]))"
            if dice.roll(5) == 0, let modes = lower[mode] { rule += ", mode: \(dice.pick(modes))" }
            if dice.roll(5) == 0 { rule += ", rollout: {percent: \(dice.pick([0, 50, 100]))}" }
            text += "  - \(rule)}\n"
        }
        if dice.roll(3) == 0 {
            text += "  - {name: ring, then: inspect, rollout: {percent: \(dice.pick([0, 50, 100]))}}\n"
        }
        if dice.roll(4) > 0 { text += "  - {name: rest, then: \(dice.pick(["inspect", "bypass", "block"]))}\n" }
        text += "profiles: {p: {detect: \"*\", quic: \(dice.pick(["refuse", "relay"]))}}\n"
        let cap = dice.roll(4) == 0 ? ModeCap(dice.pick([.off, .decide, .observe]), because: "a test says so") : nil
        return (text, cap)
    }

    private func policy(_ dice: inout Dice) throws -> Policy {
        let (text, cap) = yaml(&dice)
        let files = MemoryFiles(texts: ["hosts.txt": "# ours\nb.example\n192.0.2.0/24 # a net\r\n"])
        return try Policy.read(
            yaml: text, file: "test.yaml",
            PolicyEnvironment(detectors: Sample.detectors, files: files, device: "device-1", modeCap: cap))
    }

    private func flow(_ draw: inout PlanDice, _ policy: Policy, _ target: CapturePlan.Target) -> FlowFacts {
        var facts = draw.facts(draw.destination(), draw.dice.pick([.tcp, .udp]), target.intake)
        facts.startedAt = Int64(draw.dice.roll(1 << 30)) * 1_000
        if facts.identity.requirements != nil {
            facts.identity.requirements = RequirementResults(policy: policy.stamp, [draw.dice.roll(2) == 0])
        }
        return facts
    }

    @Test(
        "What a document takes is captured, and what its plan excludes is left alone",
        arguments: CapturePlan.Target.allCases)
    func agreement(target: CapturePlan.Target) throws {
        var draw = PlanDice(2_027)
        var (taken, left) = (0, 0)
        for _ in 0..<250 {
            let policy = try policy(&draw.dice)
            let plan = policy.capturePlan(for: target)
            for _ in 0..<30 {
                let facts = flow(&draw, policy, target)
                // The unspecified addresses mean the machine itself, which no kernel hands over.
                if PlanCompiler.machine.contains(where: { facts.destination.address.map($0.contains) == true }) {
                    continue
                }
                let lanes = PlanSample.lanes(policy, facts)
                let captured = plan.captures(facts.destination, facts.transport, interface: facts.interface)
                if lanes != [.bypass] {
                    taken += 1
                    #expect(captured, "\(facts.transport) \(facts.destination) \(lanes)\n\(policy.explain(facts).text)")
                } else if !captured {
                    left += 1
                }
                for exclusion in plan.exclusions where exclusion.space.contains(facts.transport, facts.destination) {
                    guard exclusion.interface == nil || exclusion.interface == facts.interface,
                        exclusion.origin != .machine
                    else { continue }
                    #expect(lanes == [.bypass], "\(exclusion.origin)\n\(policy.explain(facts).text)")
                }
            }
        }
        #expect(taken > 800, "\(taken)")
        #expect(left > 800, "\(left)")
    }

    @Test("A cap does no more than it allows, and no more than the same document without it")
    func capped() throws {
        var draw = PlanDice(2_028)
        let allowed: [Policy.Mode: Set<Lane>] = [
            .off: [.bypass], .decide: [.bypass], .observe: [.bypass, .relay, .inspect],
        ]
        for _ in 0..<200 {
            let (text, _) = yaml(&draw.dice)
            let files = MemoryFiles(texts: ["hosts.txt": "b.example\n192.0.2.0/24\n"])
            var environment = PolicyEnvironment(detectors: Sample.detectors, files: files, device: "device-1")
            let free = try Policy.read(yaml: text, file: "test.yaml", environment)
            let mode = draw.dice.pick([Policy.Mode.off, .decide, .observe])
            environment.modeCap = ModeCap(mode, because: "a test says so")
            let held = try Policy.read(yaml: text, file: "test.yaml", environment)
            for _ in 0..<30 {
                var facts = flow(&draw, free, .nftables)
                let results = facts.identity.requirements.map { $0.satisfies(0) }
                let wanted = free.refine(facts)
                facts.identity.requirements = results.map { RequirementResults(policy: held.stamp, [$0]) }
                let got = held.refine(facts)
                #expect(allowed[mode]?.contains(got.lane) == true, "\(got)")
                #expect(
                    got.lane == wanted.lane || got.lane == .bypass || (got.lane == .relay && wanted.lane == .block),
                    "\(wanted) became \(got)\n\(text)")
                if mode != .observe { #expect(held.contentRules(for: facts).isEmpty) }
            }
        }
    }
}
