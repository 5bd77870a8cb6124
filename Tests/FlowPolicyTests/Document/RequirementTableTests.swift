// SPDX-License-Identifier: Apache-2.0

// Code requirements in a document.

import CodeIdentity
import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Requirements in a document")
struct RequirementTableTests {
    private static let team = #"anchor apple generic and certificate leaf[subject.OU] = "AB12CD34EF""#

    @Test("Each requirement that rules ask is there once, named ones that none asks are not")
    func once() throws {
        let policy = try Sample.policy(
            """
            version: 1
            requirements:
              acme: '\(Self.team)'
              same: '\(Self.team)'
              nobody: anchor apple
            rules:
              - {name: a, when: {code: [same, acme, 'identifier "x" and anchor apple']}, then: relay}
              - {name: b, when: {any: [{code: '(\(Self.team))'}, {code: 'anchor apple and identifier x'}]}, then: relay}
            """)
        #expect(
            policy.requirements.map(\.title) == [
                "same", #"'identifier "x" and anchor apple'"#, "'anchor apple and identifier x'",
            ])
        #expect(policy.requirements.map(\.name) == ["same", nil, nil])
        #expect(policy.requirements.map(\.place.description) == ["test.yaml:4:9", "test.yaml:7:41", "test.yaml:8:117"])
        let text = policy.rules[0].conditions.map(\.text)
        #expect(text == [#"code same or acme or 'identifier "x" and anchor apple'"#])
    }

    @Test("A rule on code holds for the programs that meet the requirement, judged by this very policy")
    func judged() throws {
        let yaml = """
            version: 1
            mode: enforce
            requirements: {curl: 'anchor apple and identifier "com.apple.curl"'}
            rules: [{name: curl, when: {code: curl}, then: relay}, {name: rest, then: block}]
            """
        let policy = try Sample.policy(yaml)
        func lane(_ meets: Bool, by judge: Policy) throws -> Lane {
            var facts = try Sample.facts("a.example:1")
            facts.identity = judge.judge(
                CodeEvidence(summary: IdentitySummary(.known(.platformInteractive))) { _ in meets })
            return policy.admit(facts).verdict.lane
        }
        #expect(try lane(true, by: policy) == .relay)
        #expect(try lane(false, by: policy) == .block)
        #expect(try lane(true, by: Sample.policy(yaml)) == .block)
    }

    @Test(
        "A mistake in an expression is shown where it stands, however the value is written",
        arguments: [
            ("anchor aple", "7:13"), ("'anchor aple'", "7:14"), ("\"anchor aple\"", "7:14"),
            ("'identifier \"a\" andd anchor apple'", "7:22"), ("\"identifier \\\"a\\\" andd anchor apple\"", "7:24"),
            ("|-\n    identifier \"a\"\n    and anchor aple", "9:16"), (">\n   identifier\n   \"a\" andd", "9:8"),
            ("identifier a\n    andd x", "8:5"), ("'bücher andd'", "7:7"),
        ])
    func places(value: String, place: String) {
        let yaml = "version: 1\n\n\n\n\nrequirements:\n  r: \(value)\nrules: [{name: a, then: relay}]\n"
        let problems = Sample.problems(yaml)
        #expect(problems.map(\.code) == [.badRequirement], "\(problems)")
        #expect(problems.map { "\($0.line):\($0.column)" } == [place], "\(problems)")
    }

    @Test("More requirements than the limit are refused")
    func many() {
        func problems(_ count: Int) -> [PolicyProblem.Code] {
            let items = (1...count).map { "'identifier \"x\($0)\" and anchor apple'" }.joined(separator: ", ")
            return Sample.problems("version: 1\nrules: [{name: a, when: {code: [\(items)]}, then: relay}]\n").map(
                \.code)
        }
        #expect(problems(PolicyLimits.requirements.value).isEmpty)
        #expect(problems(PolicyLimits.requirements.value + 1) == [.tooMany])
    }
}
