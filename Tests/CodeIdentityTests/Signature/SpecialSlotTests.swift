// SPDX-License-Identifier: Apache-2.0

// What a directory seals besides pages.

import Testing

@testable import CodeIdentity

@Suite("Special slots") struct SpecialSlotTests {
    private let info = Array("<plist>info</plist>".utf8)
    private let resources = Array("<plist>resources</plist>".utf8)
    private let entitlements = SyntheticSlice.blob(BlobMagic.entitlements, Array("<plist/>".utf8))

    private func made() -> SyntheticSlice {
        var made = SyntheticSlice()
        made.infoPlist = info
        made.codeResources = resources
        made.blobs = [(2, SyntheticSlice.blob(BlobMagic.requirementSet, [0, 0, 0, 0])), (5, entitlements)]
        made.directories.append(SyntheticDirectory(slot: 0x1000, hashType: .sha384))
        return made
    }

    private func read(_ bytes: [UInt8]) throws -> EmbeddedSignature {
        let slice = try #require(try MachOFile.read(MemoryBytes(bytes)).slices.first)
        return try #require(try EmbeddedSignature.read(slice))
    }

    @Test("Components that are the signed ones are so in every directory; slots without a hash are absent")
    func intact() throws {
        let signature = try read(made().bytes())
        let external = ExternalComponents(infoPlist: .bytes(info), codeResources: .bytes(resources), repSpecific: .none)
        for directory in signature.directories {
            let outcomes = signature.slotOutcomes(directory, external)
            #expect(outcomes.filter { $0.value == .ok }.map(\.key.rawValue).sorted() == [1, 2, 3, 5])
            #expect(outcomes.filter { $0.value == .absent }.count == 7)
        }
        #expect(signature.brokenSlots(external) == [])
    }

    @Test("Components outside the signature are checked, missing or not looked at")
    func external() throws {
        let signature = try read(made().bytes())
        let none = signature.slotOutcomes(signature.best)
        #expect(none[.infoPlist] == .notChecked)
        #expect(none[.codeResources] == .notChecked)
        let external = ExternalComponents(infoPlist: .bytes(info + [32]), codeResources: .none)
        let outcomes = signature.slotOutcomes(signature.best, external)
        #expect(outcomes[.infoPlist] == .mismatch)
        #expect(outcomes[.codeResources] == .missing)
        #expect(signature.brokenSlots(external) == [.infoPlist, .codeResources])
    }

    @Test("One changed byte of a component in the signature breaks its slot")
    func changed() throws {
        var bytes = made().bytes()
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: entitlements) })
        bytes[place + 9] ^= 1
        #expect(try read(bytes).brokenSlots() == [.entitlements])
    }

    @Test("A component taken out of the index is missing")
    func takenOut() throws {
        var bytes = made().bytes()
        let start =
            bytes.count - Int(try #require(try MachOFile.read(MemoryBytes(bytes)).slices[0].codeSignature?.count))
        let entry = try #require((0..<5).map { start + 12 + 8 * $0 }.first { bytes.get32(at: $0) == 5 })
        bytes.set32(0, at: entry + 4)
        let signature = try read(bytes)
        #expect(signature.brokenSlots() == [.entitlements])
        #expect(signature.slotOutcomes(signature.best)[.entitlements] == .missing)
    }

    @Test("One changed byte of a slot breaks that directory's slot, and another directory does not mend it")
    func changedSlot() throws {
        var bytes = made().bytes()
        let hash = SyntheticDirectory(hashType: .sha384).hash(entitlements[...])
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: hash) })
        let before = try read(bytes)
        bytes[place] ^= 1
        let signature = try read(bytes)
        #expect(signature.slotOutcomes(signature.directories[0])[.entitlements] == .ok)
        #expect(signature.slotOutcomes(signature.directories[1])[.entitlements] == .mismatch)
        #expect(signature.brokenSlots() == [.entitlements])
        #expect(signature.best.cdhash != before.best.cdhash)
    }

    private func withTopDirectory(_ slots: [UInt32]) throws -> EmbeddedSignature {
        var list = ByteList()
        for slot in slots { list.u32(slot) }
        var made = made()
        made.blobs.append((4, SyntheticSlice.blob(BlobMagic.wrapper, list.bytes)))
        return try read(made.bytes())
    }

    @Test("The top directory lists what there is, in one order")
    func topDirectory() throws {
        let right: [UInt32] = [0, 1, 2, 3, 4, 5, 0x1000, 0x10000]
        let signature = try withTopDirectory(right)
        #expect(signature.slotOutcomes(signature.best)[.topDirectory] == .ok)
        for wrong in [[], Array(right.dropLast()), right + [0], [0, 2, 1, 3, 4, 5, 0x1000, 0x10000]] as [[UInt32]] {
            let signature = try withTopDirectory(wrong)
            #expect(signature.slotOutcomes(signature.best)[.topDirectory] == .mismatch)
            #expect(signature.brokenSlots() == [.topDirectory])
        }
    }
}
