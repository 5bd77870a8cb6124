// SPDX-License-Identifier: Apache-2.0

// What the load commands of a slice say, and the rules for them.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("Mach-O slice") struct MachOSliceTests {
    private func read(_ bytes: [UInt8]) throws -> MachOSlice {
        try #require(try MachOFile.read(MemoryBytes(bytes)).slices.first)
    }

    private func command(_ numbers: [UInt32]) -> [UInt8] {
        var list = ByteList(order: .little)
        for number in numbers { list.u32(number) }
        return list.bytes
    }

    @Test("All facts of a slice are read in either word size and byte order", arguments: [true, false], [true, false])
    func facts(_ wide: Bool, _ little: Bool) throws {
        var made = SyntheticSlice(wide: wide, order: little ? .little : .big)
        made.infoPlist = Array("<plist/>".utf8)
        let bytes = made.bytes()
        let slice = try read(bytes)
        #expect(slice.problems == [])
        #expect(slice.fileType == 2)
        #expect(slice.uuid == Array(0..<16))
        #expect(slice.builds.map(\.platform) == [1])
        #expect(slice.builds.map(\.minimumSystem.description) == ["13.0.0"])
        #expect(slice.builds.map(\.sdk.description) == ["26.5.0"])
        #expect(slice.linkEditEnd == UInt64(bytes.count))
        #expect(slice.codeSignature?.upperBound == UInt64(bytes.count))
        #expect(slice.signedLength == slice.codeSignature?.lowerBound)
        #expect(try slice.readInfoPlist() == Array("<plist/>".utf8))
        #expect(slice.libraryRequirements == nil)
    }

    @Test("A slice without a signature must be covered whole")
    func unsigned() throws {
        var made = SyntheticSlice()
        made.directories = []
        let slice = try read(made.bytes())
        #expect(slice.problems == [])
        #expect(slice.codeSignature == nil)
        #expect(slice.signedLength == slice.size)
        #expect(try slice.readInfoPlist() == nil)
    }

    @Test("Library requirements are found, and refused outside the slice")
    func libraries() throws {
        var made = SyntheticSlice()
        made.extraCommands = [command([0x2b, 16, 700, 40])]
        #expect(try read(made.bytes()).libraryRequirements == 700..<740)
        made.extraCommands = [command([0x2b, 16, 0xffff_fff0, 0xffff_ffff])]
        let slice = try read(made.bytes())
        #expect(slice.libraryRequirements == nil)
        #expect(slice.problems.map(\.code) == [.rangeOutside])
    }

    @Test("A slice for two platforms names both, and one for hundreds the first eight")
    func builds() throws {
        var made = SyntheticSlice()
        made.extraCommands = [command([0x32, 24, 6, 0x000d_0000, 0x001a_0000, 0])]
        #expect(try read(made.bytes()).builds.map(\.platform) == [1, 6])
        made.extraCommands = Array(repeating: made.extraCommands[0], count: 300)
        #expect(try read(made.bytes()).builds.count == 8)
    }

    @Test("A second signature is suspicious, and the first counts")
    func secondSignature() throws {
        let plain = try read(SyntheticSlice().bytes())
        var made = SyntheticSlice()
        made.extraCommands = [command([0x1d, 16, 0, 64])]
        let slice = try read(made.bytes())
        #expect(slice.problems.map(\.code) == [.duplicateLoadCommand])
        #expect(slice.codeSignature?.lowerBound == plain.signedLength + 16)
    }

    @Test("A signature outside the slice does not make the slice an unsigned one")
    func signatureOutside() throws {
        var made = SyntheticSlice()
        made.directories = []
        made.extraCommands = [command([0x1d, 16, 0x7fff_ffff, 0xffff_ffff])]
        let bytes = made.bytes()
        #expect(throws: CodeProblem(.outOfBounds, at: 32 + 72 + 72 + 48, "")) { try read(bytes) }
    }

    @Test("A signature in front of code, or of the load commands, is suspicious", arguments: [0, 40, 600])
    func signaturePlace(_ offset: UInt32) throws {
        var made = SyntheticSlice()
        made.directories = []
        made.extraCommands = [command([0x1d, 16, offset, 64])]
        #expect(try read(made.bytes()).problems.map(\.code) == [.signaturePlace])
    }

    @Test("A signature over load commands is suspicious also where no segment holds them")
    func signatureOverCommands() throws {
        var made = SyntheticSlice()
        made.directories = []
        made.extraCommands = [command([0x1d, 16, 40, 64])]
        var bytes = made.bytes()
        bytes.set32(0, at: 32 + 48, .little)
        #expect(try read(bytes).problems.map(\.code) == [.signaturePlace])
    }

    @Test("Symbol strings behind __LINKEDIT do not say where the image ends")
    func symbolsAfter() throws {
        var made = SyntheticSlice()
        made.extraCommands = [command([0x2, 24, 0, 0, 100, 200])]
        #expect(try read(made.bytes()).problems == [])
    }

    @Test("A segment that reaches over the signature is suspicious: those bytes are not hashed")
    func segmentOverSignature() throws {
        var bytes = SyntheticSlice().bytes()
        // The size of __TEXT in the file, after header, command and 48 bytes.
        bytes.set32(UInt32(bytes.count), at: 32 + 48, .little)
        #expect(try read(bytes).problems.map(\.code) == [.signaturePlace])
        bytes.set32(UInt32(bytes.count) + 1, at: 32 + 48, .little)
        #expect(try read(bytes).problems.map(\.code) == [.rangeOutside, .signaturePlace])
        // Start and size overflow together.
        for index in 0..<8 { bytes[32 + 40 + index] = 0xff }
        #expect(try read(bytes).problems.map(\.code) == [.rangeOutside, .signaturePlace])
    }

    @Test("The image must end where the slice ends, by __LINKEDIT")
    func imageEnd() throws {
        var bytes = SyntheticSlice().bytes()
        let size = 32 + 72 + 48
        bytes.set32(bytes.get32(at: size, .little) - 1, at: size, .little)
        #expect(try read(bytes).problems.map(\.code) == [.imageEnd])
    }

    @Test("Without __LINKEDIT the symbol strings say where the image ends")
    func symbolEnd() throws {
        var made = SyntheticSlice()
        made.directories = []
        made.extraCommands = [command([0x2, 24, 0, 0, 0, 0])]
        var bytes = made.bytes()
        bytes.replaceSubrange(32 + 72 + 8..<32 + 72 + 18, with: Array("__OTHERSEG".utf8))
        let place = 32 + 72 + 72 + 48
        #expect(try read(bytes).problems.map(\.code) == [.imageEnd])
        bytes.set32(1000, at: place + 16, .little)
        bytes.set32(UInt32(bytes.count) - 1000, at: place + 20, .little)
        #expect(try read(bytes).problems == [])
        // The sum does not wrap to something that fits.
        bytes.set32(0xffff_ffff, at: place + 16, .little)
        #expect(try read(bytes).problems.map(\.code) == [.imageEnd])
    }

    @Test("A count that ends before or after the size of the load commands is not passed over")
    func commandCount() throws {
        var bytes = SyntheticSlice().bytes()
        let count = bytes.get32(at: 16, .little)
        bytes.set32(count - 1, at: 16, .little)
        #expect(try read(bytes).problems.map(\.code).contains(.loadCommandCount))
        bytes.set32(.max, at: 16, .little)
        #expect(throws: CodeProblem.self) { try read(bytes) }
    }

    @Test("A load command must have room, alignment and its structure", arguments: [0, 4, 9, 70, 0xffff_fff8])
    func commandSize(_ size: UInt32) {
        var bytes = SyntheticSlice().bytes()
        bytes.set32(size, at: 36, .little)
        #expect(throws: CodeProblem(.loadCommandInvalid, at: 32, "")) { try read(bytes) }
        // Aligned, but shorter than a segment.
        bytes.set32(16, at: 36, .little)
        #expect(throws: CodeProblem(.outOfBounds, at: 40, "")) { try read(bytes) }
    }

    @Test("Sections beyond their command are refused")
    func sections() {
        var made = SyntheticSlice()
        made.infoPlist = [1]
        var bytes = made.bytes()
        for count: UInt32 in [2, .max] {
            bytes.set32(count, at: 32 + 64, .little)
            #expect(throws: CodeProblem(.loadCommandInvalid, at: 32, "")) { try read(bytes) }
        }
    }

    @Test("An Info.plist outside the slice is a problem and none, one that is too large is refused")
    func infoPlist() throws {
        var made = SyntheticSlice()
        made.infoPlist = [1, 2, 3]
        var bytes = made.bytes()
        bytes.set32(0xffff_ffff, at: 32 + 72 + 44, .little)
        #expect(try read(bytes).infoPlist == nil)
        #expect(try read(bytes).problems.map(\.code) == [.rangeOutside])
        made.infoPlist = [UInt8](repeating: 32, count: 1024 * 1024 + 1)
        let large = try read(made.bytes())
        #expect(throws: CodeProblem.self) { try large.readInfoPlist() }
    }

    @Test("A segment of the other word size, which only some readers see, is suspicious")
    func otherWidth() throws {
        var made = SyntheticSlice()
        made.extraCommands = [command([0x1, 56] + [UInt32](repeating: 0, count: 12))]
        #expect(try read(made.bytes()).problems.map(\.code) == [.loadCommandInvalid])
    }

    @Test("Second segments of the names that decide are suspicious")
    func duplicateSegments() throws {
        for name in ["__LINKEDIT", "__TEXT"] {
            var list = ByteList(order: .little)
            list.u32(0x19)
            list.u32(72)
            list.name(name)
            list.append([UInt8](repeating: 0, count: 48))
            var made = SyntheticSlice()
            made.extraCommands = [list.bytes]
            #expect(try read(made.bytes()).problems.map(\.code) == [.duplicateLoadCommand])
        }
    }

    @Test("A flood of problems is cut, and the slice stays suspicious")
    func flood() throws {
        var made = SyntheticSlice()
        made.extraCommands = Array(repeating: command([0x1d, 16, 0, 0]), count: 5000)
        #expect(try read(made.bytes()).problems.count == CodeIdentityLimits.sliceProblems.value)
    }

    @Test("Load commands beyond the limit, or beyond the slice, are refused")
    func areaSize() {
        var bytes = SyntheticSlice().bytes()
        bytes.set32(0x7fff_ffff, at: 20, .little)
        #expect(throws: CodeProblem(.limit, at: 20, "")) { try read(bytes) }
        bytes.set32(512 * 1024, at: 20, .little)
        #expect(throws: CodeProblem(.outOfBounds, at: 32, "")) { try read(bytes) }
    }
}
