// SPDX-License-Identifier: Apache-2.0

// Thin and universal files, and every way in which slices may not lie.

import Testing

@testable import CodeIdentity

@Suite("Mach-O file") struct MachOFileTests {
    private func read(_ bytes: [UInt8]) throws -> MachOFile { try MachOFile.read(MemoryBytes(bytes)) }

    private let both = SyntheticUniversal(slices: [
        SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3), SyntheticSlice(),
    ])

    @Test("A thin file of any word size and byte order is one slice", arguments: [true, false], [true, false])
    func thin(_ wide: Bool, _ little: Bool) throws {
        let slice = SyntheticSlice(
            cpuType: Architecture.powerPC, cpuSubtype: 10, wide: wide, order: little ? .little : .big)
        let bytes = slice.bytes()
        let file = try read(bytes)
        #expect(!file.isUniversal)
        #expect(!file.isSuspicious)
        #expect(file.slices.map(\.architecture.description) == ["ppc7400"])
        #expect(file.slices[0].size == UInt64(bytes.count))
        #expect(file.slices[0].claimedArchitecture == nil)
    }

    @Test("A universal file of either form gives each slice with its place", arguments: [true, false])
    func universal(_ wide: Bool) throws {
        var universal = both
        universal.wide = wide
        let file = try read(universal.bytes())
        #expect(file.isUniversal)
        #expect(!file.isSuspicious)
        #expect(file.slices.map(\.architecture.description) == ["x86_64", "arm64"])
        #expect(file.slices.map(\.offset) == [256, 9984])
        #expect(try file.slices[1].source.read(at: 0, count: 4) == [0xcf, 0xfa, 0xed, 0xfe])
    }

    @Test(
        "Anything else is not a Mach-O, by its first bytes",
        arguments: [
            [], [0xcf], [0xcf, 0xfa, 0xed, 0xfe], Array("#!/bin/sh\nexit".utf8), [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0],
            [0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 1], [UInt8](repeating: 0, count: 64),
        ] as [[UInt8]])
    func others(_ bytes: [UInt8]) {
        #expect(throws: CodeProblem(.notMachO, at: 0, "")) { try read(bytes) }
    }

    @Test("A Java class, which has the magic number of a universal file, is not a Mach-O", arguments: [45, 52, 65])
    func java(_ version: UInt8) {
        // Version, a pool of 29 constants, the first a method reference.
        let bytes =
            [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, version, 0, 29, 10, 0, 6, 0, 15, 9] + [UInt8](repeating: 1, count: 99)
        #expect(throws: CodeProblem(.notMachO, at: 4, "")) { try read(bytes) }
    }

    @Test("More slices than the limit are refused, and not taken for a Java class")
    func tooMany() {
        var bytes = both.bytes()
        bytes.set32(50, at: 4)
        #expect(throws: CodeProblem(.limit, at: 4, "")) { try read(bytes) }
    }

    @Test("A universal file without slices is refused")
    func empty() {
        var bytes = both.bytes()
        bytes.set32(0, at: 4)
        // Not even the first entry is looked at: it is the one past the count, and not arm64.
        #expect(throws: CodeProblem(.universalEmpty, at: 4, "")) { try read(bytes) }
    }

    @Test("A slice one past the count is found, and makes the file suspicious", arguments: [true, false])
    func hidden(_ wide: Bool) throws {
        var universal = both
        universal.hidesLast = true
        universal.wide = wide
        let file = try read(universal.bytes())
        #expect(file.slices.map(\.architecture.description) == ["x86_64", "arm64"])
        #expect(file.problems == [CodeProblem(.hiddenSlice, at: wide ? 40 : 28, "")])
        #expect(file.isSuspicious)
    }

    @Test("A slice whose processor the header lies about is suspicious")
    func swapped() throws {
        var bytes = both.bytes()
        bytes.set32(Architecture.arm64, at: 8)
        bytes.set32(0, at: 12)
        bytes.set32(Architecture.x86, at: 28)
        bytes.set32(3, at: 32)
        let file = try read(bytes)
        #expect(file.slices.map(\.architecture.description) == ["x86_64", "arm64"])
        #expect(file.slices[0].problems == [CodeProblem(.architectureMismatch, at: 260, "")])
        #expect(file.slices[1].problems == [CodeProblem(.architectureMismatch, at: 9988, "")])
    }

    @Test("A slice under the number of a processor that nobody has, as in the bypass of 2018, is suspicious")
    func bogusProcessor() throws {
        var bytes = both.bytes()
        bytes.set32(0xdead, at: 8)
        let file = try read(bytes)
        #expect(file.slices.count == 2)
        #expect(file.slices[0].problems.map(\.code) == [.architectureMismatch])
    }

    @Test("Only capability bits may differ between the header and the slice")
    func capabilities() throws {
        let slice = SyntheticSlice(cpuSubtype: 2)
        var bytes = SyntheticUniversal(slices: [slice]).bytes()
        bytes.set32(0x8000_0002, at: 12)
        #expect(try !read(bytes).isSuspicious)
        bytes.set32(0x8000_0001, at: 12)
        #expect(try read(bytes).isSuspicious)
    }

    @Test("A universal file inside a universal file is refused")
    func nested() {
        let inner = both.bytes()
        let bytes = SyntheticUniversal.bytes([(SyntheticSlice(), inner)])
        #expect(throws: CodeProblem(.nestedUniversal, at: 256, "")) { try read(bytes) }
    }

    @Test("A slice that is the universal file itself is refused")
    func cyclic() {
        var bytes = both.bytes()
        bytes.set32(0, at: 16)
        #expect(throws: CodeProblem(.nestedUniversal, at: 0, "")) { try read(bytes) }
    }

    @Test("A universal static library is refused as a whole")
    func archive() {
        let bytes = SyntheticUniversal.bytes([(SyntheticSlice(), Array("!<arch>\nabc".utf8) + [0, 0, 0, 0, 0])])
        #expect(throws: CodeProblem(.sliceNotMachO, at: 256, "")) { try read(bytes) }
    }

    @Test("Bytes behind the last slice are suspicious")
    func trailing() throws {
        let bytes = both.bytes()
        #expect(try read(bytes + [0]).problems == [CodeProblem(.trailingBytes, at: UInt64(bytes.count), "")])
    }

    @Test("Bytes behind a thin slice are suspicious")
    func appended() throws {
        let file = try read(SyntheticSlice().bytes() + [0])
        #expect(file.slices[0].problems.map(\.code) == [.imageEnd])
    }

    @Test("Padding between slices must be zero")
    func gapBytes() throws {
        var bytes = both.bytes()
        bytes[100] = 1
        #expect(try read(bytes).problems == [CodeProblem(.sliceGapNotZero, at: 100, "")])
        bytes = both.bytes()
        bytes[9983] = 1
        #expect(try read(bytes).problems == [CodeProblem(.sliceGapNotZero, at: 9983, "")])
    }

    @Test("Padding must be smaller than the alignment, but before the first slice")
    func gapSize() throws {
        var bytes = both.bytes()
        // The gap before the second slice is some bytes, and the one before the first is 208.
        bytes.set32(1, at: 24)
        bytes.set32(1, at: 44)
        #expect(try read(bytes).problems.map(\.code) == [.sliceGap])
        bytes.set32(31, at: 44)
        #expect(try read(bytes).problems.map(\.code) == [.sliceGap])
    }

    @Test("A gap beyond our limit is a problem without being read")
    func gapLimit() throws {
        var bytes = both.bytes()
        let moved = 2 * 1024 * 1024
        let second = Array(bytes[9984...])
        bytes = Array(bytes[..<9984]) + [UInt8](repeating: 0, count: moved - 9984) + second
        bytes.set32(UInt32(moved), at: 36)
        bytes.set32(30, at: 44)
        #expect(try read(bytes).problems.map(\.code) == [.sliceGap])
    }

    @Test("Slices that share bytes, with each other or with the header, are suspicious")
    func overlap() throws {
        var bytes = both.bytes()
        // Both entries name the first slice.
        bytes.set32(256, at: 36)
        bytes.set32(bytes.get32(at: 20), at: 40)
        let codes = try read(bytes).problems.map(\.code)
        #expect(codes.contains(.sliceOverlap))
        #expect(codes.contains(.trailingBytes))
    }

    @Test("Two slices for one processor are suspicious")
    func duplicates() throws {
        let file = try read(SyntheticUniversal(slices: [SyntheticSlice(), SyntheticSlice()]).bytes())
        #expect(file.problems == [CodeProblem(.duplicateArchitecture, at: 28, "")])
    }

    @Test("The order in the header is free")
    func order() throws {
        var bytes = both.bytes()
        let first = Array(bytes[8..<28])
        bytes.replaceSubrange(8..<28, with: bytes[28..<48])
        bytes.replaceSubrange(28..<48, with: first)
        let file = try read(bytes)
        #expect(!file.isSuspicious)
        #expect(file.slices.map(\.architecture.description) == ["arm64", "x86_64"])
    }

    @Test("A slice outside the file is refused, also where the sum of its numbers overflows")
    func outside() {
        var bytes = both.bytes()
        bytes.set32(0xffff_ffff, at: 40)
        #expect(throws: CodeProblem(.outOfBounds, at: 28, "")) { try read(bytes) }
        var universal = both
        universal.wide = true
        bytes = universal.bytes()
        for index in 0..<8 { bytes[56 + index] = 0xff }
        #expect(throws: CodeProblem(.outOfBounds, at: 40, "")) { try read(bytes) }
    }
}
