// SPDX-License-Identifier: Apache-2.0

// The plan as an nftables ruleset: the text that the interop test loads into a kernel.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("The plan for nftables")
struct NFTablesFormTests {
    /// Written so that the kernel meets each kind of rule that is printed.
    static var example: Policy {
        let documentation = ["192.0.2.99/32", "198.51.100.0/24", "2001:db8:1::/48"].map(PlanSample.prefix)
        return PlanSample.policy([
            (.bypass, [.transport([.tcp]), .port([22...22, 8000...8010])]),
            (.bypass, [.address(PrefixSet(documentation))]),
            (.inspect, [.codeClass([.thirdParty])]),
        ])
    }

    @Test("The ruleset that the kernel is tested with is the one that is printed")
    func golden() throws {
        let text = Self.example.capturePlan(for: .nftables).nftables().text
        #expect(PolicyVector.text("Tests/Vectors/plan/example.nft") == text, "\(text)")
    }

    @Test("A table that its loader owns says so, and does not delete one of another's")
    func owned() {
        var options = NFTablesForm.Options()
        options.isOwned = true
        let text = Self.example.capturePlan(for: .nftables).nftables(options).text
        #expect(text.contains("table inet weir {\n    flags owner;\n"))
        #expect(!text.contains("delete table"))
    }

    @Test("Names from the policy cannot break out of a comment or a string")
    func hostileNames() {
        let rule = Rule(
            number: 1, name: "a\"; flush ruleset\n\\ \u{2028}é", place: SourcePlace(file: "t", line: 1, column: 1),
            conditions: [.port([22...22])],
            consequence: .flow(.bypass, Verdict(.bypass, reason: Reason("rule", ""))), mode: .enforce)
        let rest = Rule(
            number: 2, name: "rest", place: SourcePlace(file: "t", line: 2, column: 1), conditions: [],
            consequence: .flow(.inspect, Verdict(.inspect, reason: Reason("rule", ""))), mode: .enforce)
        var parts = PolicyParts(stamp: 1)
        parts.mode = .enforce
        parts.rules = [rule, rest]
        let text = Policy(parts).capturePlan(for: .nftables).nftables().text
        for line in text.split(separator: "\n") {
            #expect(line.unicodeScalars.allSatisfy { (0x20...0x7e).contains($0.value) })
            #expect(!line.drop { $0 == " " }.hasPrefix("flush"))
            #expect(line.hasPrefix("#") || line.count { $0 == "\"" } % 2 == 0 || line.contains("# "))
        }
    }

    @Test("Without anything to capture there is a table and no hook")
    func nothing() {
        let text = PlanSample.policy(mode: .off, []).capturePlan(for: .nftables).nftables().text
        #expect(text.contains("table inet weir {"))
        #expect(!text.contains("hook"))
    }

    @Test("The sign of life is one transaction that renews what is there")
    func heartbeat() {
        #expect(
            NFTablesForm.heartbeat(seconds: 2, [.tcp]) == """
                add element inet weir alive { tcp timeout 2s }
                delete element inet weir alive { tcp }
                add element inet weir alive { tcp timeout 2s }

                """)
    }
}
