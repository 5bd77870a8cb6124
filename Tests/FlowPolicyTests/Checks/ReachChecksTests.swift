// SPDX-License-Identifier: Apache-2.0

// Rules that decide nothing: the plain cases, and that nothing else is called so.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Rules that decide nothing")
struct ReachChecksTests {
    private static let reach: [PolicyFinding.Code] = [
        .shadowed, .contradictory, .neverSet, .contentNotInspected, .unknownUnreached,
    ]

    @Test(
        "A rule is shadowed by an earlier one that takes all its flows",
        arguments: [
            ("{class: [os, vendor]}", "{class: vendor, port: 443}"),
            ("{port: 1-1000}", "{port: [22, 80-90]}"),
            ("{port: [1-10, 11-20]}", "{port: 5-15}"),
            ("{to: \"*.a.example\"}", "{to: [b.a.example, \"*.c.a.example\"]}"),
            ("{to: a.example, name-proof: claimed}", "{to: a.example, name-proof: proved}"),
            ("{to: [a.example, 10.0.0.0/8]}", "{to: 10.1.0.0/16}"),
            ("{address: [10.0.0.0/9, 10.128.0.0/9]}", "{address: 10.64.0.0/10}"),
            ("{address: \"::/0\"}", "{to: \"2001:db8::/32\"}"),
            ("{executable: \"/opt/*\"}", "{executable: \"/opt/tool/*\", class: vendor}"),
            ("{transport: [tcp, udp]}", "{port: 1}"),
            ("{not: {class: os}}", "{class: unsigned}"),
            ("{not: {to: a.example}}", "{not: {to: [a.example, \"*.b.example\"]}}"),
            ("{any: [{port: 22}, {class: vendor}]}", "{class: vendor, transport: tcp}"),
            ("{port: 22}", "{any: [{port: 22, class: os}, {class: vendor, all: [{port: 20-22}, {port: 22-30}]}]}"),
        ])
    func shadowed(first: String, second: String) throws {
        let lines = "{name: a, when: \(first), then: block}\n{name: b, when: \(second), then: block}"
        #expect(try found(lines) == ["warning shadowed b"])
        // The other way round only the narrower rule comes first, which is how it should be.
        let turned = "{name: b, when: \(second), then: block}\n{name: a, when: \(first), then: block}"
        #expect(try found(turned) == [])
    }

    @Test(
        "A rule is not shadowed by one that leaves it some flows",
        arguments: [
            ("{class: [os, vendor]}", "{port: 443}"),
            // An unknown program is neither.
            ("{any: [{class: os}, {not: {class: os}}]}", "{port: 443}"),
            ("{port: [1-10, 12-20]}", "{port: 5-15}"),
            ("{to: \"*.a.example\"}", "{to: a.example}"),
            ("{to: a.example, name-proof: proved}", "{to: a.example}"),
            ("{address: 10.0.0.0/9}", "{address: 10.0.0.0/8}"),
            // A name has no address that is known.
            ("{address: [0.0.0.0/0, \"::/0\"]}", "{port: 443}"),
            ("{executable: \"/opt/*\"}", "{executable: \"*/tool\"}"),
            ("{not: {to: [a.example, b.example]}}", "{not: {to: a.example}}"),
            ("{not: {to: a.example, name-proof: resolved}}", "{not: {to: a.example, name-proof: proved}}"),
        ])
    func reached(first: String, second: String) throws {
        let lines = "{name: a, when: \(first), then: block}\n{name: b, when: \(second), then: block}"
        #expect(try found(lines) == [])
    }

    /// What is found of the rules `a` and `b`; the sample's own rules behind them may be shadowed, too.
    private func found(_ lines: String) throws -> [String] {
        try CheckSample.found(lines, of: Self.reach).filter { $0.hasSuffix(" a") || $0.hasSuffix(" b") }
    }

    @Test("Rules shadow together what none of them shadows alone")
    func together() throws {
        let policy = try CheckSample.rules(
            """
            {name: a, when: {port: 22}, then: block}
            {name: b, when: {class: vendor}, then: block}
            {name: c, when: {any: [{port: 22, transport: tcp}, {class: vendor, port: 80}]}, then: relay}
            """)
        let finding = try #require(policy.check(now: CheckSample.now).first { $0.code == .shadowed })
        #expect(finding.rule == "c")
        #expect(finding.message.contains("rule 1 \"a\" and rule 2 \"b\" together take"))
        #expect(finding.place.line == 6)
    }

