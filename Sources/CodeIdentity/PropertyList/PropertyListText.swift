// SPDX-License-Identifier: Apache-2.0

// Which text may stand in a property list, whatever form the list has.

import FlowModel

enum PropertyListText {
    /// Text that is UTF-8 and holds neither NUL, at which C programs stop reading, nor a noncharacter.
    static func string(_ utf8: some Collection<UInt8>, at offset: Int) throws(CodeProblem) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw CodeProblem(.propertyListText, at: UInt64(offset), "the text that begins here is not UTF-8")
        }
        try check(text, at: offset)
        return text
    }

    static func check(_ text: String, at offset: Int) throws(CodeProblem) {
        for scalar in text.unicodeScalars where scalar.value == 0 || scalar.value & 0xFFFE == 0xFFFE {
            throw CodeProblem(
                .propertyListText, at: UInt64(offset),
                "the text that begins here holds U+\(String(scalar.value, radix: 16, uppercase: true))")
        }
    }

    /// Checks the key of a dictionary, which must not have been hashed before.
    static func checkKey(_ key: String, at offset: Int) throws(CodeProblem) {
        let limit = CodeIdentityLimits.propertyListKeyBytes
        guard key.utf8.count <= limit.value else { throw .beyond(limit, at: offset, "bytes of a key") }
        let marksLimit = CodeIdentityLimits.propertyListKeyMarks
        var marks = 0
        for scalar in key.unicodeScalars {
            // Swift's strings compare by canonical equivalence, Apple's by code unit. These three are equivalent to the
            // ASCII characters ";", "`" and "K": to Swift alone, a key with one of them would be another key.
            if [0x37E, 0x1FEF, 0x212A].contains(scalar.value) {
                throw CodeProblem(
                    .propertyListText, at: UInt64(offset),
                    "a key with U+\(String(scalar.value, radix: 16, uppercase: true)), which passes for an ASCII character"
                )
            }
            // Canonical equivalence has its price too: a hash sorts each row of combining marks.
            marks = scalar.isASCII || scalar.properties.canonicalCombiningClass == .notReordered ? 0 : marks + 1
            guard marks <= marksLimit.value else { throw .beyond(marksLimit, at: offset, "combining marks in a row") }
        }
    }
}
