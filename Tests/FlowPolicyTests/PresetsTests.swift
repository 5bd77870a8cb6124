// SPDX-License-Identifier: Apache-2.0

// The policies that ship.

import FlowModel
import FlowPolicy
import Testing

@Suite("Presets")
struct PresetsTests {
    @Test("Every preset is read, and decides every flow by a rule", arguments: Policy.presetNames)
    func read(name: String) throws {
        let policy = try #require(Policy.preset(name, PolicyEnvironment(detectors: Sample.detectors)))
        for flow in ["a.example:443 class=os", "203.0.113.7:22 cause=exited transport=udp", "[::1]:1 cause=not-asked"] {
            let admission = try policy.admit(Sample.facts(flow))
            #expect(admission == .decided(admission.verdict))
            #expect(admission.verdict.lane == .inspect)
            #expect(admission.verdict.rule != nil)
        }
        let text = try #require(Policy.presetText(name))
        #expect(try Sample.policy(text).digest == policy.digest)
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
