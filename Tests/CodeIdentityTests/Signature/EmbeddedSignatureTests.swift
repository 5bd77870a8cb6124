// SPDX-License-Identifier: Apache-2.0

// Signatures of slices: who is said to have signed, and what makes a signature one to distrust.

import Testing

@testable import CodeIdentity

@Suite("Embedded signature") struct EmbeddedSignatureTests {
    private func read(_ made: SyntheticSlice) throws -> EmbeddedSignature? {
        try EmbeddedSignature.read(slice(made.bytes()))
    }

    private func slice(_ bytes: [UInt8]) throws -> MachOSlice {
        try #require(try MachOFile.read(MemoryBytes(bytes)).slices.first)
    }

    private func signed(_ flags: CodeSignatureFlags, cms: [UInt8]? = nil) -> SyntheticSlice {
        var made = SyntheticSlice()
        made.directories[0].flags = flags
        if let cms { made.cms = { _ in cms } }
        return made
    }

    @Test("A slice without a signature has none")
    func unsigned() throws {
        var made = SyntheticSlice()
        made.directories = []
        #expect(try read(made) == nil)
    }

    @Test("The four ways of signing are told apart")
    func signing() throws {
        #expect(try read(signed(.adhoc))?.signing == .adhoc)
        #expect(try read(signed([.adhoc, .linkerSigned]))?.signing == .adhocLinker)
        let cms = try #require(try read(signed(.runtime, cms: [0x30, 0])))
        #expect(cms.signing == .cms)
        #expect(cms.cms == [0x30, 0])
        #expect(cms.problems == [])
        var wrapper = signed(.adhoc)
        wrapper.emptyWrapper = true
        let adhoc = try #require(try read(wrapper))
        #expect(adhoc.signing == .adhoc)
        #expect(adhoc.cms == nil)
        #expect(adhoc.problems == [])
        #expect(
            [CodeSigning.cms, .adhoc, .adhocLinker, .unsigned].map(\.rawValue) == [
                "cms", "adhoc", "adhoc-linker", "unsigned",
            ])
    }

    @Test("The ad-hoc flag on code with a CMS signature is a problem, in whichever directory it stands")
    func adhocWithCMS() throws {
        #expect(try read(signed(.adhoc, cms: [1]))?.problems.map(\.code) == [.adhocWithCMS])
        var made = signed([], cms: [1])
        made.directories.append(SyntheticDirectory(slot: 0x1000, flags: .adhoc, hashType: .sha384))
        #expect(try read(made)?.problems.map(\.code) == [.adhocWithCMS])
    }

    @Test("Neither a CMS signature nor the flag means unsigned, and a problem", arguments: [true, false])
    func nobody(_ wrapper: Bool) throws {
        var made = signed([])
        made.emptyWrapper = wrapper
        let signature = try #require(try read(made))
        #expect(signature.signing == .unsigned)
        #expect(signature.problems.map(\.code) == [.nobodySigned])
    }

    @Test("The directory of the best hash is the code's, wherever it stands")
    func best() throws {
        var made = SyntheticSlice()
        made.directories = [
            SyntheticDirectory(hashType: .sha1), SyntheticDirectory(slot: 0x1000, hashType: .sha384),
            SyntheticDirectory(slot: 0x1001, hashType: .sha256),
            SyntheticDirectory(slot: 0x1002, hashType: .sha256Truncated),
        ]
        let signature = try #require(try read(made))
        #expect(signature.problems == [])
        #expect(signature.directories.map(\.slot) == [0, 0x1000, 0x1001, 0x1002])
        #expect(signature.best.slot == 0x1000)
        made.directories.remove(at: 1)
        made.directories[1].slot = 0x1000
        made.directories[2].slot = 0x1001
        #expect(try read(made)?.best.hashType == .sha256)
        made.directories.remove(at: 1)
        made.directories[1].slot = 0x1000
        #expect(try read(made)?.best.hashType == .sha256Truncated)
    }

    @Test("A gap in the alternates is a problem, and the directory behind it is seen")
    func gap() throws {
        var made = SyntheticSlice()
        made.directories.append(SyntheticDirectory(slot: 0x1001, hashType: .sha384))
        let signature = try #require(try read(made))
        #expect(signature.problems.map(\.code) == [.alternateGap])
        #expect(signature.best.slot == 0x1001)
    }

    @Test("Two directories of one hash type are a problem")
    func sameHash() throws {
        var made = SyntheticSlice()
        made.directories.append(SyntheticDirectory(slot: 0x1000))
        #expect(try read(made)?.problems.map(\.code) == [.duplicateHashType])
    }

    @Test("Directories that name different code, or different teams, are a problem")
    func disagreement() throws {
        var made = SyntheticSlice()
        made.directories.append(SyntheticDirectory(slot: 0x1000, hashType: .sha1))
        made.directories[1].identifier = "com.apple.ls"
        #expect(try read(made)?.problems.map(\.code) == [.directoriesDisagree])
        made.directories[1].identifier = made.directories[0].identifier
        made.directories[1].team = "ABCDE12345"
        #expect(try read(made)?.problems.map(\.code) == [.directoriesDisagree])
    }

    @Test("A signature without a directory in slot 0 is refused")
    func noDirectory() {
        var made = SyntheticSlice()
        made.directories[0].slot = 0x1000
        let problem = #expect(throws: CodeProblem.self) { try read(made) }
        #expect(problem?.code == .codeDirectoryMissing)
    }

    @Test("A directory that covers less than precedes the signature is fatal, one that covers more a problem")
    func codeLimit() throws {
        var made = SyntheticSlice()
        let length = try slice(made.bytes()).signedLength
        made.directories[0].codeLimit = length - 1
        let problem = #expect(throws: CodeProblem.self) { try read(made) }
        #expect(problem?.code == .unsignedBytes)
        #expect(problem?.offset == length + 20)
        made.directories[0].codeLimit = length + 1
        #expect(try read(made)?.problems.map(\.code) == [.codeLimit])
        // Also where only an alternate is short.
        made.directories[0].codeLimit = nil
        made.directories.append(SyntheticDirectory(slot: 0x1000, hashType: .sha1, codeLimit: 4096))
        let second = #expect(throws: CodeProblem.self) { try read(made) }
        #expect(second?.code == .unsignedBytes)
    }

    @Test("Page sizes that the kernel does not take are a problem", arguments: [0, 11, 13, 15])
    func pageSize(_ shift: UInt8) throws {
        var made = SyntheticSlice()
        made.directories[0].pageShift = shift
        #expect(try read(made)?.problems.map(\.code) == [.pageSize])
        made.directories[0].pageShift = 14
        #expect(try read(made)?.problems == [])
    }

    @Test("Components are found by slot, as far as a hash seals them")
    func components() throws {
        let set = SyntheticSlice.blob(BlobMagic.requirementSet, [0, 0, 0, 0])
        let xml = SyntheticSlice.blob(BlobMagic.entitlements, Array("<plist/>".utf8))
        let der = SyntheticSlice.blob(BlobMagic.derEntitlements, [0x70, 0])
        let constraint = SyntheticSlice.blob(BlobMagic.launchConstraint, [0x30, 0])
        var made = SyntheticSlice()
        made.blobs = [(2, set), (5, xml), (7, der), (8, constraint), (11, constraint)]
        let signature = try #require(try read(made))
        #expect(signature.problems == [])
        #expect(signature.requirementSet == set[...])
        #expect(signature.entitlementsXML?.elementsEqual("<plist/>".utf8) == true)
        #expect(signature.component(.entitlements) == xml[...])
        #expect(signature.entitlementsDER == [0x70, 0])
        #expect(signature.component(.launchConstraintSelf) == constraint[...])
        #expect(signature.component(.libraryConstraint) == constraint[...])
        #expect(signature.component(.launchConstraintParent) == nil)
        #expect(signature.component(.infoPlist) == nil)

        made.directories[0].unsealed = [5]
        let unsealed = try #require(try read(made))
        #expect(unsealed.entitlementsXML == nil)
        #expect(unsealed.problems.map(\.code) == [.unsealedComponent])
    }

    @Test("A blob of another kind in a slot is a problem and no component")
    func wrongKind() throws {
        var made = SyntheticSlice()
        made.blobs = [(5, SyntheticSlice.blob(BlobMagic.derEntitlements, [0x70, 0]))]
        let signature = try #require(try read(made))
        #expect(signature.problems.map(\.code) == [.slotMagic])
        #expect(signature.entitlementsXML == nil)
        made = signed([])
        made.blobs = [(0x10000, SyntheticSlice.blob(BlobMagic.entitlements, [1]))]
        let cms = try #require(try read(made))
        #expect(cms.signing == .unsigned)
        #expect(cms.problems.map(\.code) == [.slotMagic, .nobodySigned])
    }

    @Test(
        "A signature of another magic number is refused with its place in the file",
        arguments: [0xfade_0b02, 0xfade_0c02])
    func magic(_ magic: UInt32) throws {
        var bytes = SyntheticSlice().bytes()
        let start = try slice(bytes).signedLength
        bytes.set32(magic, at: Int(start))
        #expect(throws: CodeProblem(.superBlobInvalid, at: start, "")) { try EmbeddedSignature.read(slice(bytes)) }
    }

    @Test("Mixed files are normal: each slice has its own signature or none")
    func mixed() throws {
        var intel = SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3)
        intel.directories = []
        let file = try MachOFile.read(
            MemoryBytes(SyntheticUniversal(slices: [intel, signed([.adhoc, .linkerSigned])]).bytes()))
        #expect(try file.slices.map { try EmbeddedSignature.read($0)?.signing } == [nil, .adhocLinker])
        #expect(!file.isSuspicious)
    }
}
