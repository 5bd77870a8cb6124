// SPDX-License-Identifier: Apache-2.0

// From described facts to classes and requirements.

import CodeIdentity
import FlowModel
import FlowPolicy
import Testing

@Suite struct ProofFactsTests {
    /// The class by `Policy.judge`, or why none is known.
    static func codeClass(_ identity: String) throws -> String {
        let policy = try Sample.policy("version: 1\nrules: [{name: all, then: relay}]")
        switch try Described.program(identity).facts(for: policy).identity.codeClass {
        case .known(let known): return known.rawValue
        case .unknown(let cause): return cause.rawValue
        }
    }

    static func meets(_ identity: String, _ requirement: String) throws -> Bool {
        let compiled = try CompiledRequirement(try Requirement(text: requirement).expression)
        return try #require(try Described.program(identity).evidence).satisfies(compiled)
    }

    @Test(
        "The class follows from what is proved, as for a real program",
        arguments: [
            ("{platform: true, identifier: com.apple.apsd, in-inventory: true}", "os"),
            ("{platform: true, identifier: com.apple.curl, in-inventory: false}", "platform-interactive"),
            ("{platform: true, identifier: com.apple.curl}", "platform-unresolved"),
            ("{team: AB12CD34EF, identifier: com.example.app}", "third-party"),
            ("{anchor: apple, identifier: com.apple.dt.Xcode}", "third-party"),
            ("{signer: other, identifier: com.apple.trustd, in-inventory: true}", "third-party"),
            ("{adhoc: true, identifier: com.apple.trustd, in-inventory: true}", "unsigned"),
            ("{unsigned: true, identifier: com.apple.trustd, in-inventory: true}", "unsigned"),
            ("{package: tool, path: /usr/sbin/toold, unit: toold.service}", "os"),
            ("{package: tool, path: /usr/sbin/toold}", "platform-interactive"),
            (
                "{package: tool, path: /usr/sbin/toold, unit: toold.service, injection: [traced]}",
                "platform-interactive"
            ),
            (
                "{package: tool, path: /usr/sbin/toold, unit: toold.service, interpreter: true}",
                "platform-interactive"
            ),
            ("{package: tool, path: /usr/sbin/toold, unit: toold.service, root-owned: false}", "unsigned"),
            ("{package: tool, path: /usr/sbin/toold, unit: toold.service, intact: false}", "unsigned"),
            ("{package: tool, path: /opt/tool/toold, unit: toold.service}", "third-party"),
            ("{path: /usr/sbin/toold, unit: toold.service}", "unsigned"),
            ("{package: bash, path: /usr/bin/bash, unit: toold.service}", "platform-interactive"),
        ])
    func classes(identity: String, expected: String) throws { #expect(try Self.codeClass(identity) == expected) }

    @Test(
        "Requirements are evaluated, not guessed",
        arguments: [
            ("{platform: true, identifier: com.apple.apsd}", "anchor apple and identifier \"com.apple.apsd\"", true),
            ("{platform: true, identifier: com.apple.apsd}", "identifier \"com.apple.trustd\"", false),
            (
                "{team: AB12CD34EF, identifier: a.b}",
                "anchor apple generic and certificate leaf[subject.OU] = \"AB12CD34EF\"", true
            ),
            ("{team: AB12CD34EF, identifier: a.b}", AppleRequirements.team, true),
            ("{team: AB12CD34EF, identifier: a.b}", "certificate leaf[subject.OU] = \"XX12CD34EF\"", false),
            ("{team: AB12CD34EF, identifier: a.b}", "anchor apple", false),
            ("{team: AB12CD34EF, signer: app-store, identifier: a.b}", AppleRequirements.team, true),
            ("{team: AB12CD34EF, signer: development, identifier: a.b}", AppleRequirements.team, true),
            ("{team: AB12CD34EF, identifier: a.b, notarized: true}", "notarized", true),
            ("{team: AB12CD34EF, identifier: a.b, notarized: false}", "notarized", false),
            ("{anchor: apple, identifier: com.apple.dt.Xcode}", "anchor apple", true),
            ("{signer: other, identifier: com.apple.trustd}", "anchor apple generic", false),
            ("{signer: other, identifier: com.apple.trustd}", "identifier \"com.apple.trustd\"", true),
            ("{adhoc: true, identifier: com.apple.trustd}", "anchor apple", false),
            ("{adhoc: true, identifier: com.apple.trustd}", "identifier \"com.apple.trustd\"", true),
            ("{unsigned: true, identifier: com.apple.trustd}", "identifier \"com.apple.trustd\"", false),
            ("{unsigned: true}", "! anchor apple", false),
            // Nothing made up here passes for a real certificate.
            ("{team: AB12CD34EF, identifier: a.b}", "anchor = H\"0000000000000000000000000000000000000000\"", false),
            ("{package: curl, path: /usr/bin/curl}", "package \"curl\"", true),
            ("{package: curl, path: /usr/bin/curl, intact: false}", "package \"curl\"", false),
            ("{package: curl, path: /usr/bin/curl}", "anchor os", false),
            ("{package: tool, path: /usr/sbin/toold, unit: a.service}", "anchor os and unit \"a.service\"", true),
            ("{package: tool, path: /usr/sbin/toold}", "unit \"a.service\"", false),
            ("{package: tool, path: /usr/sbin/toold, root-owned: false}", "path \"/usr/sbin/toold\"", false),
            ("{package: python3.11-minimal, path: /usr/bin/python3.11}", "interpreter", true),
            ("{package: curl, path: /usr/bin/curl}", "anchor apple", false),
        ])
    func requirements(identity: String, requirement: String, expected: Bool) throws {
        #expect(try Self.meets(identity, requirement) == expected)
    }

    @Test("A name is proved only by what proves it")
    func names() throws {
        let name = { (identity: String) in try Described.program(identity).evidence?.name }
        #expect(
            try name("{platform: true, identifier: com.apple.curl}") == .apple(.platform(identifier: "com.apple.curl")))
        #expect(try name("{team: AB12CD34EF, identifier: a.b}") == .apple(.team("AB12CD34EF", identifier: "a.b")))
        #expect(try name("{anchor: apple, identifier: a.b}") == .apple(.apple(identifier: "a.b")))
        #expect(try name("{signer: other, identifier: a.b}") == nil)
        #expect(try name("{adhoc: true, identifier: a.b}") == nil)
        #expect(
            try name("{package: curl, path: /usr/bin/curl}") == .linux(package: "curl", path: "/usr/bin/curl"))
        #expect(try name("{package: curl, path: /usr/bin/curl, intact: false}") == nil)
    }

    @Test(
        "A description that contradicts itself is a program that nobody knows, and says why",
        arguments: [
            "{unsigned: true, team: AB12CD34EF}", "{unsigned: true, adhoc: true}", "{unsigned: true, platform: true}",
            "{unsigned: true, anchor: apple}", "{unsigned: true, notarized: true}", "{adhoc: true, anchor: apple}",
            "{adhoc: true, team: AB12CD34EF}", "{platform: true, team: AB12CD34EF}",
            "{anchor: apple, team: AB12CD34EF}", "{team: AB12CD34EF, signer: other}",
            "{class: os, unknown: exited}", "{class: os, adhoc: true}", "{unknown: exited, package: curl}",
            "{platform: true, package: curl}", "{system: linux, adhoc: true}", "{system: macos, package: curl}",
            "{path: /usr/bin/curl, intact: true}",
        ])
    func contradictions(identity: String) throws {
        let flow = try Described.program(identity)
        #expect(flow.facts.identity.codeClass == .unknown(.contradictory))
        #expect(flow.evidence == nil)
        #expect(flow.notes.count == 1 && flow.notes.allSatisfy { $0.contains("contradicts itself") })
    }

    @Test("A system alone, or a Linux program without a file, proves nothing: unresolved, and never let out silently")
    func missing() throws {
        for identity in ["{system: macos}", "{system: linux}", "{identifier: com.apple.trustd}", "{package: curl}"] {
            let flow = try Described.program(identity)
            #expect(flow.facts.identity.codeClass == .unknown(.unresolved))
            #expect(flow.notes.count == 1)
        }
    }
}
