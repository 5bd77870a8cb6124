// SPDX-License-Identifier: Apache-2.0

// Chunk sizes and extensions that are good; the bad ones stand with the body reader.

import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 chunk line")
struct HTTP1ChunkLineTests {
    static let goodLines: [(String, UInt64, Int)] = [
        ("0", 0, 0),
        ("5", 5, 0),
        ("aBcDeF", 0xabcdef, 0),
        ("00000000000000ff", 0xff, 0),
        ("7fffffffffffffff", UInt64(Int64.max), 0),
        ("5;a", 5, 2),
        ("5 ;\ta", 5, 4),
        ("5;a;b=c; d = \"e\"", 5, 15),
        ("5;a ;b", 5, 5),
        ("5;a=\";\\\"\u{e9}\\\\\"", 5, 12),
        ("5;a=\"\"", 5, 5),
    ]

    @Test("A chunk line has a size and the bytes of its extensions", arguments: goodLines)
    func good(text: String, size: UInt64, extensionBytes: Int) throws {
        let bytes = Array(text.utf8)
        let line = try HTTP1ChunkLine(0..<bytes.count, of: bytes.span, .request)
        #expect(line.size == size)
        #expect(line.extensionBytes == extensionBytes)
    }
}
