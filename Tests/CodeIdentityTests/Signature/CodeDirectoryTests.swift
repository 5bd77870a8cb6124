// SPDX-License-Identifier: Apache-2.0

// Code directories of every version, and the rules that they must keep.

import Testing

@testable import CodeIdentity

@Suite("Code directory") struct CodeDirectoryTests {
    private let code = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }

    private func read(_ bytes: [UInt8]) throws -> CodeDirectory { try CodeDirectory(bytes[...], slot: 0) }

    /// The whole signature of the fsevents module in the wheel watchdog 7.1.0 for arm64 (PyPI; Apache-2.0), as the
    /// linker made it; the digest is what Apple's tools and two other readers give.
    static let linkerSigned = """
        fade0cc000000275000000010000000000000014fade0c020000026100020400000200020000008100000058000000000000\
        000f0000ecf02002000c000000000000000000000000000000000000000000000000000000000000000000000000000011d8\
        00000000000000005f7761746368646f675f66736576656e74732e63707974686f6e2d3331322d64617277696e2e736f00b6\
        9964b64862d4d8cec3cac04222bcc667e828bc344f2c0400b8b94646cbff1d095eaa1eb5ad7fe2f52e406da2261eb13608fb\
        cfa2125f02fde10e56c978c6a474019bafcc0bb10e9dc335e05db860a0855c2905a3f8f50b9bb773af0155fd96ad7facb258\
        6fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7c2557a0e8f29f69c5cc9431f4fc5adf43567d5f24d6d6d\
        44a6e8069dbf373682ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7ad7facb2586fc6e966\
        c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd\
        8b48892ca7de179a38266ddccb6780823eca1af1a8a4f7d772721e1d82be02ec5c2af64ed0ad7facb2586fc6e966c004d7d1\
        d16b024f5805ff7cb47c7a85dabd8b48892ca7ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892c\
        a7ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7956135b17f5bb29f4e777a1e5f9837a998\
        0f5d81fb3d21e600bef9fc199d361f923631cddf81f427c4c616a7c1319b34e45a278cf9aefa153a142fe22e68fcb115e5a4\
        adf63f16196931dafc369db12d532ec7abdb25fdff0f3e8ab3dc31f256
        """

    @Test("A directory that Apple's linker made has the cdhash that Apple's tools give")
    func linkerSigned() throws {
        let bytes = try #require(Hexadecimal.bytes(Self.linkerSigned.utf8))
        let blob = try SuperBlob(bytes[...], magic: BlobMagic.embeddedSignature)
        let directory = try CodeDirectory(try #require(blob.blob(0)), slot: 0)
        #expect(directory.cdhash.description == "bbbc6179b5f96ab1c67886f7c7dc2b88ddb5c56e")
        #expect(
            Hexadecimal.text(directory.digest.full)
                == "bbbc6179b5f96ab1c67886f7c7dc2b88ddb5c56e16df5d90790e0ed8c109f176")
        #expect(directory.identifierText == "_watchdog_fsevents.cpython-312-darwin.so")
        #expect(directory.flags == [.adhoc, .linkerSigned])
        #expect(directory.version == 0x20400)
        #expect(directory.hashType == .sha256)
        #expect(directory.pageShift == 12)
        #expect(directory.codeSlotCount == 15)
        #expect(directory.codeLimit == 60656)
        #expect(directory.executableSegment == .init(base: 0, limit: 4568, flags: 0))
        #expect(directory.runtime == nil)
        #expect(directory.team == nil)
        // Pages of zeroes have one hash.
        let zeroes = CodeHashType.sha256.slotDigest([UInt8](repeating: 0, count: 4096)[...])
        #expect(directory.codeHash(3) == zeroes)
        #expect(directory.codeHash(15) == nil)
        #expect(directory.codeHash(-1) == nil)
    }

    @Test(
        "Optional fields are read as far as the version has them",
        arguments: [0x20001, 0x20100, 0x20200, 0x20300, 0x20400, 0x20500, 0x20600, 0x2f000] as [UInt32])
    func versions(_ version: UInt32) throws {
        var made = SyntheticDirectory(version: version)
        made.team = "ABCDE12345"
        made.runtime = 0x001a_0500
        made.platform = 13
        let directory = try read(made.blob(code: code, components: [1: [1], 5: [5]]))
        #expect(directory.version == version)
        #expect(directory.identifierText == "org.example.tool")
        #expect(directory.platform == 13)
        #expect(directory.teamText == (version >= 0x20200 ? "ABCDE12345" : nil))
        #expect((directory.executableSegment != nil) == (version >= 0x20400))
        #expect(directory.runtime?.description == (version >= 0x20500 ? "26.5.0" : nil))
        #expect((directory.linkage != nil) == (version >= 0x20600))
        #expect(directory.codeLimit == 10_000)
        #expect(directory.codeSlotCount == 3)
        #expect(directory.specialSlotCount == 5)
        #expect(directory.specialHash(1) == made.hash([1])[...])
        #expect(directory.specialHash(5) == made.hash([5])[...])
        for absent in [0, -1, 2, 6, .max, .min] { #expect(directory.specialHash(absent) == nil) }
        #expect(directory.codeHash(2) == made.hash(code[8192...])[...])
    }

    @Test("Every hash type names the directory by its own digest, cut to 20 bytes", arguments: CodeHashType.allCases)
    func hashTypes(_ type: CodeHashType) throws {
        var made = SyntheticDirectory()
        made.hashType = type
        let bytes = made.blob(code: code, components: [:])
        let directory = try read(bytes)
        #expect(directory.hashType == type)
        #expect(directory.digest.full.count == [.sha1: 20, .sha384: 48][type, default: 32])
        #expect(directory.cdhash.bytes == Array(made.hash(bytes[...]).prefix(20)))
        #expect(directory.codeHash(0)?.count == type.size)
    }

    @Test("The limit of 64 bits counts where it is not zero")
    func wideLimit() throws {
        var made = SyntheticDirectory()
        made.wideLimit = true
        var bytes = made.blob(code: code, components: [:])
        #expect(try read(bytes).codeLimit == 10_000)
        // The old field says something else and is not looked at.
        bytes.set32(77, at: 32)
        #expect(try read(bytes).codeLimit == 10_000)
        // Five gigabytes want more hashes than there are.
        bytes.set32(1, at: 56)
        #expect(throws: CodeProblem(.codeDirectoryInvalid, at: 28, "")) { try read(bytes) }
    }

    @Test("Page size 0 is one page of everything, or none of nothing")
    func unpaged() throws {
        var made = SyntheticDirectory()
        made.pageShift = 0
        #expect(try read(made.blob(code: code, components: [:])).codeSlotCount == 1)
        #expect(try read(made.blob(code: [], components: [:])).codeSlotCount == 0)
        made.pageShift = 12
        #expect(throws: CodeProblem(.codeDirectoryInvalid, at: 28, "")) {
            try read(made.blob(code: [], components: [:]))
        }
    }

    @Test("Hashes from before encryption stand apart, and must lie inside")
    func preEncrypt() throws {
        var made = SyntheticDirectory()
        made.preEncrypt = true
        var bytes = made.blob(code: code, components: [:])
        let directory = try read(bytes)
        #expect(directory.hasPreEncryptHashes)
        #expect(directory.preEncryptHash(2) == [UInt8](repeating: 0xee, count: 32)[...])
        #expect(directory.preEncryptHash(3) == nil)
        #expect(directory.codeHash(0) == made.hash(code[..<4096])[...])
        bytes.set32(UInt32(bytes.count - 95), at: 92)
        #expect(throws: CodeProblem(.codeDirectoryInvalid, at: 28, "")) { try read(bytes) }
        made.preEncrypt = false
        #expect(try read(made.blob(code: code, components: [:])).preEncryptHash(0) == nil)
    }

    @Test("A scatter vector is accepted when it scatters nothing, and else unsupported")
    func scatter() throws {
        var made = SyntheticDirectory()
        made.scatter = [(2, 0, 0), (1, 2, 8192)]
        #expect(try read(made.blob(code: code, components: [:])).codeSlotCount == 3)
        let scattered: [[(count: UInt32, base: UInt32, target: UInt64)]] = [
            [(2, 0, 0)], [(3, 1, 4096)], [(2, 0, 0), (1, 2, 0)], [(4, 0, 0)], [(2, 0, 0), (.max, 2, 8192)],
        ]
        for scatter in scattered {
            made.scatter = scatter
            let problem = #expect(throws: CodeProblem.self) { try read(made.blob(code: code, components: [:])) }
            #expect(problem?.code == .codeDirectoryUnsupported)
        }
        made.scatter = (0..<1030).map { (1, $0, UInt64($0) * 4096) }
        let problem = #expect(throws: CodeProblem.self) { try read(made.blob(code: code, components: [:])) }
        #expect(problem?.code == .limit)
    }

    @Test(
        "A field that contradicts the others is refused at its place",
        arguments: [
            (0, 0xfade_0c01, .codeDirectoryInvalid, 0),
            (8, 0x20000, .codeDirectoryUnsupported, 8), (8, 0x2f001, .codeDirectoryUnsupported, 8),
            // Hash size, hash type, platform, page size.
            (36, 0x2005_000c, .codeDirectoryUnsupported, 37), (36, 0x2000_000c, .codeDirectoryUnsupported, 37),
            (36, 0x1402_000c, .codeDirectoryInvalid, 36), (36, 0x0002_000c, .codeDirectoryInvalid, 36),
            (36, 0x2002_0020, .codeDirectoryUnsupported, 39), (36, 0x2002_00ff, .codeDirectoryUnsupported, 39),
            (36, 0x2002_000d, .codeDirectoryInvalid, 28), (36, 0x2002_0000, .codeDirectoryInvalid, 28),
            (16, 31, .codeDirectoryInvalid, 24), (16, 0xffff_ffff, .codeDirectoryInvalid, 28),
            (24, 0xffff_ffff, .codeDirectoryInvalid, 24), (28, 0xffff_ffff, .codeDirectoryInvalid, 28),
            (28, 2, .codeDirectoryInvalid, 28), (32, 0, .codeDirectoryInvalid, 28),
            (32, 4096, .codeDirectoryInvalid, 28), (20, 0, .codeDirectoryInvalid, 20),
        ] as [(Int, UInt32, CodeProblem.Code, UInt64)])
    func contradiction(_ offset: Int, _ value: UInt32, _ code: CodeProblem.Code, _ place: UInt64) {
        var bytes = SyntheticDirectory().blob(code: self.code, components: [1: [1]])
        bytes.set32(value, at: offset)
        #expect(throws: CodeProblem(code, at: place, "")) { try read(bytes) }
    }

    @Test("Names and lengths outside the blob are refused", arguments: [4, 20, 44, 48])
    func outside(_ offset: Int) {
        var bytes = SyntheticDirectory().blob(code: code, components: [:])
        bytes.set32(0xffff_fff0, at: offset)
        let problem = #expect(throws: CodeProblem.self) { try read(bytes) }
        #expect(problem?.code == .outOfBounds)
    }

    @Test("A name without its NUL is refused")
    func unterminated() throws {
        var made = SyntheticDirectory()
        made.identifier = ""
        var bytes = made.blob(code: code, components: [:])
        for index in 96..<bytes.count { bytes[index] = 1 }
        #expect(throws: CodeProblem(.outOfBounds, at: 96, "")) { try read(bytes) }
    }

    @Test("Every cut of a directory is refused, whatever its length says")
    func cuts() {
        let bytes = SyntheticDirectory().blob(code: code, components: [1: [1]])
        for count in 0..<bytes.count {
            #expect(throws: CodeProblem.self) { try read(Array(bytes[..<count])) }
            var shorter = Array(bytes[..<count])
            if count >= 8 { shorter.set32(UInt32(count), at: 4) }
            #expect(throws: CodeProblem.self) { try read(shorter) }
        }
    }
}
