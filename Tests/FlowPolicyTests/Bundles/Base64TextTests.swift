// SPDX-License-Identifier: Apache-2.0

// Tests of base64 against another implementation.

import Foundation
import Testing

@testable import FlowPolicy

struct Base64TextTests {
    @Test("Bytes of every length are written as Foundation writes them, and come back")
    func same() {
        var generator = SystemRandomNumberGenerator()
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64Text.text(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64Text.bytes(Base64Text.text(bytes)) == bytes)
        }
    }

    @Test(
        "A text that says bytes in another way, or none, is refused",
        arguments: [
            "A", "AA", "AAA", "AA=", "AB==", "AAB=", "====", "=AAA", "A=AA", "AA=A", "A===", "AAAA\n", "AA A", "AA-_",
            "AAAAA===", "AA==AAAA", "äAA",
        ])
    func strict(_ text: String) {
        #expect(Base64Text.bytes(text) == nil)
    }
}
