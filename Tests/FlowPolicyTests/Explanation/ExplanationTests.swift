// SPDX-License-Identifier: Apache-2.0

// Explanations, for people and for programs.

import FlowModel
import FlowPolicy
import Foundation
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private let yaml = """
        version: 1
        mode: enforce
        unknown: {exited: relay}
        rules:
          - {name: leave the system alone, when: {class: [os, vendor]}, then: bypass}
          - {name: private life, when: {to: bank.example, port: 443}, then: relay}
          - {name: many, when: {to: [a.test, b.test, c.test, "*.d.test"], name-proof: proved}, then: relay}
          - {name: nested, when: {any: [{port: [22, 8000-8080]}, {not: {transport: tcp}}]}, then: block}
          - {name: keys, when: {content: private-key}, then: block}
          - {name: elsewhere, when: {content: iban, to: e.test}, then: report}
          - {name: strip the rest, then: inspect}
        profiles: {strict: {detect: "*", outbound: redact}}
        """

    @Test("Every rule that was considered says which fact decided it")
    func text() throws {
        let facts = try Sample.facts("api.example.com:443 class=third-party executable=/usr/bin/x")
        #expect(
            try Sample.policy(yaml).explain(facts).text == """
                flow: tcp to api.example.com:443, names api.example.com (claimed), class third-party, executable /usr/bin/x, \
                intake transparent
                rule 1 "leave the system alone": no match: class os or vendor is not third-party
                rule 2 "private life": no match: to bank.example is not api.example.com (claimed)
                rule 3 "many": no match: to a.test, b.test or 2 more (proved) is not api.example.com (claimed)
                rule 4 "nested": no match: port 22 or 8000-8080 is not 443 and transport tcp holds
                rule 5 "keys": holds: block private-key
                rule 6 "elsewhere": no match: to e.test is not api.example.com (claimed)
                rule 7 "strip the rest": match: every flow
                verdict: inspect with profile strict: rule: rule 7 "strip the rest" (every flow)
                """)
    }

    @Test("A rule that waits says for what, and the catch-all stands aside for an unknown identity")
    func waiting() throws {
        let facts = try Sample.facts("203.0.113.7:443 cause=exited")
        let lines = try Sample.policy(yaml).explain(facts).text.split(separator: "\n")
        #expect(lines[1] == "rule 1 \"leave the system alone\": no match: class os or vendor: unknown (exited)")
        #expect(
            lines[2]
                == "rule 2 \"private life\": waits: to bank.example: 203.0.113.7 so far, and more may come: claimed-name"
        )
        #expect(lines[7] == "rule 7 \"strip the rest\": stands aside: `unknown` has a verdict for exited")
        #expect(
            lines[8]
                == "unknown exited: match: no rule before the last resort matches")
        #expect(
            lines[9]
                == "verdict: relay: unknown-identity: `unknown`, because the identity is not known (exited)")
    }

    @Test("A deferred flow says what may come, and what holds if nothing does")
    func deferred() throws {
        let lines = try Sample.policy(yaml).explain(Sample.facts("203.0.113.7:443")).text.split(separator: "\n")
        #expect(lines[8] == "deferred: claimed-name, proved-name may lead to relay")
        #expect(lines[9].hasPrefix("verdict if nothing more is learnt: inspect with profile strict: rule"))
    }

    @Test("For programs every line is a JSON object, and the last one is the verdict")
    func json() throws {
        let policy = try Sample.policy(yaml)
        let lines = try policy.explain(Sample.facts("203.0.113.7:443")).jsonLines.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(lines.map { $0["kind"] as? String } == ["flow"] + Array(repeating: "rule", count: 7) + ["verdict"])
        #expect(lines[1]["outcome"] as? String == "no-match")
        #expect(lines[1]["number"] as? Int == 1)
        let verdict = try #require(lines.last)
        #expect(verdict["lane"] as? String == "inspect")
        #expect(verdict["profile"] as? String == "strict")
        #expect(verdict["candidates"] as? [String] == ["relay"])
        #expect(verdict["awaits"] as? [String] == ["claimed-name", "proved-name"])
        #expect(verdict["policy"] as? String == policy.digest)
    }

    @Test("When no rule matches the flow is left alone, and the explanation says so")
    func nothing() throws {
        let policy = try Sample.policy("version: 1\nmode: enforce\nrules: [{name: a, when: {port: 1}, then: block}]")
        #expect(
            try policy.explain(Sample.facts("a.example:2")).text.hasSuffix(
                "verdict: bypass: no-rule: no rule matched, so the flow is left alone"))
    }
}
