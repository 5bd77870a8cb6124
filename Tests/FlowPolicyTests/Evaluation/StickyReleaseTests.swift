// SPDX-License-Identifier: Apache-2.0

// Whether a socket may be let go for good.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Sticky release")
struct StickyReleaseTests {
    private func releases(
        _ rules: [Rule], _ facts: String = "192.0.2.1:9 class=vendor", mode: Policy.Mode = .enforce,
        change: (inout PolicyParts) -> Void = { _ in }
    ) throws -> Bool {
        var parts = PolicyParts(mode: mode, stamp: 1)
        parts.rules = rules
        change(&parts)
        return try Policy(parts)
            .leavesAlone(everythingLike: Sample.facts("\(facts) transport=udp intake=network-extension"))
    }

    @Test("A program that every rule leaves alone is let go, and one that some rule reads or refuses is not")
    func lanes() throws {
        for lane in Lane.allCases {
            #expect(try releases([.sample(1, [], lane)]) == (lane == .bypass || lane == .relay))
        }
        #expect(try releases([]))
    }

    @Test("What depends on destination, interface, protocol or time may go either way, and so counts")
    func anywhere() throws {
        let dependent: [Condition] = [
            .port([443...443]), .address([]), .to(Destination(), .claimed), .interface([.wifi]),
            .applicationProtocol(["tls"]), .not(.port([443...443])), .any([.port([1...1]), .transport([.tcp])]),
        ]
        for condition in dependent {
            #expect(try !releases([.sample(1, [condition], .block), .sample(2, [], .bypass)]))
            // A rule that holds here and there hides none of those after it.
            #expect(try !releases([.sample(1, [condition], .bypass), .sample(2, [], .block)]))
        }
    }

    @Test("A rule that certainly holds ends the question, and one that never can is no part of it")
    func certain() throws {
        let (certain, never) = ([Condition.codeClass([.vendor])], [Condition.codeClass([.os])])
        #expect(try releases([.sample(1, certain, .relay), .sample(2, [], .block)]))
        #expect(try releases([.sample(1, never + [.port([1...9])], .block), .sample(2, [], .relay)]))
        #expect(try releases([.sample(1, [.transport([.tcp])], .block), .sample(2, [], .relay)]))
        #expect(try releases([.sample(1, [.session([.console])], .block), .sample(2, [], .relay)]))
    }

    @Test("The modes that take nothing let everything go, and `observe` what it would not read")
    func modes() throws {
        for mode in [Policy.Mode.off, .decide] { #expect(try releases([.sample(1, [], .block)], mode: mode)) }
        #expect(try releases([.sample(1, [], .block, mode: .observe)], mode: .observe))
        #expect(try !releases([.sample(1, [], .inspect, mode: .observe)], mode: .observe))
    }

    @Test("A cause of not knowing decides in the place of the catch-all, and one that is held may become anything")
    func unknown() throws {
        let facts = "192.0.2.1:9 cause=exited"
        let rules = [Rule.sample(1, [.codeClass([.vendor])], .block), .sample(2, [], .inspect)]
        #expect(
            try releases(rules, facts) {
                $0.unknown[.exited] = (.bypass, Verdict(.bypass, reason: Reason("unknown-identity", "exited")))
            })
        #expect(try !releases(rules, facts))
        #expect(try !releases([rules[0], .sample(2, [], .bypass)], facts) { $0.holds = [.exited] })
        #expect(try releases([rules[0], .sample(2, [], .bypass)], facts))
    }

    @Test("Where queries of programs are refused, only the system's may be let go")
    func queries() throws {
        let block: (inout PolicyParts) -> Void = { $0.settings.dns = .block }
        #expect(try !releases([], change: block))
        #expect(try releases([], "192.0.2.1:9 class=os", change: block))
        #expect(try releases([]) { $0.settings.dns = .report })
    }

    @Test("Nothing is held for an identity that is final")
    func final() throws {
        var parts = PolicyParts(mode: .enforce, stamp: 1)
        parts.rules = [.sample(1, [.codeClass([.os])], .bypass), .sample(2, [], .block)]
        parts.holds = [.exited]
        let policy = Policy(parts)
        let facts = try Sample.facts("a.example:1 cause=exited")
        guard case .deferred = policy.admit(facts) else {
            Issue.record("not deferred")
            return
        }
        #expect(policy.admit(facts, identityIsFinal: true) == .decided(policy.refine(facts)))
    }
}