    @Test(
        "Conditions that cannot all hold are an error",
        arguments: [
            "{all: [{port: 443}, {port: 80}]}", "{all: [{class: os}, {class: unsigned}]}",
            "{to: a.example, not: {to: \"*.example\"}}", "{not: {address: [0.0.0.0/0, \"::/0\"]}}",
            "{address: 10.0.0.0/8, not: {address: 10.0.0.0/7}}",
            "{executable: /bin/a, all: [{executable: \"/opt/*\"}]}",
            "{executable: /bin/a, not: {executable: \"/bin/*\"}}",
            "{class: os, not: {class: [os, vendor]}}", "{any: [{port: 1, all: [{port: 2}]}]}",
            "{to: a.example, name-proof: proved, all: [{to: \"*.b.example\", name-proof: proved}]}",
            "{executable: \"/opt/*\", all: [{executable: \"/usr/*\"}]}",
        ])
    func contradictory(when: String) throws {
        #expect(
            try CheckSample.found("{name: a, when: \(when), then: block}", of: Self.reach) == ["error contradictory a"])
    }

    @Test(
        "Conditions that can hold are not called contradictory",
        arguments: [
            "{all: [{port: 1-443}, {port: 443-500}]}", "{to: a.example, not: {to: \"*.a.example\"}}",
            "{to: a.example, not: {to: \"*.example\", name-proof: proved}}",
            // The name that was claimed and the one that is proved may differ.
            "{to: a.example, all: [{to: b.example}]}", "{any: [{port: 1, all: [{port: 2}]}, {port: 3}]}",
            "{executable: \"/opt/*\", all: [{executable: \"*/tool\"}]}", "{address: 10.0.0.0/8, to: a.example}",
        ])
    func consistent(when: String) throws {
        #expect(try CheckSample.found("{name: a, when: \(when), then: block}", of: Self.reach) == [])
    }

    @Test("Every kind of condition is compared")
    func kinds() throws {
        let hours = { (from: Int, to: Int, offset: Int32) in
            var window = TimeWindow()
            window.days = 0b1_1111
            window.minutes = (from, to)
            window.zone = .fixed(offset)
            return Condition.time(window)
        }
        let pairs: [(Condition, Condition)] = [
            (CheckSample.code(0, 1), CheckSample.code(1)), (.intake([.connect, .exec]), .intake([.exec])),
            (.interface([.wifi, .vpn]), .interface([.vpn])), (.user([0...10, 11...20]), .user([5...15])),
            (.session([.console, .remote]), .session([.remote])),
            (.applicationProtocol(["tls", "http/1.1"]), .applicationProtocol(["tls"])),
            (hours(8 * 60, 18 * 60, 0), hours(10 * 60, 18 * 60, 3600)),
        ]
        for (wide, narrow) in pairs {
            for (first, second, expected) in [
                (wide, narrow, ["warning shadowed r2"]), (narrow, wide, []),
                (.not(narrow), .not(wide), ["warning shadowed r2"]), (.not(wide), .not(narrow), []),
            ] {
                // The opposite of a window is compared with itself only.
                if case (.not, .time) = (first, wide) { continue }
                let policy = try CheckSample.policy(
                    [CheckSample.rule(1, [first], .block), CheckSample.rule(2, [second], .block)],
                    requirements: ["cdhash H\"\(String(repeating: "a", count: 40))\"", "anchor apple"])
                #expect(CheckSample.found(policy, of: Self.reach) == expected, "\(first.text), then \(second.text)")
            }
        }
    }

    @Test("Two names of one requirement are no difference")
    func sameRequirement() throws {
        let policy = try CheckSample.policy(
            [CheckSample.rule(1, [CheckSample.code(0)], .block), CheckSample.rule(2, [CheckSample.code(1)], .block)],
            requirements: ["anchor apple and identifier \"a\"", "anchor apple  and  identifier a"])
        #expect(CheckSample.found(policy, of: [.shadowed]) == ["warning shadowed r2"])
    }

    @Test("A rule that is not carried out everywhere shadows nothing")
    func carriedOut() throws {
        for (mode, rollout, expected) in [
            (Policy.Mode.enforce, nil, 1), (.enforce, Rollout(percent: 100, salt: "s"), 1), (.observe, nil, 1),
            (.enforce, Rollout(percent: 99, salt: "s"), 0), (.decide, nil, 0), (.off, nil, 0),
        ] {
            let policy = try CheckSample.policy([
                CheckSample.rule(1, [.port([1...9])], .block, mode: mode, rollout: rollout),
                CheckSample.rule(2, [.port([5...5])], .block),
            ])
            #expect(CheckSample.found(policy, of: [.shadowed]).count == expected, "\(mode) \(rollout as Any)")
        }
    }

    @Test("A rule that is switched off, or rolled out to none or all, is said to be so")
    func switches() throws {
        let policy = try CheckSample.policy([
            CheckSample.rule(1, [.port([1...1])], .inspect, mode: .off),
            CheckSample.rule(2, [.port([2...2])], .inspect, mode: .decide, rollout: Rollout(percent: 0, salt: "s")),
            CheckSample.rule(3, [.port([3...3])], .inspect, rollout: Rollout(percent: 100, salt: "s")),
            CheckSample.rule(4, [.port([4...4])], .inspect, rollout: Rollout(percent: 50, salt: "s")),
        ])
        #expect(
            CheckSample.found(policy, of: [.ruleOff, .rolloutNone, .rolloutComplete])
                == ["note rule-off r1", "note rollout-none r2", "note rollout-complete r3"])
    }

    @Test("A rule whose flows are left alone before any rule is asked is told by which row, and what that would break")
    func neverSet() throws {
        let exclusions = [
            Exclusion(
                row: "core-protocols/ntp", tier: .never, transports: [.udp], ports: [123...123],
                scope: .prefixes([try #require(IPPrefix("10.0.0.0/8")), try #require(IPPrefix("fe80::/10"))]),
                reason: "time", consequence: "clocks drift"),
            Exclusion(
                row: "core-protocols/awdl", tier: .never, transports: [.tcp, .udp], ports: [], scope: .peerToPeer,
                reason: "neighbours", consequence: "AirDrop fails"),
            Exclusion(
                row: "core-protocols/dot", tier: .default, transports: [.tcp], ports: [853...853], scope: .open,
                reason: "names", consequence: "no names"),
        ]
        let inside = IPPrefix("10.1.0.0/16")
        let policy = try CheckSample.policy([
            CheckSample.rule(1, [.transport([.udp]), .port([123...123]), .address([try #require(inside)])], .block),
            CheckSample.rule(2, [.interface([.peerToPeer])], .inspect),
            CheckSample.rule(3, [.interface([.peerToPeer])], .bypass),
            CheckSample.rule(4, [.transport([.udp]), .port([123...123])], .block),
            CheckSample.rule(5, [.transport([.tcp]), .port([853...853])], .block),
        ]) { $0.exclusions = exclusions }
        #expect(
            CheckSample.found(policy, of: Self.reach)
                == ["warning never-set r1", "warning never-set r2", "note never-set r3", "warning never-set r5"])
        let findings = policy.check(now: CheckSample.now).filter { $0.code == .neverSet }
        #expect(findings.first?.message.contains("core-protocols/ntp: time") == true)
        #expect(findings.first?.mend.contains("`capture: inspect-never`: clocks drift") == true)
        #expect(findings.last?.mend.contains("`capture: exclude`") == true)
    }

    @Test("A rule on content is shadowed by one on the same findings, and idle where nobody looks")
    func content() throws {
        let lines = """
            {name: bank, when: {to: bank.example}, then: relay}
            {name: a, when: {content: secret/*, port: 443}, then: report}
            {name: b, when: {content: private-key, port: 443, class: vendor}, then: block}
            {name: c, when: {content: [private-key, iban], port: 443}, then: block}
            {name: d, when: {content: iban, to: bank.example}, then: block}
            """
        #expect(
            try CheckSample.found(lines, of: Self.reach) == ["warning shadowed b", "warning content-not-inspected d"])
        // A rule before it that looks makes it worth having.
        let looked = "{name: look, when: {port: 443}, then: inspect}\n" + lines
        #expect(try CheckSample.found(looked, of: Self.reach) == ["warning shadowed b"])
    }

    @Test("A verdict for unknown programs that no flow comes to is told, and the catch-all stands aside")
    func unknown() throws {
        let verdict = Policy.Mode.enforce.verdict(.block, profile: nil, rule: nil, code: "unknown", cause: "")
        let whole = CheckSample.rule(1, [.transport([.tcp, .udp])], .inspect)
        let rest = CheckSample.rule(1, [], .inspect)
        for (rule, expected) in [(whole, ["warning unknown-unreached -"]), (rest, [])] {
            let policy = try CheckSample.policy([rule]) {
                $0.unknown = [.exited: (.block, verdict)]
                $0.outline.keys["unknown.exited"] = SourcePlace(file: "test.yaml", line: 7, column: 3)
            }
            let findings = policy.check(now: CheckSample.now).filter { $0.code == .unknownUnreached }
            #expect(CheckSample.found(policy, of: [.unknownUnreached]) == expected)
            #expect(findings.allSatisfy { $0.place.line == 7 })
        }
    }
}
