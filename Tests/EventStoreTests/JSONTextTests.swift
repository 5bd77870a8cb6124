// SPDX-License-Identifier: Apache-2.0

// Tests of writing JSON.

import Foundation
import Testing

@testable import EventStore

struct JSONTextTests {
    @Test func everyScalarComesBackAndNoControlCharacterIsWritten() throws {
        let ranges: [ClosedRange<UInt32>] = [0...0x2ff, 0x2020...0x2030, 0xd7f0...0xe010, 0xfff0...0x1000f]
        for value in ranges.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "a" + String(Character(scalar)) + "b"
            let json = JSONText.string(text)
            #expect(try JSONDecoder().decode([String].self, from: Data("[\(json)]".utf8)) == [text])
            #expect(!json.unicodeScalars.contains { $0.properties.generalCategory == .control })
        }
    }

    @Test func nothingIsNull() { #expect(JSONText.string(nil) == "null") }
}
