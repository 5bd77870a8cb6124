// SPDX-License-Identifier: Apache-2.0

// Profiles: which action is a detector's, and what the mode leaves of it.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Profiles")
struct ProfileTests {
    private func profile(_ body: String, mode: String = "enforce") throws -> Profile {
        let policy = try Sample.policy(
            "version: 1\nmode: \(mode)\nrules: [{name: a, then: inspect}]\nprofiles:\n  p: {\(body)}\n")
        return try #require(policy.profile("p"))
    }

    private func outbound(_ profile: Profile) -> [String] {
        profile.detect.map { "\($0) \(profile.decision(on: $0, .outbound).action.rawValue)" }
    }

    @Test("One word is for every detector, save that mail addresses are reported")
    func word() throws {
        let profile = try profile("detect: [iban, email], outbound: redact")
        #expect(outbound(profile) == ["email report", "iban redact"])
        #expect(profile.decision(on: "iban", .inbound).action == .report)
    }

    @Test("Mail addresses are edited when they are named exactly, and not by a star, a family or the default")
    func email() throws {
        try #expect(outbound(profile("detect: [email], outbound: {email: redact}")) == ["email redact"])
        for wide in ["\"*\"", "email/*", "default"] {
            try #expect(outbound(profile("detect: [email], outbound: {\(wide): redact}")) == ["email report"])
        }
    }

    @Test("The closest pattern wins, wherever it stands")
    func closest() throws {
        let body = "detect: \"*\", outbound: {private-key: block, \"*\": report, secret/*: redact, default: block}"
        try #expect(
            outbound(profile(body)) == [
                "aws-access-key redact", "email report", "github-token redact", "iban report", "payment-card report",
                "private-key block",
            ])
    }

    @Test("What a profile leaves out is cautious before takeover and closed after it")
    func defaults() throws {
        let profile = try profile("detect: iban")
        #expect(outbound(profile) == ["iban report"])
        #expect(profile.uneditable == .report)
        #expect(profile.onFailure == .init(beforeTakeover: .relay, afterTakeover: .block))
        #expect(profile.nonHTTP == .relay)
        #expect(profile.strictest(.outbound) == .report)
    }

    @Test("Under observe everything is reported and nothing refused, and the wish is kept")
    func observe() throws {
        let body =
            "detect: [iban], outbound: redact, inbound: block, uneditable: block, other: block, on_failure: {before_takeover: block}"
        let written = try profile(body)
        #expect(written.strictest(.outbound) == .redact)
        #expect(written.strictest(.inbound) == .block)
        #expect(written.onFailure == .init(beforeTakeover: .block, afterTakeover: .block))
        #expect(written.uneditable == .block)
        #expect(written.nonHTTP == .block)
        let observed = try profile(body, mode: "observe")
        #expect(observed.strictest(.outbound) == .report)
        #expect(observed.strictest(.inbound) == .report)
        #expect(observed.onFailure == .init(beforeTakeover: .relay, afterTakeover: .relay))
        #expect(observed.uneditable == .report)
        #expect(observed.nonHTTP == .relay)
        #expect(
            observed.decision(on: "iban", .outbound).restraint
                == Reason("mode-observe", "would redact; the mode observe changes nothing"))
    }

    @Test("A rule on content adds its detectors to those of the profile")
    func union() throws {
        let policy = try Sample.policy(
            """
            version: 1
            rules: [{name: k, when: {content: private-key}, then: block}, {name: rest, then: inspect}]
            profiles: {p: {detect: [iban]}}
            """)
        let profile = try #require(policy.profile("p"))
        let rules = try policy.contentRules(for: Sample.facts("a.example:443"))
        #expect(profile.detectors(with: rules) == ["iban", "private-key"])
        #expect(profile.detectors(with: []) == ["iban"])
    }

    @Test("A detector that the profile does not run is reported")
    func stranger() throws {
        try #expect(profile("detect: iban, outbound: block").decision(on: "email", .outbound).action == .report)
    }
}
