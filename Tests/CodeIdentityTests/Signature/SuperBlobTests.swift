// SPDX-License-Identifier: Apache-2.0

// The index of a signature, and what may be wrong with it.

import Testing

@testable import CodeIdentity

@Suite("SuperBlob") struct SuperBlobTests {
    private let magic = BlobMagic.embeddedSignature
    private let first = SyntheticSlice.blob(BlobMagic.codeDirectory, [1, 2, 3, 4])
    private let second = SyntheticSlice.blob(BlobMagic.wrapper, [])
    private var bytes: [UInt8] { SyntheticSlice.superBlob(magic, [(0, first), (0x10000, second)]) }

    @Test("Blobs are found by type, whole or without their header")
    func lookup() throws {
        let blob = try SuperBlob(bytes[...], magic: magic)
        #expect(blob.entries.map(\.type) == [0, 0x10000])
        #expect(blob.entries.map(\.magic) == [BlobMagic.codeDirectory, BlobMagic.wrapper])
        #expect(blob.blob(0) == first[...])
        #expect(blob.payload(0, magic: BlobMagic.codeDirectory) == [1, 2, 3, 4])
        #expect(blob.payload(0, magic: BlobMagic.wrapper) == nil)
        #expect(blob.payload(0x10000, magic: BlobMagic.wrapper) == [])
        #expect(blob.blob(7) == nil)
        #expect(blob.problems == [])
        #expect(blob.tilesExactly)
    }

    @Test("What follows the length is ignored, in memory and in a file")
    func padding() throws {
        let padded = [9, 9, 9] + bytes + [UInt8](repeating: 5, count: 40)
        let read = try SuperBlob.read(MemoryBytes(padded), at: 3, available: UInt64(padded.count - 3), magic: magic)
        #expect(Array(read.bytes) == bytes)
        #expect(Array(try SuperBlob(padded[3...], magic: magic).bytes) == bytes)
    }

    @Test("Another magic number, and a length without room for the index, are refused")
    func header() {
        for (offset, value) in [(0, BlobMagic.detachedSignature), (4, 11), (4, 0)] as [(Int, UInt32)] {
            var broken = bytes
            broken.set32(value, at: offset)
            #expect(throws: CodeProblem(.superBlobInvalid, at: 100, "")) {
                try SuperBlob(broken[...], magic: magic, base: 100)
            }
        }
        #expect(throws: CodeProblem(.superBlobInvalid, at: 0, "")) {
            try SuperBlob.read(MemoryBytes(bytes), at: 0, available: 20, magic: magic)
        }
        #expect(throws: CodeProblem(.superBlobInvalid, at: 0, "")) {
            try SuperBlob.read(MemoryBytes(bytes), at: 0, available: 4, magic: magic)
        }
    }

    @Test("A length beyond the limit is refused before it is read")
    func tooLong() {
        var broken = bytes
        broken.set32(0x7fff_ffff, at: 4)
        #expect(throws: CodeProblem(.limit, at: 0, "")) {
            try SuperBlob.read(MemoryBytes(broken), at: 0, available: .max, magic: magic)
        }
    }

    @Test(
        "A count whose product overflows 32 bits, or that nobody needs, is refused", arguments: [65, 0x2000_0001, .max])
    func count(_ count: UInt32) {
        var broken = bytes
        broken.set32(count, at: 8)
        #expect(throws: CodeProblem(.limit, at: 8, "")) { try SuperBlob(broken[...], magic: magic) }
    }

    @Test(
        "An entry into the index, and so into itself, or beyond the end is refused",
        arguments: [1, 12, 27, 45, 0xffff_fff8])
    func offset(_ offset: UInt32) {
        var broken = bytes
        broken.set32(offset, at: 16)
        #expect(throws: CodeProblem(.superBlobInvalid, at: 12, "")) { try SuperBlob(broken[...], magic: magic) }
    }

    @Test("A blob shorter than its header, or longer than the rest, is refused", arguments: [0, 7, 21, .max])
    func length(_ length: UInt32) {
        var broken = bytes
        broken.set32(length, at: 32)
        #expect(throws: CodeProblem(.superBlobInvalid, at: 28, "")) { try SuperBlob(broken[...], magic: magic) }
    }

    @Test("The first entry of a type counts, and a second is a problem")
    func duplicates() throws {
        let bytes = SyntheticSlice.superBlob(magic, [(5, first), (5, second)])
        let blob = try SuperBlob(bytes[...], magic: magic)
        #expect(blob.blob(5) == first[...])
        #expect(blob.problems == [CodeProblem(.duplicateSlot, at: 20, "")])
    }

    @Test("Offset 0 means no blob, also where a second entry of the type has one")
    func noBlob() throws {
        var bytes = SyntheticSlice.superBlob(magic, [(5, first), (5, second)])
        bytes.set32(0, at: 16)
        let blob = try SuperBlob(bytes[...], magic: magic)
        #expect(blob.blob(5) == nil)
        #expect(blob.problems.map(\.code) == [.duplicateSlot])
    }

    @Test("Blobs that share bytes are a problem, and do not tile")
    func overlap() throws {
        var bytes = bytes
        bytes.set32(28, at: 24)
        let blob = try SuperBlob(bytes[...], magic: magic)
        #expect(blob.problems.map(\.code) == [.blobOverlap])
        #expect(!blob.tilesExactly)
    }

    @Test("A gap is legal, and does not tile")
    func gap() throws {
        var bytes = bytes + [0]
        bytes.set32(UInt32(bytes.count), at: 4)
        let blob = try SuperBlob(bytes[...], magic: magic)
        #expect(blob.problems == [])
        #expect(!blob.tilesExactly)
    }
}
