// SPDX-License-Identifier: Apache-2.0

// The capture plan by example: what is taken, what is left alone, what is lost, what stays out of sight.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The capture plan")
struct CapturePlanTests {
    private func to(_ text: String) throws -> Endpoint { try #require(Endpoint(text)) }
    private func names(_ plan: CapturePlan) -> [String] { plan.exclusions.map(\.origin.description) }

    private let intranet = Condition.address([PlanSample.prefix("10.0.0.0/8")])

    @Test("The never set stands first in every plan, unchanged", arguments: CapturePlan.Target.allCases)
    func neverSet(target: CapturePlan.Target) throws {
        let rows = [PlanSample.loopback, PlanSample.ntp, PlanSample.push, PlanSample.awdl]
        for policy in [
            PlanSample.policy([(.inspect, [])]), PlanSample.policy(mode: .off, []),
            PlanSample.policy([(.bypass, [])]),
        ] {
            let plan = policy.capturePlan(for: target)
            #expect(names(plan).prefix(4) == rows.map { "never \($0.row)" }[...])
            for (row, exclusion) in zip(rows, plan.exclusions) {
                if let space = row.space { #expect(exclusion.space == space) }
                #expect(exclusion.reason == row.reason)
            }
            #expect(!plan.captures(try to("198.51.100.7:123"), .udp))
            #expect(!plan.captures(try to("17.249.1.1:5223"), .tcp))
        }
    }

    @Test("Every catalogue row that ships and is never taken is in the plan", arguments: CapturePlan.Target.allCases)
    func shipped(target: CapturePlan.Target) throws {
        let policy = try Sample.policy("version: 1\nmode: enforce\nrules: [{name: all, then: block}]\n")
        let plan = policy.capturePlan(for: target)
        #expect(plan.exclusions.map(\.origin).starts(with: policy.exclusions.map { .row($0.row, $0.tier) }))
        let constraints = NetworkRuleConstraints()
        let form = plan.networkExtension
        #expect(form.included.allSatisfy { constraints.violations($0, in: .included).isEmpty })
        #expect(form.excluded.allSatisfy { constraints.violations($0, in: .excluded).isEmpty })
        var dice = PlanDice(21)
        let reading = NFTablesReading(plan.nftables().text)
        let maps = try BPFReading(plan.bpf.lines)
        for _ in 0..<300 {
            let (to, transport) = (dice.destination(), dice.dice.pick([Transport.tcp, .udp]))
            let captured = plan.captures(to, transport)
            #expect(try reading.captures(to, transport, nil) == captured)
            #expect(try maps.captures(to, transport) == captured)
            if captured { #expect(try NetworkRuleReading.captures(form, to, transport)) }
        }
    }

    @Test("A policy that names two ports is captured at those two")
    func tail() throws {
        let policy = PlanSample.policy([
            (.inspect, [.codeClass([.thirdParty]), .transport([.tcp]), .port([443...443])]),
            (.block, [.transport([.udp]), .port([443...443])]),
        ])
        let plan = policy.capturePlan(for: .bpf)
        #expect(plan.inclusions.map(\.description) == ["tcp+udp 443 to 0.0.0.0/0", "tcp+udp 443 to ::/0"])
        #expect(plan.captures(try to("198.51.100.7:443"), .tcp))
        #expect(!plan.captures(try to("198.51.100.7:80"), .tcp))
        #expect(
            plan.losses.map(\.description) == [
                "rule 1 \"r1\": `class`: the kernel cannot ask for it, so flows that the rule does not mean are captured"
            ])
    }

    @Test("A bypass by network is left to the kernel, and one by class is not")
    func bypass() throws {
        let policy = PlanSample.policy([
            (.bypass, [.codeClass([.os])]), (.bypass, [intranet, .transport([.tcp])]), (.inspect, []),
        ])
        let plan = policy.capturePlan(for: .nftables)
        #expect(names(plan).contains("rule 2 \"r2\""))
        #expect(!plan.captures(try to("10.1.1.1:443"), .tcp))
        #expect(plan.captures(try to("10.1.1.1:443"), .udp))
        #expect(plan.losses.map(\.facts) == [[.codeClass]])
    }

    @Test("What an earlier rule may take is not left to the kernel, and the rest is")
    func earlier() throws {
        let policy = PlanSample.policy([
            (.inspect, [.codeClass([.thirdParty]), .port([443...443])]), (.bypass, [intranet]), (.inspect, []),
        ])
        let plan = policy.capturePlan(for: .bpf)
        #expect(plan.captures(try to("10.1.1.1:443"), .tcp))
        #expect(!plan.captures(try to("10.1.1.1:80"), .tcp))
        #expect(plan.losses.contains { $0.origin == .rule(number: 2, name: "r2") && $0.facts.isEmpty })
    }

    @Test("A rule on a name may mean any address, so everything after it is captured")
    func name() throws {
        var destination = Destination()
        destination.names.insert(try #require(HostName("a.example")))
        let policy = PlanSample.policy([(.block, [.to(destination, .claimed)]), (.bypass, [intranet])])
        let plan = policy.capturePlan(for: .bpf)
        #expect(plan.captures(try to("10.1.1.1:443"), .tcp))
        #expect(plan.losses.first?.facts == [.name])
    }

    @Test("A verdict for programs that are not known captures what no rule leaves alone", arguments: [true, false])
    func unknown(isHeld: Bool) throws {
        let rules: [(lane: Lane, conditions: [Condition])] = [(.bypass, [intranet]), (.bypass, [])]
        let policy =
            isHeld
            ? PlanSample.policy(holds: [.thirdPartyPending], rules)
            : PlanSample.policy(unknown: [.exited: .block, .notAsked: .bypass], rules)
        let plan = policy.capturePlan(for: .bpf)
        #expect(plan.captures(try to("198.51.100.7:443"), .tcp))
        #expect(!plan.captures(try to("10.1.1.1:443"), .tcp))
        #expect(plan.losses.map(\.origin) == [.unknown(isHeld ? .thirdPartyPending : .exited)])
        let without = PlanSample.policy(unknown: [.notAsked: .bypass], rules).capturePlan(for: .bpf)
        #expect(without.inclusions.isEmpty)
    }

    @Test("Off captures nothing; decide is recorded where a recorded flow goes on as if unseen")
    func modes() throws {
        for mode in Policy.Mode.allCases {
            for target in CapturePlan.Target.allCases {
                let plan = PlanSample.policy(mode: mode, [(.inspect, [])]).capturePlan(for: target)
                let expected = mode == .observe || mode == .enforce || (mode == .decide && target == .networkExtension)
                #expect(plan.captures(try to("198.51.100.7:443"), .tcp) == expected, "\(mode) \(target)")
            }
        }
    }

    @Test("A rule that only records what it would do neither captures nor releases")
    func dormant() throws {
        let web = try to("198.51.100.7:443")
        for target in CapturePlan.Target.allCases {
            let inspecting = PlanSample.policy([(.inspect, [])], ruleModes: [.decide])
            #expect(!inspecting.capturePlan(for: target).captures(web, .tcp))
            let releasing = PlanSample.policy(
                [(.bypass, [.port([443...443])]), (.inspect, [])], ruleModes: [.decide, .enforce])
            #expect(releasing.capturePlan(for: target).captures(web, .tcp))
        }
    }

    @Test("Name queries are left alone where they may pass, and captured where they are reported or blocked")
    func dns() throws {
        for dns in PolicySettings.DNS.allCases {
            let plan = PlanSample.policy(dns: dns, [(.inspect, [])]).capturePlan(for: .bpf)
            #expect(plan.captures(try to("198.51.100.7:53"), .udp) == (dns != .pass))
            #expect(names(plan).contains("dns") == (dns == .pass))
        }
        let narrow = PlanSample.policy(dns: .block, [(.bypass, [])]).capturePlan(for: .bpf)
        #expect(narrow.inclusions.map(\.description) == ["tcp+udp 53 to 0.0.0.0/0", "tcp+udp 53 to ::/0"])
    }

    @Test("A peer-to-peer link is left alone by its interface")
    func peerToPeer() throws {
        let plan = PlanSample.policy([(.inspect, [])]).capturePlan(for: .nftables)
        let neighbour = try to("[fe80::1]:7000")
        #expect(plan.captures(neighbour, .tcp))
        #expect(!plan.captures(neighbour, .tcp, interface: .peerToPeer))
    }

    @Test("Rules that may take loopback lose it, and the plan says so")
    func loopback() throws {
        let plan = PlanSample.policy(exclusions: [PlanSample.ntp], [(.inspect, [])]).capturePlan(for: .nftables)
        #expect(!plan.captures(try to("127.0.0.1:443"), .tcp))
        #expect(plan.losses.filter { $0.effect == .neverCaptured }.map(\.origin) == [.machine])
        let whole = PlanSample.policy([(.inspect, [])]).capturePlan(for: .nftables)
        #expect(whole.losses.isEmpty)
    }

    @Test("On macOS each way by which a UDP socket gets out of sight is listed, and on Linux there is none")
    func sticky() throws {
        let rules: [(lane: Lane, conditions: [Condition])] = [
            (.bypass, [intranet]), (.inspect, [.not(.port([9000...9999]))]),
        ]
        let plan = PlanSample.policy(rules).capturePlan(for: .networkExtension)
        #expect(
            plan.stickyReleases.map(\.description) == [
                "never core-protocols/loopback: udp 0-8999, 10000-65535 to 0.0.0.0/32, 127.0.0.0/8; "
                    + "udp 0-8999, 10000-65535 to ::/127",
                "never core-protocols/ntp: udp 123 to 0.0.0.0/0; udp 123 to ::/0 (open to any address)",
                "never core-protocols/awdl: udp 0-8999, 10000-65535 to 0.0.0.0/0; "
                    + "udp 0-8999, 10000-65535 to ::/0 (open to any address)",
                "dns: udp 53 to 0.0.0.0/0; udp 53 to ::/0 (open to any address)",
                "rule 1 \"r1\": udp 0-8999, 10000-65535 to 10.0.0.0/8",
                "taken by no rule: udp 9000-9999 to 0.0.0.0/0; udp 9000-9999 to ::/0 (open to any address)",
            ])
        #expect(PlanSample.policy(rules).capturePlan(for: .bpf).stickyReleases.isEmpty)
    }

    @Test("Programs of the never set are told by identity, which the kernel cannot")
    func programs() {
        let row = ProgramRow(
            catalogue: "macos-daemons", id: "com.apple.apsd", match: .applePlatform(identifier: "com.apple.apsd"),
            tier: .never, role: "push", evidence: .seen, source: "test")
        let policy = PlanSample.policy(
            catalogues: Catalogues(edition: "test", programs: [row]), [(.inspect, [])])
        #expect(policy.capturePlan(for: .networkExtension).losses.map(\.origin) == [.programs])
    }

    @Test("A policy of many networks is compiled in bounded work, and what is beyond it is captured")
    func bounded() throws {
        let rules = (0..<2_000).map { rule -> (lane: Lane, conditions: [Condition]) in
            let prefixes = (0..<40).map { PlanSample.prefix("\(20 + rule % 50).\(rule / 50).\($0 * 2).0/24") }
            return (rule % 2 == 0 ? .bypass : .block, [.address(PrefixSet(prefixes))])
        }
        let plan = PlanSample.policy(rules).capturePlan(for: .bpf)
        #expect(plan.losses.contains { $0.detail.contains("policy.plan-work") })
        #expect(plan.captures(try to("198.51.100.7:443"), .tcp))
        #expect(!plan.captures(try to("20.0.2.1:443"), .tcp))
    }
}
