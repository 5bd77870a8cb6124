// SPDX-License-Identifier: Apache-2.0

// Pages against their hashes.

import Testing

@testable import CodeIdentity

@Suite("Page check") struct PageCheckTests {
    private func check(_ bytes: [UInt8]) throws -> [PageCheck.BadPage] {
        let slice = try #require(try MachOFile.read(MemoryBytes(bytes)).slices.first)
        let signature = try #require(try EmbeddedSignature.read(slice))
        return try PageCheck.badPages(slice.source, signature.directories)
    }

    private func made(_ shift: UInt8, _ type: CodeHashType, codeSize: Int = 40_000) -> SyntheticSlice {
        var made = SyntheticSlice()
        made.codeSize = codeSize
        made.directories[0].pageShift = shift
        made.directories[0].hashType = type
        return made
    }

    @Test(
        "An untouched slice matches, and each flipped byte is found in its page",
        arguments: [0, 1, 5, 12, 14, 16, 31] as [UInt8], CodeHashType.allCases)
    func flips(_ shift: UInt8, _ type: CodeHashType) throws {
        let bytes = made(shift, type).bytes()
        #expect(try check(bytes) == [])
        let limit = Int(try #require(try MachOFile.read(MemoryBytes(bytes)).slices.first).signedLength)
        let page = shift == 0 ? limit : 1 << Int(shift)
        for place in [500, 4095, 4096, 16383, 16384, 30_000, limit - 1] {
            var broken = bytes
            broken[place] ^= 0x10
            #expect(
                try check(broken)
                    == [.init(directory: 0, page: place / page, offset: UInt64(place / page * page))])
        }
    }

    @Test("Pages are found across the borders of the chunks that are read", arguments: [0, 12, 14, 21, 31] as [UInt8])
    func chunks(_ shift: UInt8) throws {
        let bytes = made(shift, .sha256, codeSize: 3 * 1024 * 1024 + 77).bytes()
        #expect(try check(bytes) == [])
        let page = shift == 0 ? bytes.count : 1 << Int(shift)
        for place in [1024 * 1024 - 1, 1024 * 1024, 2_500_000] {
            var broken = bytes
            broken[place] ^= 1
            #expect(try check(broken).map(\.page) == [place / page])
        }
    }

    @Test("Every directory must match, each with its own page size and hash")
    func allDirectories() throws {
        var made = made(12, .sha1)
        made.directories.append(SyntheticDirectory(slot: 0x1000, hashType: .sha256, pageShift: 14))
        var bytes = made.bytes()
        #expect(try check(bytes) == [])
        bytes[20_000] ^= 1
        #expect(
            try check(bytes) == [
                .init(directory: 0, page: 4, offset: 16384), .init(directory: 0x1000, page: 1, offset: 16384),
            ])
        bytes[20_000] ^= 1
        // The hash of the first page in the weaker directory only.
        let hash = made.directories[0].hash(bytes[..<4096])
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: hash) })
        bytes[place] ^= 1
        #expect(try check(bytes) == [.init(directory: 0, page: 0, offset: 0)])
    }

    @Test("The limit of 64 bits is the one that is hashed")
    func wideLimit() throws {
        var made = made(12, .sha256)
        made.directories[0].wideLimit = true
        var bytes = made.bytes()
        #expect(try check(bytes) == [])
        bytes[30_000] ^= 1
        #expect(try check(bytes).map(\.page) == [7])
    }

    @Test("Bytes of the signature itself are not hashed")
    func padding() throws {
        var bytes = made(12, .sha256).bytes()
        bytes[bytes.count - 1] ^= 1
        #expect(try check(bytes) == [])
    }

    @Test("The slice of a universal file is hashed from its own start")
    func universal() throws {
        let bytes = SyntheticUniversal(slices: [
            SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3), made(12, .sha256),
        ]).bytes()
        for slice in try MachOFile.read(MemoryBytes(bytes)).slices {
            let signature = try #require(try EmbeddedSignature.read(slice))
            #expect(try PageCheck.badPages(slice.source, signature.directories) == [])
        }
    }

    @Test("A directory that covers more than there is cannot be checked")
    func beyond() throws {
        let directory = try CodeDirectory(
            SyntheticDirectory().blob(code: [UInt8](repeating: 0, count: 5000), components: [:])[...], slot: 0)
        #expect(throws: CodeProblem(.outOfBounds, at: 4999, "")) {
            try PageCheck.badPages(MemoryBytes([UInt8](repeating: 0, count: 4999)), [directory])
        }
    }

    @Test("Without a directory, and with one of nothing, nothing is bad")
    func nothing() throws {
        #expect(try PageCheck.badPages(MemoryBytes([1, 2]), []) == [])
        let empty = try CodeDirectory(
            SyntheticDirectory(pageShift: 0).blob(code: [], components: [:])[...], slot: 0)
        #expect(try PageCheck.badPages(MemoryBytes([1, 2]), [empty]) == [])
    }
}
