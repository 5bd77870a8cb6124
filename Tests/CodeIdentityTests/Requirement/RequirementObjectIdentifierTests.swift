// SPDX-License-Identifier: Apache-2.0

// Object identifiers in requirements.

import Testing

@testable import CodeIdentity

@Suite("RequirementObjectIdentifier") struct RequirementObjectIdentifierTests {
    @Test(
        "Dotted numbers are DER content octets",
        arguments: [
            ("1.2.840.113635.100.6.2.6", "2a864886f76364060206"), ("1.2.840.113635.100.6.1.13", "2a864886f7636406010d"),
            ("2.999.3", "883703"), ("0.0", "00"), ("2.5.29.32", "551d20"),
            ("1.2.18446744073709551615", "2a81ffffffffffffffff7f"),
        ])
    func both(_ text: String, _ hex: String) throws {
        let octets = try #require(Hexadecimal.bytes(hex.utf8))
        #expect(RequirementObjectIdentifier.octets(text.utf8) == octets)
        #expect(RequirementObjectIdentifier.text(octets) == text)
        #expect(RequirementObjectIdentifier.appleText(octets) == text)
    }

    @Test("A single number gives no octets, as with Apple's compiler, and no octets are written as one")
    func single() {
        #expect(RequirementObjectIdentifier.octets("1".utf8) == [])
        #expect(RequirementObjectIdentifier.text([]) == "0")
        #expect(RequirementObjectIdentifier.appleText([]) == "")
    }

    @Test(
        "What is no identifier is refused",
        arguments: [
            "", ".", "1.", ".1", "1..2", "1.x", "1.-2", "1. 2", "1.2.18446744073709551616", "461168601842738791.0",
        ]
    )
    func refused(_ text: String) { #expect(RequirementObjectIdentifier.octets(text.utf8) == nil) }

    @Test(
        "Octets that no text gives back have no text, and Apple's for show",
        arguments: [
            ("80", "0.0"), ("2a81", "1.2.128"), ("2a8001", "1.2.1"),
            ("2affffffffffffffffffff7f", "1.2.18446744073709551615"),
        ])
    func odd(_ hex: String, _ apple: String) throws {
        let octets = try #require(Hexadecimal.bytes(hex.utf8))
        #expect(RequirementObjectIdentifier.appleText(octets) == apple)
        #expect(RequirementObjectIdentifier.text(octets) == nil)
    }

    @Test("Apple cuts the first two numbers to nine characters; the canonical text does not")
    func long() {
        #expect(RequirementObjectIdentifier.text([0xBF, 0xFF, 0xFF, 0xFF, 0x7F]) == "2.17179869103")
        #expect(RequirementObjectIdentifier.appleText([0xBF, 0xFF, 0xFF, 0xFF, 0x7F]) == "2.1717986")
    }
}
