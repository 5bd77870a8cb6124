// SPDX-License-Identifier: Apache-2.0

// What is weak about a requirement.

import Testing

@testable import CodeIdentity

@Suite("Requirement weakness") struct RequirementWeaknessTests {
    private func weaknesses(_ text: String) throws -> [RequirementWeakness] {
        RequirementWeakness.all(of: try Requirement(text: text).expression)
    }

    @Test(
        "A requirement that names its code by proof has no weakness",
        arguments: [
            "anchor apple", "cdhash H\"87926bea2855c359a3d63d76c6606e710eae1316\"", "never",
            "anchor apple generic and certificate leaf[subject.OU] = AB12CD34EF and identifier \"com.example.x\"",
            "anchor apple generic and certificate leaf[field.1.2.840.113635.100.6.1.9] exists",
            "package curl and path \"/usr/bin/curl\"", "anchor os and ! interpreter",
            "anchor apple and (identifier a or identifier b)", "! (never or ! anchor apple)",
        ])
    func sound(_ text: String) throws { #expect(try weaknesses(text).isEmpty) }

    @Test(
        "A name alone proves nothing, and one such way among others is found",
        arguments: [
            ("identifier \"com.apple.curl\"", "identifier \"com.apple.curl\""),
            ("anchor apple or identifier x", "identifier x"),
            (
                "certificate leaf[subject.CN] = \"Developer ID Application: \"*",
                "certificate leaf[subject.CN] = \"Developer ID Application: \"*"
            ),
            (
                "(anchor apple or info[a] exists) and (identifier x or anchor apple)",
                "info[a] /* exists */ and identifier x"
            ),
            ("path \"/usr/bin/\"*", "path \"/usr/bin/\"*"), ("always", "always"),
            ("entitlement[a] exists and platform = 13", "entitlement[a] /* exists */ and platform = 13"),
        ])
    func unproved(_ text: String, _ way: String) throws { #expect(try weaknesses(text).contains(.unproved(way))) }

    @Test("Apple's root alone admits everything that Apple issued, whatever marker a developer can have")
    func anyAppleCertificate() throws {
        #expect(try weaknesses("anchor apple generic") == [.anyAppleCertificate("anchor apple generic")])
        let developerID = "anchor apple generic and certificate leaf[field.1.2.840.113635.100.6.1.13] exists"
        #expect(try weaknesses(developerID).count == 1)
        // The value of another certificate's subject says nothing of the signer.
        #expect(try weaknesses("anchor apple generic and certificate 1[subject.OU] = G2").count == 1)
    }

    @Test("What only says what code is not is met by anything unsigned")
    func negativeOnly() throws {
        #expect(try weaknesses("! anchor apple") == [.negativeOnly("! anchor apple")])
        #expect(try weaknesses("entitlement[a] absent").count == 1)
        #expect(try weaknesses("! (anchor apple and identifier x)").count == 2)
    }

    @Test("A certificate by SHA-1 is a remark of its own")
    func sha1() throws {
        #expect(
            try weaknesses("certificate leaf = H\"611e5b662c593a08ff58d14ae22452d198df6c60\"") == [.sha1Certificate])
    }

    @Test("A requirement with more ways than are looked at says so, in bounded time")
    func tooMany() throws {
        let pair = "(identifier a or identifier b)"
        let text = Array(repeating: pair, count: 40).joined(separator: " and ")
        #expect(try weaknesses(text) == [.tooManyWays])
        let deep = String(repeating: "! ", count: 900) + "anchor apple"
        #expect(try weaknesses(deep) == [.tooManyWays])
    }
}
