// SPDX-License-Identifier: Apache-2.0

// Tests of base64 against another implementation.

import Foundation
import Testing

@testable import FlowPolicy

struct Base64TextTests {
    @Test("Bytes of every length are written as Foundation writes them, and come back")
    func same() {
        for count in 0..<200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: ($0 * 7_919 + count * 104_729) >> 3) }
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
