// SPDX-License-Identifier: Apache-2.0

// Our JSON against Foundation's reader.

import Foundation
import Testing

@testable import FlowPolicy

@Suite("A line of JSON")
struct JSONLineTests {
    @Test("Any text comes back as it went in, on one line")
    func roundTrip() throws {
        let text = String(String.UnicodeScalarView((0...0x2100).compactMap(Unicode.Scalar.init))) + "\"\\/😀\r\n"
        let line = JSONLine([("a\"b", .text(text)), ("n", .number(-3)), ("l", .texts(["x", text])), ("z", .null)]).text
        #expect(!line.contains { $0.isNewline })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["a\"b"] as? String == text)
        #expect(object["n"] as? Int == -3)
        #expect(object["l"] as? [String] == ["x", text])
        #expect(object["z"] is NSNull)
    }
}
