// SPDX-License-Identifier: Apache-2.0

// The policies that ship.

import FlowModel
import FlowPolicy
import Testing

@Suite("Presets")
struct PresetsTests {
    @Test(
        "Every preset leaves alone what must be, and inspects the rest, of programs that were not asked for too",
        arguments: Policy.presetNames,
        [
            ("a.example:443 class=platform-interactive", "inspect"), ("a.example:443 class=vendor", "inspect"),
            ("a.example:443 class=third-party", "inspect"), ("a.example:443 class=unsigned", "inspect"),
            ("a.example:443 cause=not-asked", "inspect"), ("a.example:443 cause=unresolved", "inspect"),
            ("a.example:443 cause=contradictory", "inspect"), ("a.example:443 cause=exited", "inspect"),
            ("203.0.113.7:22 cause=not-asked", "inspect"),
            ("a.example:443 class=os", "bypass"), ("bank.example:443 class=os", "bypass"),
            ("a.example:443 class=user-carrying-pinned", "relay"), ("www.bank.example:443 class=unsigned", "relay"),
            ("bank.example:443 cause=not-asked", "relay"),
            ("203.0.113.7:443 cause=not-asked claimed=bank.example", "relay"),
            ("a.example:443 cause=no-token", "bypass"), ("a.example:443 cause=platform-unresolved", "bypass"),
        ])
    func flows(name: String, flow: (facts: String, lane: String)) throws {
        let policy = try #require(Policy.preset(name, Sample.environment))
        let verdict = try policy.admit(Sample.facts(flow.facts)).verdict
        #expect(verdict.lane.rawValue == flow.lane, "\(flow.facts): \(verdict.reason)")
        #expect(policy.holds == [.exited, .thirdPartyPending])
    }

    @Test("A preset is an ordinary document, and reads with the catalogues that ship", arguments: Policy.presetNames)
    func ordinary(name: String) throws {
        let policy = try #require(Policy.preset(name, PolicyEnvironment(detectors: Sample.detectors)))
        let text = try #require(Policy.presetText(name))
        #expect(try Sample.policy(text).digest == policy.digest)
        #expect(policy.files == ["preset \(name)"])
    }

    @Test("The default reports, with every detector")
    func report() throws {
        #expect(Policy.presetNames.first == "report")
        let policy = try #require(Policy.preset("report", PolicyEnvironment(detectors: Sample.detectors)))
        let profile = try #require(policy.profile("report"))
        #expect(policy.mode == .observe)
        #expect(profile.detect == Sample.detectors.map(\.id).sorted())
        #expect(profile.strictest(.outbound) == .report)
        #expect(profile.strictest(.inbound) == .report)
    }

    @Test("The redacting one masks what leaves, reports what comes, and refuses private keys")
    func redact() throws {
        let policy = try #require(Policy.preset("redact", PolicyEnvironment(detectors: Sample.detectors)))
        let profile = try #require(policy.profile("strict"))
        #expect(policy.mode == .enforce)
        let actions = profile.detect.map { "\($0) \(profile.decision(on: $0, .outbound).action.rawValue)" }
        #expect(
            actions == [
                "aws-access-key redact", "email report", "github-token redact", "iban redact", "payment-card redact",
                "private-key redact",
            ])
        #expect(profile.strictest(.inbound) == .report)
        let content = try policy.contentRules(for: Sample.facts("a.example:443"))
        #expect(content.map(\.name) == ["no private keys to anybody"])
        #expect(content.map(\.decision.action) == [.block])
    }

    @Test("There is no preset of another name, and none without the detectors it names")
    func missing() {
        #expect(Policy.preset("strict", PolicyEnvironment(detectors: Sample.detectors)) == nil)
        #expect(Policy.presetText("strict") == nil)
        #expect(
            Policy.preset("redact", PolicyEnvironment(detectors: [DetectorName(id: "iban", family: "iban")])) == nil)
    }
}
