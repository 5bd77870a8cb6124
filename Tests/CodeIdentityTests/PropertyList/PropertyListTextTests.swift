// SPDX-License-Identifier: Apache-2.0

// Text that property lists may not hold.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("PropertyListText") struct PropertyListTextTests {
    @Test(
        "Text that is not UTF-8, or holds NUL or a noncharacter, is refused",
        arguments: [
            [0x61, 0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0x61, 0], [0xEF, 0xBF, 0xBE],
            [0xF0, 0x9F, 0xBF, 0xBF],
        ]
            as [[UInt8]])
    func refused(_ bytes: [UInt8]) {
        #expect(throws: CodeProblem(.propertyListText, at: 7, "")) { try PropertyListText.string(bytes, at: 7) }
    }

    @Test("A key that Unicode takes for an ASCII key, but Apple does not, is refused")
    func kelvin() {
        // To Swift this is "Key", spelt with KELVIN SIGN.
        #expect("\u{212A}ey" == "Key")
        for key in ["\u{212A}ey", "a\u{37E}", "\u{1FEF}"] {
            #expect(throws: CodeProblem(.propertyListText, at: 3, "")) { try PropertyListText.checkKey(key, at: 3) }
        }
        #expect(throws: Never.self) { try PropertyListText.checkKey("Größe Ångström K", at: 0) }
    }

    @Test("No character besides these three passes for an ASCII character")
    func complete() {
        let ascii = Set((0..<0x80 as Range<UInt8>).map { String(Character(Unicode.Scalar($0))) })
        // Only what composition never yields can be another spelling of a single character.
        let spellings = (0x80...0x10FFFF as ClosedRange<UInt32>).compactMap { Unicode.Scalar($0) }
            .filter { $0.properties.isFullCompositionExclusion && ascii.contains(String(Character($0))) }
        #expect(spellings == ["\u{37E}", "\u{1FEF}", "\u{212A}"])
    }

    @Test("A key of more bytes than the limit is refused")
    func longKey() {
        let limit = CodeIdentityLimits.propertyListKeyBytes.value
        #expect(throws: Never.self) { try PropertyListText.checkKey(String(repeating: "k", count: limit), at: 0) }
        #expect(throws: CodeProblem(.limit, at: 0, "")) {
            try PropertyListText.checkKey(String(repeating: "k", count: limit + 1), at: 0)
        }
    }

    @Test("A key with a long row of combining marks, which hashing sorts in quadratic time, is refused")
    func marks() {
        let limit = CodeIdentityLimits.propertyListKeyMarks.value
        let longest = String(repeating: "\u{301}\u{327}", count: limit / 2)
        #expect(throws: Never.self) { try PropertyListText.checkKey("a\(longest)b\(longest)", at: 0) }
        #expect(throws: CodeProblem(.limit, at: 5, "")) { try PropertyListText.checkKey("a\(longest)\u{327}", at: 5) }
    }
}
