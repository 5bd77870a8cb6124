// SPDX-License-Identifier: Apache-2.0

// Comparisons of policies over recorded flows.

import FlowModel
import FlowPolicy
import Testing

@Suite struct PolicyDiffTests {
    static let old = """
        version: 1
        mode: enforce
        rules:
          - {name: system, when: {class: os}, then: bypass}
          - {name: bank, when: {to: bank.example}, then: relay}
          - {name: rest, then: inspect}
        profiles: {strict: {detect: "*"}}
        """
    static let new = """
        version: 1
        mode: enforce
        rules:
          - {name: everything of ours, when: {class: [os, vendor]}, then: bypass}
          - {name: rest, then: inspect}
        profiles: {strict: {detect: "*"}}
        """

    static func event(_ destination: String, _ codeClass: String, names: String = "") -> String {
        "{\"kind\":\"flow\",\"time\":\"2026-11-24T15:00:00.000Z\",\"flow\":\"00000000000000ab\","
            + "\"started\":\"2026-11-24T15:00:00.000Z\",\"transport\":\"tcp\",\"intake\":\"exec\",\"source\":null,"
            + "\"destination\":\"\(destination)\",\"host\":\"x\",\"names\":[\(names)],"
            + "\"identity\":{\"class\":\(codeClass),\"unknown\":null,\"executable\":\"/usr/bin/tool\",\"pid\":1,\"uid\":0},"
            + "\"verdict\":{\"lane\":\"inspect\",\"profile\":null,\"rule\":null,\"reason\":{\"code\":\"rule\",\"detail\":\"\"}},"
            + "\"protocols\":[\"tls\",\"http/1.1\"],\"bytes_out\":1,\"bytes_in\":1,\"messages\":1,\"findings\":0,"
            + "\"outcome\":\"completed\",\"notes\":[]}"
    }

    static func diff(_ lines: [String], old: String = old, new: String = new) throws -> PolicyDiff {
        var diff = PolicyDiff(
            from: try Sample.policy(old), to: try Sample.policy(new), file: "e.jsonl", Described.context)
        for (number, line) in lines.enumerated() { diff.add(line: line, number: number + 1) }
        return diff
    }

    @Test("Flows that change alike are grouped, the most frequent first, with examples")
    func grouped() throws {
        let bank = "{\"name\":\"bank.example\",\"proof\":\"claimed\"}"
        var lines = (1...5).map { Self.event("192.0.2.\($0):443", "\"vendor\"") }
        lines += [Self.event("198.51.100.1:443", "\"third-party\"", names: bank)]
        lines += [Self.event("a.example:443", "\"os\""), Self.event("a.example:443", "\"third-party\"")]
        let diff = try Self.diff(lines)
        #expect((diff.flows, diff.changed, diff.movedOnly) == (8, 6, 1))
        #expect(
            diff.changes.map { "\($0.flows) \($0.old) → \($0.new)" } == [
                "5 inspect (strict) by \"rest\" → bypass by \"everything of ours\"",
                "1 relay by \"bank\" → inspect (strict) by \"rest\"",
            ])
        #expect(diff.changes.map(\.examples.count) == [3, 1])
        #expect(diff.changes.last?.examples == ["bank.example:443 by /usr/bin/tool (third-party)"])
        #expect(diff.text.hasSuffix("6 of 8 flows would be decided otherwise; 1 by another rule to the same end"))
    }

    @Test("A policy compared with itself changes nothing")
    func same() throws {
        let diff = try Self.diff([Self.event("a.example:443", "\"os\"")], new: Self.old)
        #expect(diff.changed == 0 && diff.changes.isEmpty && diff.flows == 1)
    }

    @Test("Lines that are no flows are counted and said, and nothing else suffers")
    func tolerant() throws {
        let lines = [
            "{\"kind\":\"message\",\"time\":\"x\"}", "{\"kind\":\"finding\"}", "not json {", "{\"kind\":\"flow\"}",
            "{\"kind\":\"flow\",\"destination\":7,\"names\":5,\"identity\":[]}", "[]", "5", "null", "\u{0}",
            "{\"to\":\"bank.example\",\"identity\":{\"package\":\"curl\",\"path\":\"/usr/bin/curl\"}}",
            "{\"kind\":\"flow\",\"destination\":\"bank.example:443\",\"names\":[{\"name\":\"..\"}],\"identity\":{\"class\":\"new\"}}",
        ]
        var diff = try Self.diff(lines)
        diff.skip(line: 99, "a line of more than 4194304 bytes")
        #expect((diff.flows, diff.changed, diff.otherEvents, diff.unusable) == (2, 2, 2, 8))
        #expect(diff.firstProblem?.line == 3)
        #expect(diff.text.contains("lines that could not be used: 8; the first: e.jsonl:3:"))
        #expect(diff.jsonLines.split(separator: "\n").count == 2)
    }

    @Test("Kinds of change beyond the limit are counted together")
    func bounded() throws {
        let count = PolicyLimits.differences.value + 5
        let rules = (0..<count).map { "  - {name: r\($0), when: {port: \($0 + 1000)}, then: relay}" }
        let many = "version: 1\nmode: enforce\nrules:\n" + rules.joined(separator: "\n")
        let none = "version: 1\nmode: enforce\nrules: [{name: all, then: block}]"
        let diff = try Self.diff(
            (0..<count).map { Self.event("a.example:\($0 + 1000)", "\"os\"") }, old: many, new: none)
        #expect(diff.changes.count == count - 5 && diff.unlisted == 5 && diff.changed == count)
        #expect(diff.text.contains("5 flows of further kinds of change"))
    }
}
