// SPDX-License-Identifier: Apache-2.0

// Fields of a block of bytes.

import Testing

@testable import CodeIdentity

@Suite("Field reader") struct FieldReaderTests {
    private let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x41, 0x42, 0x00, 0x43]

    @Test("Numbers are read in the order that the block has")
    func orders() throws {
        let big = FieldReader(bytes[...])
        #expect(try big.u8(at: 0) == 1)
        #expect(try big.u16(at: 0) == 0x0102)
        #expect(try big.u32(at: 1) == 0x0203_0405)
        #expect(try big.u64(at: 0) == 0x0102_0304_0506_0708)
        let little = FieldReader(bytes[...], order: .little)
        #expect(try little.u16(at: 0) == 0x0201)
        #expect(try little.u32(at: 1) == 0x0504_0302)
        #expect(try little.u64(at: 0) == 0x0807_0605_0403_0201)
    }

    @Test("Offsets count from the first byte of a block that is part of another")
    func part() throws {
        let reader = FieldReader(bytes[4...])
        #expect(try reader.u8(at: 0) == 5)
        #expect(try reader.string(at: 4).elementsEqual("AB".utf8))
    }

    @Test("What reaches over the end is refused with its place", arguments: [-1, 9, 11, 12, 13, Int.max, Int.min])
    func outside(_ offset: Int) {
        let reader = FieldReader(bytes[...], base: 1000)
        #expect(throws: CodeProblem(.outOfBounds, at: reader.place(offset), "")) { try reader.u32(at: offset) }
        #expect(throws: CodeProblem.self) { try reader.slice(at: offset, count: .max) }
        #expect(throws: CodeProblem.self) { try reader.slice(at: 0, count: -1) }
    }

    @Test("A string ends at a NUL inside the block, or is refused")
    func strings() throws {
        let reader = FieldReader(bytes[...])
        #expect(try reader.string(at: 8).elementsEqual("AB".utf8))
        #expect(try reader.string(at: 10).isEmpty)
        for offset in [11, 12, -1, Int.max] {
            #expect(throws: CodeProblem.self) { try reader.string(at: offset) }
        }
    }

    @Test("A name fills its field or ends at a NUL")
    func names() throws {
        let reader = FieldReader(bytes[...])
        #expect(try reader.name(at: 8, count: 4).elementsEqual("AB".utf8))
        #expect(try reader.name(at: 8, count: 2).elementsEqual("AB".utf8))
        #expect(throws: CodeProblem.self) { try reader.name(at: 8, count: 5) }
    }
}
