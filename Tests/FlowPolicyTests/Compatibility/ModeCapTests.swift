// SPDX-License-Identifier: Apache-2.0

// A policy under a cap does what the same document with a lower mode does, and says why.

import FlowModel
import FlowPolicy
import Testing

@Suite struct ModeCapTests {
    private static func document(_ mode: String) -> String {
        """
        version: 1
        mode: \(mode)
        unknown: {exited: block}
        rules:
          - {name: system, when: {class: os}, then: bypass}
          - {name: far, when: {to: far.example}, then: relay}
          - {name: bad, when: {to: bad.example}, then: block}
          - {name: keys, when: {content: private-key}, then: block}
          - {name: rest, when: {class: [third-party, unsigned]}, then: inspect}
        profiles:
          strict: {detect: [iban, email], outbound: redact, uneditable: block, other: block}
        """
    }

    private static let flows = [
        "a.example:443 class=os", "far.example:443 class=unsigned", "bad.example:443 class=unsigned",
        "a.example:443 class=third-party", "a.example:443 cause=exited", "a.example:443 class=vendor",
        "192.0.2.1:443 class=unsigned",
    ]

    private static func policy(_ mode: String, under cap: ModeCap?) throws -> Policy {
        try Policy.read(
            yaml: document(mode), file: "test.yaml", PolicyEnvironment(detectors: Sample.detectors, modeCap: cap))
    }

    @Test(
        "Lanes, profiles and decisions are those of the lower mode", arguments: Policy.Mode.allCases,
        Policy.Mode.allCases)
    func agrees(mode: Policy.Mode, cap: Policy.Mode) throws {
        let capped = try Self.policy(mode.rawValue, under: ModeCap(cap, because: "of a test"))
        let order = Policy.Mode.allCases
        let lower = try #require(order.first { $0 == mode || $0 == cap })
        let plain = try Self.policy(lower.rawValue, under: nil)
        #expect(capped.mode == lower)
        #expect((capped.modeCap != nil) == (lower != mode))
        for flow in Self.flows {
            let facts = try Sample.facts(flow)
            let (mine, theirs) = (capped.admit(facts), plain.admit(facts))
            #expect(mine.verdict.lane == theirs.verdict.lane, "\(flow)")
            #expect(mine.verdict.profile == theirs.verdict.profile, "\(flow)")
            #expect(capped.refine(facts).lane == plain.refine(facts).lane, "\(flow)")
            #expect(
                capped.contentRules(for: facts).map(\.decision.action)
                    == plain.contentRules(for: facts).map(\.decision.action), "\(flow)")
        }
        let (mine, theirs) = (try #require(capped.profile("strict")), try #require(plain.profile("strict")))
        #expect(mine.outbound.mapValues(\.action) == theirs.outbound.mapValues(\.action))
        #expect(mine.inbound.mapValues(\.action) == theirs.inbound.mapValues(\.action))
        #expect(mine.uneditable == theirs.uneditable)
        #expect(mine.onFailure == theirs.onFailure)
        #expect([mine.nonHTTP] == [theirs.nonHTTP])
        #expect(mine.quic == theirs.quic)
        #expect(mine.ech == theirs.ech)
        #expect(mine.privateRelay == theirs.privateRelay)
    }

    @Test("Every verdict that the cap changes says so, with the rule that was held back")
    func reasons() throws {
        let policy = try Self.policy("enforce", under: ModeCap(.decide, because: "the system is new"))
        let bad = policy.admit(try Sample.facts("bad.example:443 class=unsigned")).verdict
        #expect(bad.lane == .bypass)
        #expect(bad.rule == "bad")
        #expect(bad.reason.code == "mode-capped")
        #expect(bad.reason.detail.hasPrefix("would block (rule 3 \"bad\""))
        #expect(bad.reason.detail.hasSuffix("the mode is held to decide, because the system is new"))
        let rest = policy.admit(try Sample.facts("192.0.2.1:443 class=third-party")).verdict
        #expect(rest.reason.code == "mode-capped")
        #expect(rest.profile == nil)
        #expect(policy.admit(try Sample.facts("a.example:443 cause=exited")).verdict.reason.code == "mode-capped")
        // What is left alone anyway is not left alone because of the cap.
        #expect(policy.admit(try Sample.facts("a.example:443 class=os")).verdict.reason.code == "rule")
        #expect(policy.admit(try Sample.facts("a.example:443 class=vendor")).verdict.reason.code == "no-rule")

        let observed = try Self.policy("enforce", under: ModeCap(.observe, because: "the system is new"))
        let facts = try Sample.facts("a.example:443 class=third-party")
        #expect(observed.contentRules(for: facts).first?.decision.restraint?.code == "mode-capped")
        #expect(observed.profile("strict")?.decision(on: "iban", .outbound).restraint?.code == "mode-capped")
        #expect(observed.admit(facts).verdict.reason.code == "rule")

        let off = try Self.policy("decide", under: ModeCap(.off, because: "the kernel stops"))
        for flow in Self.flows {
            let reason = off.admit(try Sample.facts(flow)).verdict.reason
            #expect(reason.code == "mode-capped", "\(flow)")
            #expect(reason.detail.contains("the kernel stops"), "\(flow)")
        }
    }

    @Test("A held-back policy keeps its digest and its own mode's words for what was held back before")
    func composed() throws {
        let cap = ModeCap(.decide, because: "the system is new")
        #expect(try Self.policy("observe", under: cap).digest == Self.policy("observe", under: nil).digest)
        let detail = try Self.policy("observe", under: cap).admit(Sample.facts("bad.example:443 class=unsigned"))
            .verdict.reason.detail
        #expect(detail.contains("would relay (would block by rule 3"))
    }

    @Test("Of some caps the lowest holds, of equal ones the first")
    func lowest() {
        let (one, two) = (ModeCap(.decide, because: "one"), ModeCap(.decide, because: "two"))
        #expect(ModeCap.lowest([ModeCap(.observe, because: "three"), one, two]) == one)
        #expect(ModeCap.lowest([one, ModeCap(.off, because: "four")])?.mode == .off)
        #expect(ModeCap.lowest([]) == nil)
    }
}
