// SPDX-License-Identifier: Apache-2.0

// The mode and the roll-out of single rules.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Rules of a document")
struct RuleReaderTests {
    private func rule(_ body: String, mode: String = "enforce", device: String? = "device-1") throws -> Rule {
        let yaml = """
            version: 1
            mode: \(mode)
            rules: [{name: r, when: {port: 1}, \(body)}, {name: rest, then: inspect}]
            profiles: {p: {detect: [iban], outbound: redact}}
            """
        var environment = Sample.environment
        environment.device = device
        return try #require(try Policy.read(yaml: yaml, file: "t", environment).rules.first)
    }

    private func verdict(_ rule: Rule) throws -> Verdict {
        guard case .flow(_, let verdict) = rule.consequence else { throw PolicyFileProblem("no verdict") }
        return verdict
    }

    @Test("A rule that is only recorded says so, and keeps what it would do")
    func decide() throws {
        let rule = try rule("then: block, mode: decide")
        #expect(rule.mode == .decide)
        guard case .flow(let lane, let verdict) = rule.consequence else {
            Issue.record("no verdict")
            return
        }
        #expect(lane == .block)
        #expect(verdict.lane == .bypass)
        #expect(verdict.reason.detail.hasPrefix("would block by rule 1"))
    }

    @Test("A rule that only observes inspects with a profile that changes nothing, beside rules that do")
    func observe() throws {
        let yaml = """
            version: 1
            mode: enforce
            rules:
              - {name: try, when: {port: 1}, then: inspect, mode: observe}
              - {name: keys, when: {content: private-key, port: 1}, then: block, mode: observe}
              - {name: rest, then: inspect}
            profiles: {p: {detect: [iban], outbound: redact}}
            """
        let policy = try Sample.policy(yaml)
        func action(_ flow: String) throws -> ContentAction {
            let verdict = try policy.admit(Sample.facts(flow)).verdict
            return try #require(policy.profile(verdict.profile ?? "")).decision(on: "iban", .outbound).action
        }
        #expect(try action("a.example:1") == .report)
        #expect(try action("a.example:2") == .redact)
        let content = try #require(try policy.contentRules(for: Sample.facts("a.example:1")).first)
        #expect(content.decision.action == .report)
        #expect(content.decision.restraint?.detail.hasPrefix("would block") == true)
        #expect(try verdict(rule("then: block, mode: observe")).lane == .relay)
    }

    @Test(
        "A rule does what the policy, itself and the roll-out to this device all allow",
        arguments: [
            ("enforce", "", "enforce"), ("enforce", ", mode: observe", "observe"), ("enforce", ", mode: off", "off"),
            ("enforce", ", rollout: {percent: 100}", "enforce"), ("enforce", ", rollout: {percent: 0}", "decide"),
            ("enforce", ", mode: off, rollout: {percent: 0}", "off"),
            ("observe", ", rollout: {percent: 0}", "decide"), ("decide", "", "decide"),
            // Under `decide` all rules have that mode; one that must not decide there has less.
            ("decide", ", rollout: {percent: 0}", "off"), ("off", ", rollout: {percent: 0}", "off"),
        ])
    func modes(document: String, body: String, effective: String) throws {
        #expect(try rule("then: block" + body, mode: document).mode.rawValue == effective)
    }

    @Test("A roll-out takes the devices that its share and salt say, the rule's name where none is written")
    func rollout() throws {
        #expect(try rule("then: block, rollout: {percent: 7}").rollout == Rollout(percent: 7, salt: "r"))
        #expect(try rule("then: block, rollout: {percent: 7, salt: s}").rollout == Rollout(percent: 7, salt: "s"))
        for number in 0..<40 {
            let device = "device-\(number)"
            let rule = try rule("then: block, rollout: {percent: 50}", device: device)
            #expect((rule.mode == .enforce) == Rollout(percent: 50, salt: "r").includes(device))
        }
        #expect(try rule("then: block, rollout: {percent: 99}", device: nil).mode == .decide)
    }

    @Test("A rule for every flow that does not decide leaves the rules after it reachable")
    func reachable() throws {
        func problems(_ body: String) -> [PolicyProblem.Code] {
            Sample.problems(
                "version: 1\nmode: enforce\nrules: [{name: a, then: relay\(body)}, {name: b, then: block}]\n"
            ).map(\.code)
        }
        #expect(problems("") == [.unreachable])
        #expect(problems(", mode: observe") == [.unreachable])
        #expect(problems(", mode: decide").isEmpty)
        #expect(problems(", mode: off").isEmpty)
        #expect(problems(", rollout: {percent: 0}").isEmpty)
    }

    @Test("A rule that accepts an unproved name is marked")
    func unproved() throws {
        #expect(try rule("then: block").isUnprovedAccepted == false)
        #expect(try rule("then: block, unproved: true").isUnprovedAccepted)
    }
}

@Suite("Rules that are rolled out")
struct RolledOutRuleTests {
    @Test("A document is good on every device, whichever takes its newest last resort", arguments: [0, 50, 100])
    func catchAll(percent: Int) throws {
        for device in 0..<8 {
            let policy = try Policy.read(
                yaml: """
                    version: 1
                    mode: enforce
                    rules:
                      - {name: new, then: block, rollout: {percent: \(percent)}}
                      - {name: old, then: relay}
                    """, file: "test.yaml", PolicyEnvironment(detectors: [], device: "device-\(device)"))
            let rule = try policy.refine(Sample.facts("a.example:443")).rule
            #expect(percent == 50 || rule == (percent == 100 ? "new" : "old"))
        }
    }
}
