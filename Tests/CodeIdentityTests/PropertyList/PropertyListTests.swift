// SPDX-License-Identifier: Apache-2.0

// Property lists of either form, and what no form may hold.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("PropertyList") struct PropertyListTests {
    @Test("What is written in either form is read back, whatever it holds", arguments: 1...60 as ClosedRange<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var random = PropertyListSeed(state: seed)
        let value = random.value()
        #expect(try PropertyList.read(PropertyListWriter.document(PropertyListWriter.xml(value))) == value)
        #expect(try PropertyList.read(PropertyListWriter.binary(value)) == value)
    }

    @Test("A list in UTF-16 reads like the same list in UTF-8", arguments: [true, false])
    func utf16(_ bigEndian: Bool) throws {
        let text = "<?xml version='1.0' encoding='utf-16'?><plist><string>Größe 😀</string></plist>"
        var bytes: [UInt8] = []
        for unit in [0xFEFF] + text.utf16 {
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            bytes += bigEndian ? [high, low] : [low, high]
        }
        #expect(try PropertyList.read(bytes) == .string("Größe 😀"))
        // Cut in half a unit, and in half a pair.
        #expect(throws: CodeProblem(.propertyListText, at: UInt64(bytes.count - 1), "")) {
            try PropertyList.read(bytes.dropLast())
        }
        let pair = try #require(text.utf16.enumerated().first { 0xD800..<0xDC00 ~= $0.element }?.offset)
        #expect(throws: CodeProblem(.propertyListText, "")) { try PropertyList.read(Array(bytes[..<(2 * pair + 4)])) }
    }

    @Test("The encoding that is declared must be the one that is there")
    func encoding() {
        let utf8 = Array("<?xml version=\"1.0\" encoding=\"UTF-16\"?><plist><true/></plist>".utf8)
        #expect(throws: CodeProblem.self) { try PropertyList.read(utf8) }
        let latin = Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><plist><true/></plist>".utf8)
        #expect { try PropertyList.read(latin) } throws: { ($0 as? CodeProblem)?.code == .propertyListFormat }
    }

    @Test(
        "Neither the old text form nor anything else is read",
        arguments: ["", "{ key = value; }", "\"text\"", "(1, 2)", "bplist01", "bplist", "bplist00", "\u{FEFF}"])
    func otherForms(_ text: String) {
        #expect(throws: CodeProblem.self) { try PropertyList.read(Array(text.utf8)) }
    }

    @Test("More bytes than the limit are not even looked at")
    func tooLong() {
        let bytes = [UInt8](repeating: 0x20, count: CodeIdentityLimits.propertyListBytes.value + 1)
        #expect(throws: CodeProblem(.limit, "")) { try PropertyList.read(bytes) }
    }
}
