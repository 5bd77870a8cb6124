// SPDX-License-Identifier: Apache-2.0

// Tests of policies: what passes, what fails, and what they cover.

import FlowModel
import FlowPolicy
import Testing

@Suite struct PolicyTestTests {
    static let policy = """
        version: 1
        mode: enforce
        unknown: {exited: block, unresolved: relay}
        rules:
          - {name: system, when: {class: os}, then: bypass}
          - {name: bank, when: {to: bank.example}, then: relay}
          - {name: keys, when: {content: private-key}, then: block}
          - {name: tokens, when: {content: github-token}, then: redact}
          - {name: rest, then: inspect}
        profiles:
          strict: {detect: [iban], outbound: redact}
        """

    static func run(_ flows: String, policy: String = policy) throws -> PolicyTestReport {
        try Described.test("flows:\n" + flows).run(try Sample.policy(policy))
    }

    @Test("Expectations that hold pass, whatever they ask")
    func passes() throws {
        let report = try Self.run(
            """
              - name: system
                flow: {to: a.example, identity: {class: os}}
                expect: {lane: bypass, rule: system, reason: rule, profile: none, class: os, deferred: false}
              - name: upload
                flow: {to: a.example, content: [iban], identity: {class: vendor}}
                expect:
                  lane: inspect
                  profile: strict
                  content: {iban: redact, private-key: block, email: none}
              - name: waits
                flow: {to: 192.0.2.1, identity: {class: vendor}}
                expect: {lane: inspect, deferred: true}
              - name: gone
                flow: {to: a.example, identity: {unknown: exited}}
                expect: {lane: block, rule: none, reason: unknown-identity, class: exited}
            """)
        #expect(report.passed, "\(report.text)")
        #expect(report.text.hasPrefix("test.yaml: 4 of 4 flows are decided as expected"))
    }

    @Test("A failure says where, what was expected, what came, and why")
    func fails() throws {
        let report = try Self.run(
            """
              - name: not what it was
                flow: {to: bank.example, identity: {class: vendor}, content: iban}
                expect: {lane: bypass, rule: rest, reason: other, profile: strict, class: os, deferred: true, content: {iban: redact}}
            """)
        #expect(!report.passed)
        #expect(report.failures.map(\.place.description) == ["test.yaml:2:5"])
        #expect(
            report.failures[0].differences.map { "\($0.what) \($0.expected) \($0.got)" } == [
                "lane bypass relay", "rule rest bank", "reason other rule", "profile strict none", "class os vendor",
                "deferred true false", "content iban redact none",
            ])
        #expect(report.text.contains("rule 2 \"bank\": match"))
        let lines = report.jsonLines.split(separator: "\n")
        #expect(lines.first?.hasPrefix("{\"kind\":\"failure\",\"name\":\"not what it was\"") == true)
        #expect(
            lines.last
                == "{\"kind\":\"test\",\"file\":\"test.yaml\",\"flows\":1,\"failures\":1,\"policy\":\"\(try Sample.policy(Self.policy).digest)\"}"
        )
    }

    @Test(
        "Rules that no flow reaches are listed with their places, as are causes; content rules count by their content")
    func coverage() throws {
        let report = try Self.run(
            """
              - {name: a, flow: {to: a.example, content: private-key, identity: {class: vendor}}, expect: {lane: inspect}}
              - {name: b, flow: {to: b.example, identity: {unknown: exited}}, expect: {lane: block}}
              - {name: c, flow: {to: bank.example, content: github-token, identity: {class: vendor}}, expect: {lane: relay}}
            """)
        #expect(
            report.coverage.parts.map { "\($0.kind) \($0.name) \($0.flows)" } == [
                "rule system 0", "rule bank 1", "rule keys 1", "rule tokens 0", "rule rest 1", "unknown exited 1",
                "unknown unresolved 0",
            ])
        #expect(report.coverage.rulesNeverHit.map { $0.place?.description } == ["test.yaml:5:5", "test.yaml:8:5"])
        #expect(report.text.contains("2 of 5 rules decided no flow:\n  test.yaml:5:5: \"system\""))
        #expect(report.text.hasSuffix("causes in `unknown`: 1 of 2 decided a flow: exited (1)"))
        #expect(
            report.jsonLines.contains(
                "{\"kind\":\"never-hit\",\"part\":\"rule\",\"name\":\"system\",\"file\":\"test.yaml\",\"line\":5,\"flows\":0}"
            ))
    }

    @Test("A policy that takes nothing covers nothing")
    func off() throws {
        let report = try Self.run(
            "  - {name: a, flow: {to: a.example}, expect: {lane: bypass, rule: none, reason: mode-off}}",
            policy: Self.policy.replacing("enforce", with: "off"))
        #expect(report.passed, "\(report.text)")
        #expect(report.coverage.parts.allSatisfy { $0.flows == 0 })
    }

    @Test(
        "A test that could never fail is refused: one without flows, or that asks nothing of content",
        arguments: [
            ("flows: []", "1:8 missing-key"),
            ("flows: [{name: a, flow: {to: a.example}, expect: {content: {}}}]", "1:60 wrong-type"),
        ])
    func neverFailing(yaml: String, problem: String) {
        let error = #expect(throws: PolicyProblems.self) { try Described.test(yaml) }
        #expect(error?.problems.map { "\($0.line):\($0.column) \($0.code.rawValue)" } == [problem])
    }

    @Test("Problems of a test are listed in one run, each with its place")
    func problems() {
        let yaml = """
            polic: x
            flows:
              - {name: a, flow: {to: a.example}}
              - {name: b, flow: {to: a.example}, expect: {}}
              - {name: b, flow: {to: a.example}, expect: {lane: sideways, class: wizard}}
              - {name: c, flow: {}, expect: {lane: relay, content: [a]}}
            """
        #expect(throws: PolicyProblems.self) { try Described.test(yaml) }
        do throws(PolicyProblems) {
            _ = try PolicyTest.read(yaml: yaml, file: "t", Described.context)
        } catch {
            #expect(
                error.problems.map { "\($0.line) \($0.code.rawValue)" } == [
                    "1 unknown-key", "3 missing-key", "4 wrong-type", "5 duplicate-name", "5 bad-value", "5 bad-value",
                    "6 missing-key", "6 wrong-type",
                ])
        }
        for text in ["", "[]", "flows: 5", "policy: x"] {
            #expect(throws: PolicyProblems.self) { try Described.test(text) }
        }
    }
}
