// SPDX-License-Identifier: Apache-2.0

// Byte classes, checked against the sets that the RFC lists.

import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 grammar")
struct HTTP1GrammarTests {
    @Test("Token bytes are those of RFC 9110 section 5.6.2, for all 256 bytes")
    func tokens() {
        let letters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let set = Set(letters.utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(byte.isHTTP1Token == set.contains(byte))
        }
    }

    @Test("Every control byte but HTAB is found, at every place")
    func controls() {
        for length in [1, 7, 8, 9, 17] {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0x80, count: length)
                    bytes[place] = byte
                    let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7f
                    #expect(bytes.span.firstControl(in: 0..<length) == (isControl ? place : nil))
                }
            }
        }
        let mixed: [UInt8] = [0x09, 0x09, 0x20, 0x09, 0xff, 0x09, 0x09, 0x7f, 0x00]
        #expect(mixed.span.firstControl(in: 0..<9) == 7)
        #expect(mixed.span.firstControl(in: 0..<7) == nil)
        #expect(mixed.span.firstControl(in: 8..<9) == 8)
    }

    @Test("A line feed is looked for inside the range only")
    func lineFeeds() {
        let bytes: [UInt8] = [0x0a, 1, 2, 0x0a, 0x0a]
        #expect(bytes.span.firstLF(in: 0..<5) == 0)
        #expect(bytes.span.firstLF(in: 1..<5) == 3)
        #expect(bytes.span.firstLF(in: 1..<3) == nil)
        #expect(bytes.span.firstLF(in: 3..<3) == nil)
        #expect(bytes.span.firstLF(in: 3..<9) == nil)
    }

    @Test("White space is trimmed at both ends")
    func trimming() {
        let bytes = Array(" \ta b\t ".utf8)
        #expect(bytes.span.trimmed(0..<7) == 2..<5)
        #expect(bytes.span.trimmed(0..<2) == 2..<2)
        #expect(bytes.span.trimmed(3..<3) == 3..<3)
    }
}
