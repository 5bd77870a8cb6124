// SPDX-License-Identifier: Apache-2.0

// Rules that break the system, let tools out, or inspect what cannot be inspected.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Rules on programs")
struct ProgramChecksTests {
    private static let catalogues = Catalogues(
        edition: "test",
        programs: [
            row("com.apple.apsd", .applePlatform(identifier: "com.apple.apsd"), .os),
            row("com.apple.curl", .applePlatform(identifier: "com.apple.curl"), .platformInteractive),
            row("curl", .package("curl", paths: ["/usr/bin/curl"]), .platformInteractive),
            row("com.example.chat", .team("AB12CD34EF", identifier: "com.example.chat"), nil, pinned: true),
            row("com.apple.recalled", .applePlatform(identifier: "com.apple.recalled"), .os, .recalled),
        ],
        hosts: [host("*.push.example", .seen), host("pin.cloud.example", .seen), host("weak.example", .recalled)]
            .compactMap { $0 })

    private static func row(
        _ id: String, _ match: ProgramRow.Match, _ codeClass: CodeClass?, _ evidence: CatalogueEvidence = .seen,
        pinned: Bool = false
    ) -> ProgramRow {
        ProgramRow(
            catalogue: "test", id: id, match: match, codeClass: codeClass, tier: .policy, role: "role of \(id)",
            consequence: "\(id) breaks", isPinned: pinned, restriction: pinned ? "allowChat" : nil, evidence: evidence,
            source: "test")
    }

    private static func host(_ pattern: String, _ evidence: CatalogueEvidence) -> HostRow? {
        HostPattern(pattern).map {
            HostRow(
                catalogue: "pinned-hosts", pattern: $0, category: "pinned", reason: "own anchors", evidence: evidence,
                source: "test")
        }
    }

    private func found(_ lines: String, _ codes: PolicyFinding.Code...) throws -> [String] {
        try CheckSample.found(lines, catalogues: Self.catalogues, of: codes)
    }

    private func found(
        _ requirement: String, _ lane: Lane, with other: [Condition] = [], _ codes: PolicyFinding.Code...
    ) throws -> [String] {
        let rule = CheckSample.rule(1, [CheckSample.code(0)] + other, lane)
        let policy = try CheckSample.policy([rule], requirements: [requirement]) { $0.catalogues = Self.catalogues }
        return CheckSample.found(policy, of: codes)
    }

    @Test(
        "To take the system by its class is an error",
        arguments: ["{class: os}", "{class: [os, vendor], port: 443}", "{not: {class: unsigned}}"],
        ["inspect", "block"])
    func system(when: String, then: String) throws {
        #expect(try found("{name: a, when: \(when), then: \(then)}", .osTaken) == ["error os-taken a"])
        // What went before it does not come to it.
        let spared = "{name: os, when: {class: os}, then: bypass}\n{name: a, when: \(when), then: \(then)}"
        #expect(try found(spared, .osTaken) == [])
    }

    @Test("To relay the system is a warning, to let it go is not")
    func relayed() throws {
        #expect(try found("{name: a, when: {class: os}, then: relay}", .osRelayed) == ["warning os-relayed a"])
        #expect(try found("{name: a, when: {class: os}, then: bypass}", .osRelayed, .osTaken) == [])
        #expect(try found("{name: a, when: {class: vendor}, then: inspect}", .osRelayed, .osTaken) == [])
    }

    @Test("To take a program of the system by its requirement is an error where its row is well attested")
    func systemRow() throws {
        #expect(try found("anchor apple and identifier \"com.apple.apsd\"", .block, .osTaken) == ["error os-taken r1"])
        #expect(try found("anchor apple", .inspect, .osTaken) == ["error os-taken r1"])
        #expect(try found("anchor apple and identifier \"com.apple.recalled\"", .block, .osTaken) == [])
        #expect(try found("anchor apple", .inspect, with: [.codeClass([.platformInteractive])], .osTaken) == [])
    }

