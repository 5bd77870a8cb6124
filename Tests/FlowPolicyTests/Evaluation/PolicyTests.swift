// SPDX-License-Identifier: Apache-2.0

// What a policy answers: admission, refinement, rules on content, and the mode on all of them.

import FlowModel
import FlowPolicy
import Testing

@Suite("A policy")
struct PolicyTests {
    /// A block by name, a relay by proved name, a bypass by class, a rule on content, and the rest.
    private func policy(_ mode: String) throws -> Policy {
        try Sample.policy(
            """
            version: 1
            mode: \(mode)
            rules:
              - {name: evil, when: {to: "*.evil.example"}, then: block, reason: known to steal}
              - {name: partner, when: {to: partner.example, name-proof: proved}, then: relay}
              - {name: system, when: {class: os}, then: bypass}
              - {name: keys at home, when: {content: private-key, to: git.example}, then: report}
              - {name: keys, when: {content: secret/*}, then: block}
              - {name: rest, then: inspect}
            profiles: {p: {detect: "*", outbound: redact}}
            """)
    }

    @Test("A flow whose name could bring a block is deferred, and says so")
    func mayBlock() throws {
        let admission = try policy("enforce").admit(Sample.facts("203.0.113.7:443 class=vendor"))
        guard case .deferred(let deferral) = admission else {
            Issue.record("\(admission) is not deferred")
            return
        }
        #expect(deferral.mayBlock)
        #expect(deferral.awaits == [.claimed, .proved])
        #expect(deferral.candidates == [.relay, .block])
        #expect(deferral.atDeadline == deferral.otherwise)
        #expect(deferral.otherwise.rule == "rest")
        #expect(deferral.otherwise.profile == "p")
    }

    @Test("A resolver's word neither matches a rule nor settles the name")
    func resolved() throws {
        let policy = try policy("enforce")
        let facts = try Sample.facts("203.0.113.7:443 class=vendor resolved=www.evil.example")
        #expect(Sample.words(policy.admit(facts)) == "inspect?relay,block by rest")
        #expect(policy.refine(facts).rule == "rest")
    }

    @Test("Only the claimed name can still be proved, so other claims are decided at once")
    func proof() throws {
        let policy = try policy("enforce")
        #expect(try Sample.words(policy.admit(Sample.facts("partner.example:443"))) == "inspect?relay by rest")
        #expect(try Sample.words(policy.admit(Sample.facts("other.example:443"))) == "inspect by rest")
        var facts = try Sample.facts("partner.example:443")
        facts.learn(try #require(HostName("partner.example")), .proved)
        #expect(Sample.words(policy.admit(facts)) == "relay by partner")
    }

    @Test("Refinement never waits: a name that is not known is another name")
    func refine() throws {
        let policy = try policy("enforce")
        #expect(try policy.refine(Sample.facts("203.0.113.7:443 class=vendor")).rule == "rest")
        #expect(try policy.refine(Sample.facts("203.0.113.7:443 class=os")).lane == .bypass)
        #expect(try policy.refine(Sample.facts("203.0.113.7:443 claimed=a.evil.example")).lane == .block)
    }

    @Test("Nothing is deferred when every name leads to the same lane")
    func sameLane() throws {
        let policy = try Sample.policy(
            """
            version: 1
            mode: enforce
            rules: [{name: a, when: {to: a.example}, then: relay}, {name: rest, then: relay}]
            """)
        #expect(try Sample.words(policy.admit(Sample.facts("203.0.113.7:443"))) == "relay by rest")
    }

    @Test("A flow waits for every proof that a rule before the deciding one asks for")
    func strongest() throws {
        let policy = try Sample.policy(
            """
            version: 1
            mode: enforce
            rules:
              - {name: a, when: {to: a.example}, then: relay}
              - {name: b, when: {to: b.example, name-proof: proved}, then: relay}
              - {name: rest, then: block}
            """)
        guard case .deferred(let deferral) = try policy.admit(Sample.facts("203.0.113.7:443")) else {
            Issue.record("not deferred")
            return
        }
        #expect(deferral.awaits == [.claimed, .proved])
        #expect(deferral.candidates == [.relay])
        #expect(deferral.mayBlock)
    }

    @Test("Under observe a block counts as the relay it becomes")
    func observedBlock() throws {
        let admission = try policy("observe").admit(Sample.facts("203.0.113.7:443 class=vendor"))
        #expect(Sample.words(admission) == "inspect?relay by rest")
    }

    @Test("A reason names the rule, what it asked, and its own words")
    func reason() throws {
        let verdict = try policy("enforce").refine(Sample.facts("a.evil.example:443"))
        #expect(verdict.reason.description == "rule: rule 1 \"evil\" (to *.evil.example): known to steal")
        #expect(verdict.profile == nil)
    }

    @Test(
        "Each mode keeps what the rules would have done in the reason",
        arguments: [
            ("off", Lane.bypass, "mode-off: the mode is off: nothing is taken"),
            ("decide", .bypass, "mode-decide: would block by rule 1 \"evil\" (to *.evil.example): known to steal"),
            (
                "observe", .relay,
                "mode-observe: would block by rule 1 \"evil\" (to *.evil.example): known to steal; the mode observe refuses nothing"
            ),
        ])
    func modes(mode: String, lane: Lane, reason: String) throws {
        let verdict = try policy(mode).refine(Sample.facts("a.evil.example:443"))
        #expect(verdict.lane == lane)
        #expect(verdict.reason.description == reason)
    }

    @Test("Under decide a flow without a name says that its name could have changed the decision")
    func decideWithoutName() throws {
        let admission = try policy("decide").admit(Sample.facts("203.0.113.7:443 class=vendor"))
        #expect(
            admission.verdict.reason.detail
                == "would inspect by rule 6 \"rest\" (every flow), unless what is not known yet matches an earlier rule"
        )
        #expect(admission == .decided(admission.verdict))
    }

    @Test("Rules on content hold in their order, for the flows their other conditions match")
    func content() throws {
        let policy = try policy("enforce")
        let atHome = try policy.contentRules(for: Sample.facts("git.example:443"))
        #expect(atHome.map(\.name) == ["keys at home", "keys"])
        #expect(atHome.map(\.decision.action) == [.report, .block])
        let abroad = try policy.contentRules(for: Sample.facts("other.example:443"))
        #expect(abroad.map(\.name) == ["keys"])
        #expect(abroad.first?.detectors == ["aws-access-key", "github-token", "private-key"])
        #expect(abroad.first?.covers("private-key") == true)
        #expect(abroad.first?.covers("iban") == false)
        #expect(abroad.first?.reason.detail == "rule 5 \"keys\" (every flow)")
    }

    @Test("Rules on content report under observe, and there are none where nothing is read")
    func contentModes() throws {
        let facts = try Sample.facts("other.example:443")
        let observed = try policy("observe").contentRules(for: facts)
        #expect(observed.map(\.decision.action) == [.report])
        #expect(observed.first?.decision.restraint?.detail == "would block; the mode observe changes nothing")
        #expect(try policy("decide").contentRules(for: facts).isEmpty)
        #expect(try policy("off").contentRules(for: facts).isEmpty)
    }

    @Test("A rule on content alone does not cause inspection")
    func contentOnly() throws {
        let policy = try Sample.policy(
            "version: 1\nmode: enforce\nrules: [{name: keys, when: {content: private-key}, then: block}]\n")
        #expect(try Sample.words(policy.admit(Sample.facts("a.example:443"))) == "bypass by no-rule")
    }
}
