// SPDX-License-Identifier: Apache-2.0

// What comes before the rules, what is waited for, and what contradicts itself.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Admission")
struct AdmissionTests {
    private func policy(_ change: (inout PolicyParts) -> Void) -> Policy {
        var parts = PolicyParts(mode: .enforce, stamp: 1)
        parts.rules = [.sample(1, [.codeClass([.os])], .bypass), .sample(2, [], .block)]
        change(&parts)
        return Policy(parts)
    }

    private func held(_ outcome: PolicySettings.Deadline.Outcome) -> Policy {
        policy { parts in
            parts.holds = [.exited]
            parts.settings.deadline = .init(milliseconds: 5_000, outcome: outcome)
        }
    }

    @Test("A held flow waits for its program when a rule asks for the class, and says for how long")
    func hold() throws {
        guard case .deferred(let deferral) = try held(.missing).admit(Sample.facts("a.example:1 cause=exited")) else {
            Issue.record("not deferred")
            return
        }
        #expect(deferral.awaits == .identity)
        #expect(deferral.candidates == [.bypass])
        #expect(deferral.otherwise.rule == "r2")
        #expect(deferral.atDeadline == deferral.otherwise)
        #expect(deferral.within == 5_000)
        #expect(try held(.missing).admit(Sample.facts("a.example:1 cause=unresolved")).verdict.rule == "r2")
        #expect(try held(.missing).refine(Sample.facts("a.example:1 cause=exited")).rule == "r2")
    }

    @Test("The deadline brings what the policy says")
    func deadline() throws {
        for (outcome, lane) in [(PolicySettings.Deadline.Outcome.relay, Lane.relay), (.block, .block)] {
            guard case .deferred(let deferral) = try held(outcome).admit(Sample.facts("a.example:1 cause=exited"))
            else {
                Issue.record("not deferred")
                return
            }
            #expect(deferral.atDeadline.lane == lane)
            #expect(deferral.atDeadline.reason.code == "deadline")
        }
    }

    @Test("A held flow that every program would send the same way is decided at once")
    func holdForNothing() throws {
        let policy = policy { parts in
            parts.holds = [.exited]
            parts.rules = [.sample(1, [], .relay)]
        }
        let facts = try Sample.facts("a.example:1 cause=exited")
        #expect(policy.admit(facts) == .decided(policy.refine(facts)))
    }

    @Test("Code that nobody vouches for and that has a proved name contradicts itself")
    func contradiction() throws {
        let policy = policy { parts in
            parts.unknown[.contradictory] = (
                .relay, Verdict(.relay, reason: Reason("unknown-identity", "contradictory"))
            )
        }
        var facts = try Sample.facts("a.example:1 class=unsigned")
        #expect(policy.refine(facts).lane == .block)
        facts.identity.neverRow = "programs/x"
        #expect(policy.refine(facts).reason.code == "unknown-identity")
        facts.identity.neverRow = nil
        facts.identity.provedName = "package x"
        #expect(policy.admit(facts).verdict.reason.code == "unknown-identity")
        #expect(policy.explain(facts).steps.first?.kind == .identity)
    }

    @Test("A program of the never set is left alone unless the policy takes its row out by name")
    func never() throws {
        var facts = try Sample.facts("a.example:1 class=third-party")
        facts.identity.neverRow = "programs/x"
        #expect(policy { _ in }.refine(facts).reason.code == "never")
        #expect(policy { $0.settings.inspectedNeverRows = ["programs/x"] }.refine(facts).lane == .block)
    }

    @Test("Exclusions come before everything, DNS before the rules")
    func order() throws {
        let exclusion = Exclusion(
            row: "core-protocols/x", tier: .default, transports: [.udp], ports: [53...53], scope: .open, reason: "x",
            consequence: "")
        let dns = policy { $0.settings.dns = .block }
        #expect(try dns.refine(Sample.facts("192.0.2.1:53 class=vendor")).reason.code == "dns")
        #expect(try dns.refine(Sample.facts("192.0.2.1:53 class=vendor")).lane == .block)
        #expect(try dns.refine(Sample.facts("192.0.2.1:53 class=os")).lane == .bypass)
        #expect(try dns.refine(Sample.facts("192.0.2.1:53 cause=exited")).lane == .bypass)
        let excluding = policy {
            $0.settings.dns = .block
            $0.exclusions = [exclusion]
        }
        #expect(try excluding.refine(Sample.facts("192.0.2.1:53 class=vendor transport=udp")).reason.code == "excluded")
        #expect(try excluding.refine(Sample.facts("192.0.2.1:53 class=vendor")).reason.code == "dns")
    }

    @Test("A rule that only records decides nothing, and the explanation says what it would do")
    func would() throws {
        let policy = policy { $0.rules.insert(.sample(9, [], .relay, mode: .decide), at: 0) }
        let explanation = try policy.explain(Sample.facts("a.example:1 class=vendor"))
        #expect(explanation.admission.verdict.rule == "r2")
        #expect(explanation.steps.map(\.outcome) == [.would, .noMatch, .match])
        #expect(explanation.steps.first?.detail == "would relay, in mode decide: every flow")
    }

    @Test("Only a UDP socket that macOS hands over is released for good")
    func sticky() throws {
        #expect(try Sample.facts("a.example:1 transport=udp intake=network-extension").isReleaseSticky)
        #expect(try !Sample.facts("a.example:1 transport=udp").isReleaseSticky)
        #expect(try !Sample.facts("a.example:1 intake=network-extension").isReleaseSticky)
    }

    @Test("Nothing hostile in a name makes the short form longer than a line of 200 characters")
    func short() throws {
        var facts = try Sample.facts("a.example:1 class=vendor")
        facts.identity.provedName = String(repeating: "x\n\u{202e}", count: 300)
        let short = policy { _ in }.refine(facts).short(facts)
        #expect(short.count <= 200)
        #expect(!short.unicodeScalars.contains { $0 == "\n" || $0 == "\u{202e}" })
        #expect(short.hasPrefix("block: rule: rule 2; vendor, proved x"))
        #expect(short.hasSuffix("; tcp to a.example:1"))
    }
}
