// SPDX-License-Identifier: Apache-2.0

// Random policies and flows: the plan never misses what the policy takes, leaves alone only what the policy does, and
// every printed form says what the plan says.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The capture plan and the policy")
struct CapturePlanPropertyTests {
    @Test("Whatever the policy takes for some identity, the plan captures", arguments: CapturePlan.Target.allCases)
    func neverLess(target: CapturePlan.Target) throws {
        var dice = PlanDice(11)
        var (taken, left) = (0, 0)
        for _ in 0..<800 {
            let policy = dice.policy()
            let plan = policy.capturePlan(for: target)
            for _ in 0..<40 {
                let facts = dice.facts(dice.destination(), dice.dice.pick([.tcp, .udp]), target.intake)
                let lanes = PlanSample.lanes(policy, facts)
                let captured = plan.captures(facts.destination, facts.transport, interface: facts.interface)
                if lanes != [.bypass] {
                    taken += 1
                    #expect(captured, "\(facts.transport) \(facts.destination) \(lanes)\n\(policy.explain(facts).text)")
                } else if !captured {
                    left += 1
                }
            }
        }
        #expect(taken > 4_000)
        #expect(left > 4_000)
    }

    @Test("What the plan excludes, the policy leaves alone whoever sends it", arguments: CapturePlan.Target.allCases)
    func exclusionsAreSound(target: CapturePlan.Target) throws {
        var dice = PlanDice(12)
        var byRule = 0
        for _ in 0..<800 {
            let policy = dice.policy()
            let plan = policy.capturePlan(for: target)
            for _ in 0..<40 {
                let facts = dice.facts(dice.destination(), dice.dice.pick([.tcp, .udp]), target.intake)
                for exclusion in plan.exclusions where exclusion.space.contains(facts.transport, facts.destination) {
                    guard exclusion.interface == nil || exclusion.interface == facts.interface else { continue }
                    if case .rule = exclusion.origin { byRule += 1 }
                    #expect(
                        PlanSample.lanes(policy, facts) == [.bypass],
                        "\(exclusion.origin)\n\(policy.explain(facts).text)")
                }
            }
        }
        #expect(byRule > 500)
    }

    @Test(
        "Where only the network decides, the plan captures exactly what the policy takes",
        arguments: [
            CapturePlan.Target.nftables, .bpf,
        ])
    func exact(target: CapturePlan.Target) throws {
        var dice = PlanDice(13)
        dice.isNetworkOnly = true
        var compared = 0
        for _ in 0..<600 {
            let policy = dice.policy()
            guard policy.unknown.isEmpty, policy.settings.dns == .pass else { continue }
            let plan = policy.capturePlan(for: target)
            #expect(plan.losses.allSatisfy { $0.facts.isEmpty })
            for _ in 0..<40 {
                var facts = dice.facts(dice.destination(), dice.dice.pick([.tcp, .udp]), target.intake)
                facts.identity.neverRow = nil
                compared += 1
                #expect(
                    plan.captures(facts.destination, facts.transport, interface: facts.interface)
                        == (PlanSample.lanes(policy, facts) != [.bypass]), "\(policy.explain(facts).text)")
            }
        }
        #expect(compared > 3_000)
    }

    @Test("A UDP socket that goes on to other destinations is out of sight only by what is listed as sticky")
    func sticky() throws {
        var dice = PlanDice(14)
        var released = 0
        for _ in 0..<2_000 {
            let policy = dice.policy()
            let plan = policy.capturePlan(for: .networkExtension)
            let destinations = (0..<4).map { _ in dice.destination() }
            let first = try #require(destinations.first)
            guard !plan.captures(first, .udp) else { continue }
            for later in destinations.dropFirst() {
                let facts = dice.facts(later, .udp, .networkExtension)
                guard PlanSample.lanes(policy, facts) != [.bypass] else { continue }
                released += 1
                let listed = plan.stickyReleases.contains { release in
                    release.regions.contains { region in
                        region.portSet.contains(first.port)
                            && region.prefixes.contains { prefix in first.address.map(prefix.contains) ?? false }
                    }
                }
                #expect(listed, "\(first) then \(later): \(plan.stickyReleases)")
            }
        }
        #expect(released > 200)
    }

    @Test("The rule lists say what the plan says, and capture more only where a loss says so")
    func networkExtension() throws {
        var dice = PlanDice(15)
        let constraints = NetworkRuleConstraints()
        var more = 0
        for _ in 0..<600 {
            let plan = dice.policy().capturePlan(for: .networkExtension)
            let form = plan.networkExtension
            for rule in form.included { #expect(constraints.violations(rule, in: .included) == [], "\(rule)") }
            for rule in form.excluded { #expect(constraints.violations(rule, in: .excluded) == [], "\(rule)") }
            for _ in 0..<40 {
                let (to, transport) = (dice.destination(), dice.dice.pick([Transport.tcp, .udp]))
                let captured = try NetworkRuleReading.captures(form, to, transport)
                guard captured != plan.captures(to, transport) else { continue }
                more += 1
                #expect(captured, "\(transport) \(to) \(form.json)")
                #expect(!form.losses.isEmpty, "\(transport) \(to) \(form.json)")
            }
        }
        #expect(more > 50)
    }

    @Test("The ruleset says what the plan says")
    func nftables() throws {
        var dice = PlanDice(16)
        for _ in 0..<600 {
            let plan = dice.policy().capturePlan(for: .nftables)
            let reading = NFTablesReading(plan.nftables().text)
            for _ in 0..<40 {
                let (to, transport) = (dice.destination(), dice.dice.pick([Transport.tcp, .udp]))
                let interface = dice.dice.pick([InterfaceClass?.none, .wifi, .peerToPeer])
                #expect(
                    try reading.captures(to, transport, interface)
                        == plan.captures(to, transport, interface: interface),
                    "\(transport) \(to)\n\(plan.nftables().text)")
            }
        }
    }

    @Test("The maps say what the plan says, and capture more only on interfaces that a loss names")
    func bpf() throws {
        var dice = PlanDice(17)
        for _ in 0..<600 {
            let plan = dice.policy().capturePlan(for: .bpf)
            let form = plan.bpf
            let maps = try BPFReading(form.lines)
            for _ in 0..<40 {
                let (to, transport) = (dice.destination(), dice.dice.pick([Transport.tcp, .udp]))
                let captured = try maps.captures(to, transport)
                #expect(captured == plan.captures(to, transport), "\(transport) \(to)\n\(form.lines)")
                if captured, !plan.captures(to, transport, interface: .peerToPeer) { #expect(!form.losses.isEmpty) }
            }
        }
    }
}
