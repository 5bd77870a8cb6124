// SPDX-License-Identifier: Apache-2.0

// The binary form: a real one, and hostile ones.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("BinaryPropertyListReader") struct BinaryPropertyListReaderTests {
    /// Written by Python's plistlib, with strings, all kinds of values, and a number that is shared.
    private static let everything =
        "62706c6973743030dd0102030405060708090a0b0c0d0e12131415161718191a1b1c1d5161516253626967516451665169536d69"
        + "6e516e51725173517451755178a30f10111001a0d04300ff101340000000000000003341c5c854a08000000810051380000000"
        + "0000000013fffffffffffffffd233ff8000000000000547465787409680047007200f600df00650020d83dde00d11e1f5f1014"
        + "6c6f6e676c6f6e676c6f6e676c6f6e676c6f6e675f10147979797979797979797979797979797979797979082325272b2d2f31"
        + "3537393b3d3f41454748494d565f60626b747d82839497ae0000000000000101000000000000002000000000000000000000000"
        + "0000000c5"

    private typealias Writer = PropertyListWriter

    @Test("Every kind of value is read")
    func everything() throws {
        let bytes = try #require(Hexadecimal.bytes(Self.everything.utf8))
        #expect(
            try PropertyList.read(bytes)
                == .dictionary([
                    "a": .array([.integer(1), .array([]), .dictionary([:])]), "b": .data([0, 255, 16]),
                    "big": .integer(1 << 62), "d": .date(730_900_801), "f": .boolean(false), "i": .integer(5),
                    "min": .integer(.min), "n": .integer(-3), "r": .real(1.5), "s": .string("text"),
                    "t": .boolean(true), "u": .string("Größe 😀"),
                    "x": .dictionary(["longlonglonglonglong": .string("yyyyyyyyyyyyyyyyyyyy")]),
                ]))
    }

    @Test(
        "Numbers are read in each of their sizes",
        arguments: [
            ([0x10, 0xFF], .integer(255)), ([0x11, 0xFF, 0xFE], .integer(65534)),
            ([0x12, 0xFF, 0xFF, 0xFF, 0xFF], .integer(0xFFFF_FFFF)),
            ([0x13, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .integer(-1)),
            ([0x14] + [UInt8](repeating: 0, count: 15) + [9], .integer(9)),
            ([0x14] + [UInt8](repeating: 0xFF, count: 16), .integer(-1)),
            ([0x22, 0x3F, 0xC0, 0, 0], .real(1.5)),
        ] as [([UInt8], PropertyListValue)])
    func numbers(_ object: [UInt8], _ value: PropertyListValue) throws {
        #expect(try PropertyList.read(Writer.assemble([object])) == value)
    }

    @Test(
        "Objects that a list cannot hold are refused",
        arguments: [
            ([0x00], "plist-syntax"), ([0x0F], "plist-syntax"), ([0x80, 1], "plist-syntax"),
            ([0x71, 0x61], "plist-syntax"),
            ([0xC0], "plist-syntax"), ([0xB0], "plist-syntax"),
            ([0x15] + [UInt8](repeating: 0, count: 32), "plist-syntax"),
            ([0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0], "plist-value"),
            ([0x14, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "plist-value"),
            ([0x23, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0], "plist-value"),
            ([0x33, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], "plist-value"),
            ([0x51, 0x80], "plist-text"), ([0x51, 0x00], "plist-text"), ([0x61, 0xD8, 0x00], "plist-text"),
            ([0x52, 0x61], "plist-reference"), ([0x13, 1], "plist-reference"), ([0x5F], "plist-reference"),
            ([0x5F, 0x10], "plist-reference"), ([0x5F, 0x14, 1], "plist-reference"),
            ([0x5F, 0x08, 1], "plist-reference"),
            ([0x5F, 0x13, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "plist-reference"),
            ([0x6F, 0x13, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "plist-reference"),
            ([0xA1, 0, 0, 0, 1], "plist-reference"), ([0xA1, 0, 0, 0], "plist-reference"),
        ] as [([UInt8], String)])
    func refused(_ object: [UInt8], _ code: String) {
        #expect {
            try PropertyList.read(Writer.assemble([object]))
        } throws: { ($0 as? CodeProblem)?.code.rawValue == code }
    }

    @Test("An array that holds itself, or is held twice, is refused")
    func cycles() {
        let cases: [[[UInt8]]] = [
            [[0xA1, 0, 0, 0, 0]], [[0xA1, 0, 0, 0, 1], [0xA1, 0, 0, 0, 0]],
            [[0xA2, 0, 0, 0, 1, 0, 0, 0, 1], [0xA0]],
            // Also where unused bytes would leave room for reading it twice.
            [[0xA2, 0, 0, 0, 1, 0, 0, 0, 1], [0xA0], [0x09], [0x09], [0x09]],
            // The key of a dictionary is the dictionary.
            [[0xD1, 0, 0, 0, 0, 0, 0, 0, 0]],
        ]
        for objects in cases {
            #expect {
                try PropertyList.read(Writer.assemble(objects))
            } throws: { ($0 as? CodeProblem)?.code == .propertyListReference }
        }
    }

    @Test("Doubling at each of many levels does not grow")
    func billionLaughs() {
        var objects: [[UInt8]] = (1..<50).map { [0xA2] + Writer.big(UInt64($0), 4) + Writer.big(UInt64($0), 4) }
        objects.append([0x51, 0x61])
        #expect(throws: CodeProblem.self) { try PropertyList.read(Writer.assemble(objects)) }
    }

    @Test("Objects over each other are refused: a long text cannot be had a thousand times")
    func overlap() {
        // One run of bytes in which every object is a string that takes in the headers of those after it.
        let count = 200
        var bytes = Array("bplist00".utf8) + Writer.header(0xA, count)
        for place in 1...count { bytes += Writer.big(UInt64(place), 4) }
        let first = bytes.count
        for _ in 0..<count { bytes += [0x5F, 0x11, 0x02, 0x61] }
        bytes += [UInt8](repeating: 0x61, count: 0x261)
        let table = bytes.count
        for offset in [8] + (0..<count).map({ first + 4 * $0 }) { bytes += Writer.big(UInt64(offset), 4) }
        bytes += [0, 0, 0, 0, 0, 0, 4, 4] + Writer.big(UInt64(count + 1), 8) + Writer.big(0, 8)
        bytes += Writer.big(UInt64(table), 8)
        #expect { try PropertyList.read(bytes) } throws: { ($0 as? CodeProblem)?.code == .propertyListReference }
    }

    @Test("A dictionary with a key twice, or with a key that is no string, is refused")
    func keys() {
        let twice: [[UInt8]] = [
            [0xD2] + [1, 2, 3, 3].flatMap { Writer.big($0, 4) }, [0x51, 0x61], [0x51, 0x61], [0x09],
        ]
        #expect { try PropertyList.read(Writer.assemble(twice)) } throws: {
            ($0 as? CodeProblem)?.code == .propertyListDuplicateKey
        }
        let number: [[UInt8]] = [[0xD1] + [1, 1].flatMap { Writer.big($0, 4) }, [0x10, 5]]
        #expect { try PropertyList.read(Writer.assemble(number)) } throws: {
            ($0 as? CodeProblem)?.code == .propertyListSyntax
        }
    }

    @Test("A long key that many dictionaries share counts by its length")
    func sharedKey() {
        let (key, count) = (4096, 20_000)
        var objects: [[UInt8]] = [
            Writer.header(0xA, count), Writer.header(5, key) + [UInt8](repeating: 0x6B, count: key), [9],
        ]
        for place in 0..<count {
            objects[0] += Writer.big(UInt64(3 + place), 4)
            objects.append([0xD1, 0, 0, 0, 1, 0, 0, 0, 2])
        }
        #expect { try PropertyList.read(Writer.assemble(objects)) } throws: { ($0 as? CodeProblem)?.code == .limit }
    }

    @Test("Arrays stand inside each other up to the limit, and no deeper")
    func depth() {
        let limit = CodeIdentityLimits.propertyListDepth.value
        func nested(_ depth: Int) -> [UInt8] {
            Writer.assemble((1..<depth).map { [0xA1] + Writer.big(UInt64($0), 4) } + [[0xA0]])
        }
        #expect(throws: Never.self) { try PropertyList.read(nested(limit)) }
        #expect { try PropertyList.read(nested(limit + 1)) } throws: { ($0 as? CodeProblem)?.code == .limit }
        #expect { try PropertyList.read(nested(500_000)) } throws: { ($0 as? CodeProblem)?.code == .limit }
    }

    @Test("More objects than the limit are refused before anything is done")
    func objects() {
        let bytes = Writer.assemble([[9]], count: CodeIdentityLimits.propertyListItems.value + 1)
        #expect { try PropertyList.read(bytes) } throws: { ($0 as? CodeProblem)?.code == .limit }
    }

    @Test(
        "A trailer that does not fit is refused", arguments: [6, 7, 8, 15, 16, 23, 24, 31], [0, 0x7F, 0xFF] as [UInt8])
    func trailer(_ place: Int, _ value: UInt8) {
        var bytes = Writer.assemble([[9], [8], [9]], referenceWidth: 1)
        let offset = bytes.count - 32 + place
        // A width of references that nothing uses, and what stands there already, are no error.
        guard bytes[offset] != value else { return }
        bytes[offset] = value
        #expect(throws: CodeProblem.self) { try PropertyList.read(bytes) }
    }

    @Test("A list that is cut anywhere is refused")
    func truncated() throws {
        let bytes = try #require(Hexadecimal.bytes(Self.everything.utf8))
        for count in 0..<bytes.count {
            #expect(throws: CodeProblem.self, "\(count)") { try PropertyList.read(Array(bytes[..<count])) }
        }
    }

    @Test("A list with any bytes changed is read or refused, and never traps")
    func mutated() throws {
        var random = PropertyListSeed(state: 12)
        let bytes = try #require(Hexadecimal.bytes(Self.everything.utf8))
        var refused = 0
        for _ in 0..<20_000 {
            var mutant = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutant[Int.random(in: 0..<mutant.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do { _ = try PropertyList.read(mutant) } catch { refused += 1 }
        }
        #expect(refused > 10_000)
    }
}
