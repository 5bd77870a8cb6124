// SPDX-License-Identifier: Apache-2.0

// Files that are cut or changed anywhere: they end in an answer or an error, never in a trap.

import Testing

@testable import CodeIdentity

@Suite("Hostile files") struct HostileFileTests {
    /// What a reader says of a file, with everything that it can be asked.
    private struct Answer: Equatable {
        var sound = false
        var names: [CDHash] = []
    }

    private func examine(_ bytes: [UInt8]) throws(CodeProblem) -> Answer {
        let file = try MachOFile.read(MemoryBytes(bytes))
        var answer = Answer(sound: !file.isSuspicious)
        for slice in file.slices {
            _ = try? slice.readInfoPlist()
            guard let signature = try EmbeddedSignature.read(slice) else {
                answer.sound = false
                continue
            }
            let info: SlotComponent = (try slice.readInfoPlist()).map { .bytes($0) } ?? .none
            let broken = signature.brokenSlots(ExternalComponents(infoPlist: info, codeResources: .none))
            let bad = try PageCheck.badPages(slice.source, signature.directories)
            answer.sound = answer.sound && broken.isEmpty && bad.isEmpty && signature.problems.isEmpty
            answer.names.append(signature.best.cdhash)
            _ = signature.superBlob.tilesExactly
            for page in [0, 1, .max] { _ = signature.best.preEncryptHash(page) }
        }
        return answer
    }

    private var file: SyntheticUniversal {
        var intel = SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3, wide: false, order: .big)
        intel.codeSize = 300
        intel.infoPlist = Array("<plist/>".utf8)
        intel.directories.append(SyntheticDirectory(slot: 0x1000, hashType: .sha1, scatter: [(1, 0, 0)]))
        var arm = SyntheticSlice()
        arm.codeSize = 300
        arm.directories[0].preEncrypt = true
        arm.blobs = [
            (2, SyntheticSlice.blob(BlobMagic.requirementSet, [0, 0, 0, 0])),
            (7, SyntheticSlice.blob(BlobMagic.derEntitlements, [0x70, 0])),
        ]
        return SyntheticUniversal(slices: [intel, arm])
    }

    @Test("The file that the others are made from is sound")
    func sound() throws { #expect(try examine(file.bytes()).sound) }

    @Test("Every cut of a universal file, and of a thin one, is refused or suspicious")
    func cuts() {
        for bytes in [file.bytes(), file.slices[1].bytes()] {
            for count in 0..<bytes.count {
                let answer = try? examine(Array(bytes[..<count]))
                #expect(answer?.sound != true, "cut to \(count)")
            }
        }
    }

    @Test("Each changed byte of a signed slice breaks it or changes its name, but in the free space of the signature")
    func everyByte() throws {
        let bytes = file.slices[1].bytes()
        let before = try examine(bytes)
        let start = Int(try MachOFile.read(MemoryBytes(bytes)).slices[0].signedLength)
        let end = start + Int(bytes.get32(at: start + 4))
        // The length of the superblob only says where free space begins.
        for place in 0..<end where !(start + 4..<start + 8).contains(place) {
            var changed = bytes
            changed[place] ^= 0x01
            guard let answer = try? examine(changed), answer.sound else { continue }
            #expect(answer.names != before.names, "byte \(place)")
        }
    }

    @Test("Random changes of many bytes never trap, and never leave the names as they were", arguments: 0..<8)
    func randomChanges(_ seed: UInt64) throws {
        var random = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func next(_ bound: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(bound))
        }
        let bytes = file.bytes()
        // Headers, load commands and signatures are where a change leads astray.
        let intel = try MachOFile.read(MemoryBytes(bytes)).slices
        let places =
            [0..<64]
            + intel.flatMap { slice in
                [
                    Int(slice.offset)..<Int(slice.offset + slice.headerEnd),
                    Int(slice.offset + slice.signedLength)..<Int(slice.offset + slice.size),
                ]
            }
        for _ in 0..<400 {
            var changed = bytes
            for _ in 0...next(4) {
                let area = places[next(places.count)]
                let value = [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: next(256))][next(6)]
                changed[area.lowerBound + next(area.count)] = value
            }
            _ = try? examine(changed)
        }
    }
}