    @Test("A catch-all that takes the system is noted where nothing lets it go before")
    func spared() throws {
        let rest = CheckSample.rule(2, [], .inspect)
        let policies: [([Rule], [String])] = [
            ([rest], ["note os-not-spared r2"]),
            ([CheckSample.rule(1, [.codeClass([.os])], .bypass), rest], []),
            (
                [CheckSample.rule(1, [.codeClass([.os]), .transport([.tcp])], .bypass), rest], ["note os-not-spared r2"]
            ),
            ([CheckSample.rule(1, [try CheckSample.to(["a.example"])], .inspect)], []),
        ]
        for (rules, expected) in policies {
            #expect(try CheckSample.found(CheckSample.policy(rules), of: [.osNotSpared]) == expected)
        }
    }

    @Test("Tools of users are not let out anywhere")
    func tools() throws {
        let tools = PolicyFinding.Code.userTools
        #expect(
            try found("{name: a, when: {class: platform-interactive}, then: bypass}", tools) == ["warning user-tools a"]
        )
        #expect(try found("{name: a, when: {not: {class: os}}, then: relay}", tools) == ["warning user-tools a"])
        #expect(try found("{name: a, when: {class: platform-interactive, to: a.example}, then: relay}", tools) == [])
        #expect(try found("{name: a, when: {class: platform-interactive}, then: inspect}", tools) == [])
        #expect(try found("{name: a, when: {port: 22}, then: relay}", tools) == [])
        #expect(try found("anchor apple", .bypass, tools) == ["warning user-tools r1"])
        #expect(
            try found("anchor apple and identifier \"com.apple.curl\"", .bypass, tools) == ["warning user-tools r1"])
        #expect(try found("anchor apple and identifier \"com.apple.apsd\"", .bypass, tools) == [])
        #expect(try found("anchor apple", .bypass, with: [.codeClass([.os])], tools) == [])
        #expect(try found("package \"curl\"", .relay, tools) == ["warning user-tools r1"])
        #expect(try found("package \"curl\" and path \"/usr/bin/other\"", .relay, tools) == [])
        #expect(try found("package \"chrony\"", .relay, tools) == [])
    }

    @Test("What pins its servers is not inspected: by class, by program and by host")
    func pinned() throws {
        let pinned = PolicyFinding.Code.pinnedInspected
        #expect(
            try found("{name: a, when: {class: user-carrying-pinned}, then: inspect}", pinned)
                == ["error pinned-inspected a"])
        #expect(try found("{name: a, when: {class: user-carrying-pinned}, then: block}", pinned) == [])
        let team = "anchor apple generic and certificate leaf[subject.OU] = AB12CD34EF"
        #expect(try found(team, .inspect, pinned) == ["error pinned-inspected r1"])
        #expect(
            try found("\(team) and identifier \"com.example.chat\"", .inspect, pinned) == ["error pinned-inspected r1"])
        #expect(try found("\(team) and identifier \"com.example.other\"", .inspect, pinned) == [])
        #expect(try found(team, .block, pinned) == [])
        for (hosts, expected) in [
            ("a.push.example", ["error pinned-inspected a"]), ("\"*.push.example\"", ["error pinned-inspected a"]),
            ("[other.example, pin.cloud.example]", ["error pinned-inspected a"]),
            ("\"*.cloud.example\"", ["warning pinned-inspected a"]), ("weak.example", ["warning pinned-inspected a"]),
            ("push.example", []), ("\"*.other.example\"", []), ("cloud.example", []),
        ] {
            #expect(try found("{name: a, when: {to: \(hosts)}, then: inspect}", pinned) == expected, "\(hosts)")
            let before = "{name: p, when: {to: [\"*.push.example\", pin.cloud.example, weak.example]}, then: relay}\n"
            #expect(try found(before + "{name: a, when: {to: \(hosts)}, then: inspect}", pinned) == [], "\(hosts)")
        }
    }

    @Test("The mend names the restriction that turns the feature off")
    func restriction() throws {
        let team = "anchor apple generic and certificate leaf[subject.OU] = AB12CD34EF"
        let policy = try CheckSample.policy(
            [CheckSample.rule(1, [CheckSample.code(0)], .inspect)], requirements: [team]
        ) { $0.catalogues = Self.catalogues }
        let finding = try #require(policy.check(now: CheckSample.now).first { $0.code == .pinnedInspected })
        #expect(finding.mend.contains("`allowChat`"))
    }
}
