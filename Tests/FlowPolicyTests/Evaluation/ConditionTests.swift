// SPDX-License-Identifier: Apache-2.0

// The logic of conditions: yes, no, not known, may still be learnt.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Conditions")
struct ConditionTests {
    private static let truths: [Truth] = [.yes, .no, .unknown, .waits(.claimed), .waits(.proved)]

    @Test("What is false outweighs what waits, which outweighs what is not known")
    func and() {
        for a in Self.truths {
            #expect(a.and(.yes) == a)
            #expect(a.and(.no) == .no)
            for b in Self.truths { #expect(a.and(b) == b.and(a)) }
        }
        #expect(Truth.waits(.claimed).and(.unknown) == .waits(.claimed))
        #expect(Truth.waits(.claimed).and(.waits(.proved)) == .waits([.claimed, .proved]))
        #expect(Truth.unknown.and(.unknown) == .unknown)
    }

    @Test("The opposite of what is not known is not known")
    func not() {
        #expect(Self.truths.map(\.negated) == [.no, .yes, .unknown, .waits(.claimed), .waits(.proved)])
    }

    @Test("Any holds when one holds, and fails only when all fail")
    func any() throws {
        let facts = try Sample.facts("203.0.113.7:443 cause=exited")
        let yes = Condition.port([443...443])
        let no = Condition.port([80...80])
        let unknown = Condition.codeClass([.os])
        func truth(_ conditions: [Condition]) -> Truth { Condition.any(conditions).truth(facts, .early) }
        #expect(truth([no, unknown, yes]) == .yes)
        #expect(truth([no, unknown]) == .unknown)
        #expect(truth([no, no]) == .no)
        #expect(Condition.all([yes, unknown]).truth(facts, .early) == .unknown)
        #expect(Condition.all([no, unknown]).truth(facts, .early) == .no)
        #expect(Condition.not(unknown).truth(facts, .early) == .unknown)
    }

    @Test("The address behind a name is not known, whichever way a rule asks")
    func addressOfName() throws {
        let facts = try Sample.facts("a.example:443")
        let local = Condition.address([try #require(IPPrefix("10.0.0.0/8"))])
        #expect(local.truth(facts, .final) == .unknown)
        #expect(Condition.not(local).truth(facts, .final) == .unknown)
    }

    @Test("A rule that an unknown fact settles does not wait for a name")
    func settled() throws {
        let yaml = """
            version: 1
            mode: enforce
            rules:
              - {name: a, when: {class: os, to: a.example}, then: relay}
              - {name: rest, then: block}
            """
        let policy = try Sample.policy(yaml)
        #expect(try Sample.words(policy.admit(Sample.facts("203.0.113.7:443 cause=exited"))) == "block by rest")
        #expect(try Sample.words(policy.admit(Sample.facts("203.0.113.7:443 class=os"))) == "block?relay by rest")
    }

    @Test(
        "A star in a path stands for any run of characters, slashes included",
        arguments: [
            ("/usr/bin/curl", "/usr/bin/curl", true), ("/usr/bin/curl", "/usr/bin/curl2", false),
            ("/usr/bin/curl", "/usr/bin/cur", false), ("*/curl", "/usr/bin/curl", true), ("*/curl", "curl", false),
            ("/opt/*", "/opt/a/b", true), ("/opt/*", "/opt/", true), ("/opt/*", "/opt", false), ("*", "", true),
            ("*", "/x", true), ("/a*b*c", "/aXbYbZc", true), ("/a*b*c", "/aXbYbZ", false), ("/a**c", "/ac", true),
            ("*aab", "aaaaaab", true), ("/é*", "/éa", true), ("", "", true), ("", "x", false),
        ])
    func pattern(text: String, path: String, matches: Bool) {
        #expect(ExecutablePattern(text: text).matches(path) == matches)
    }
}
