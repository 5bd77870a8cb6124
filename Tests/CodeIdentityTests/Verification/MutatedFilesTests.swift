// SPDX-License-Identifier: Apache-2.0

// Real signed files, changed in one place each: the right check refuses, for the right reason.

import Testing

@testable import CodeIdentity

@Suite("Changed files") struct MutatedFilesTests {
    @Test("A change of a Developer ID program is refused for what it is", arguments: Tampering.program)
    func program(_ tampering: Tampering) throws { try tampering.check(TamperedFile("scripts/uvx")) }

}

extension Tampering {
    static let program = [
        Tampering("a byte of the header", ["pages": .pageMismatch]) { $0.flip(24) },
        Tampering("a byte of a load command", ["pages": .pageMismatch]) { file in
            let uuid = try #require(try MachOFile.read(MemoryBytes(file.bytes)).slices[0].uuid)
            let place = try #require((0..<4096).first { Array(file.bytes[$0..<$0 + 16]) == uuid })
            file.flip(place)
        },
        Tampering("a byte in the middle", ["pages": .pageMismatch]) { $0.flip($0.bytes.count / 2) },
        Tampering("the last byte that is signed", ["pages": .pageMismatch]) {
            $0.flip($0.slices[0].signature.lowerBound - 1)
        },
        Tampering("the first byte of the last page", ["pages": .pageMismatch]) {
            $0.flip(($0.slices[0].signature.lowerBound - 1) & ~16_383)
        },
        Tampering(
            "the hash of a page, to fit a changed page", ["signature": .cmsDigestMismatch]
        ) { file in
            file.flip(100_000)
            try file.rehash(pageAt: 100_000)
        },
        Tampering("the hash of a page", ["pages": .pageMismatch, "signature": .cmsDigestMismatch]) { file in
            file.flip(file.slices[0].directory + Int(file.bytes.get32(at: file.slices[0].directory + 16)))
        },
        Tampering("the hash of slot 2", ["slots": .slotMismatch, "signature": .cmsDigestMismatch]) { file in
            file.flip(file.slices[0].directory + Int(file.bytes.get32(at: file.slices[0].directory + 16)) - 64)
        },
        Tampering("the requirement", ["slots": .slotMismatch]) {
            $0.flip(($0.slices[0].blobs[2]?.upperBound ?? 0) - 5)
        },
        Tampering("the requirement taken out", ["slots": .slotMismatch]) {
            try $0.rebuild { $0.removeAll { $0.slot == 2 } }
        },
        Tampering("the identifier", ["signature": .cmsDigestMismatch]) { file in
            file.flip(file.slices[0].directory + Int(file.bytes.get32(at: file.slices[0].directory + 20)))
        },
        Tampering("the team", ["signature": .cmsDigestMismatch]) { file in
            file.flip(file.slices[0].directory + Int(file.bytes.get32(at: file.slices[0].directory + 48)))
        },
        Tampering("the hardened runtime taken away", ["signature": .cmsDigestMismatch]) { file in
            file.bytes.set32(0, at: file.slices[0].directory + 12)
        },
        Tampering("the ad-hoc flag", ["structure": .adhocWithCMS, "signature": .cmsDigestMismatch]) {
            $0.add(2, toDirectoryField: 12)
        },
        Tampering("no CMS signature", ["structure": .nobodySigned]) {
            try $0.rebuild { $0.removeAll { $0.slot == EmbeddedSignature.cmsSlot } }
        },
        Tampering("an empty CMS signature", ["structure": .nobodySigned]) {
            try $0.rebuild { blobs in
                blobs[blobs.count - 1].blob = SyntheticSlice.blob(BlobMagic.wrapper, [])
            }
        },
        Tampering("a limit before the end of the code", ["structure": .unsignedBytes]) {
            $0.add(-1, toDirectoryField: 32)
        },
        Tampering("a limit a page earlier", ["structure": .unsignedBytes]) {
            $0.add(-16_384, toDirectoryField: 32)
            $0.add(-1, toDirectoryField: 28)
        },
        Tampering(
            "a limit behind the code",
            ["structure": .codeLimit, "pages": .pageMismatch, "signature": .cmsDigestMismatch]
        ) { $0.add(1, toDirectoryField: 32) },
        Tampering("a limit of 64 bits that covers little", ["structure": .codeDirectoryInvalid]) {
            $0.add(4096, toDirectoryField: 60)
        },
        Tampering("a page hash fewer", ["structure": .codeDirectoryInvalid]) { $0.add(-1, toDirectoryField: 28) },
        Tampering("no pages at all", ["structure": .codeDirectoryInvalid]) {
            $0.bytes.set32(0, at: $0.slices[0].directory + 28)
        },
        Tampering("one page of everything", ["structure": .codeDirectoryInvalid]) {
            $0.bytes[$0.slices[0].directory + 39] = 0
        },
        Tampering("fewer special slots", ["structure": .unsealedComponent, "signature": .cmsDigestMismatch]) {
            $0.add(-1, toDirectoryField: 24)
        },
        Tampering("special slots over the identifier", ["slots": .slotMismatch, "signature": .cmsDigestMismatch]) {
            $0.add(1, toDirectoryField: 24)
        },
        Tampering("special slots beyond the start", ["structure": .codeDirectoryInvalid]) {
            $0.add(64, toDirectoryField: 24)
        },
        Tampering("a signature that ends elsewhere", ["pages": .pageMismatch]) { file in
            let place = try #require(file.signatureCommand)
            file.bytes.set32(file.bytes.get32(at: place + 12, .little) - 16, at: place + 12, .little)
        },
        Tampering("a signature that begins elsewhere", ["structure": .superBlobInvalid]) { file in
            let place = try #require(file.signatureCommand)
            file.bytes.set32(file.bytes.get32(at: place + 8, .little) - 16, at: place + 8, .little)
            file.bytes.set32(file.bytes.get32(at: place + 12, .little) + 16, at: place + 12, .little)
        },
        Tampering("bytes behind the end", ["structure": .imageEnd]) { $0.bytes += [0] },
        Tampering("two blobs over each other", ["structure": .blobOverlap]) { file in
            // One more entry, for the requirement inside the set.
            try file.rebuild { $0.append((9, SyntheticSlice.blob(BlobMagic.launchConstraint, []))) }
            let set = file.bytes.get32(at: try #require(file.slices[0].index[2]) + 4)
            file.bytes.set32(set + 20, at: try #require(file.slices[0].index[9]) + 4)
        },
    ]
}

extension TamperedFile {
    /// The place of LC_CODE_SIGNATURE in a thin file.
    var signatureCommand: Int? {
        stride(from: 32, to: 4096, by: 4).first {
            bytes.get32(at: $0, .little) == 0x1d && bytes.get32(at: $0 + 4, .little) == 16
        }
    }
}
