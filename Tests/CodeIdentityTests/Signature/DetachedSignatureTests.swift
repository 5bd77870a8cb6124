// SPDX-License-Identifier: Apache-2.0

// Signatures in a file of their own.

import Testing

@testable import CodeIdentity

@Suite("Detached signature") struct DetachedSignatureTests {
    private let intel: SyntheticSlice
    private let arm: SyntheticSlice
    private let file: MachOFile

    init() throws {
        var unsigned = SyntheticSlice(cpuType: Architecture.x86, cpuSubtype: 3)
        unsigned.directories = []
        var other = SyntheticSlice()
        other.directories = []
        other.codeSize = 5000
        (intel, arm) = (unsigned, other)
        file = try MachOFile.read(MemoryBytes(SyntheticUniversal(slices: [intel, arm]).bytes()))
    }

    private func superBlob(_ slice: SyntheticSlice) -> [UInt8] {
        var signer = slice
        signer.directories = [SyntheticDirectory()]
        return signer.superBlob(code: slice.bytes())
    }

    @Test("Each slice finds the signature of its processor")
    func keyed() throws {
        let bytes = SyntheticSlice.superBlob(
            BlobMagic.detachedSignature, [(Architecture.x86, superBlob(intel)), (Architecture.arm64, superBlob(arm))])
        let detached = try DetachedSignature.read(MemoryBytes(bytes))
        #expect(detached.problems == [])
        for slice in file.slices {
            let signature = try #require(try detached.signature(for: slice))
            #expect(signature.problems == [])
            #expect(try PageCheck.badPages(slice.source, signature.directories) == [])
        }
    }

    @Test("A slice without an entry has no signature")
    func missing() throws {
        let bytes = SyntheticSlice.superBlob(
            BlobMagic.detachedSignature, [(0, superBlob(intel)), (Architecture.arm64, superBlob(arm))])
        let detached = try DetachedSignature.read(MemoryBytes(bytes))
        #expect(try detached.signature(for: file.slices[0]) == nil)
        #expect(try detached.signature(for: file.slices[1]) != nil)
    }

    @Test("A lone superblob signs the slice whose pages it knows")
    func lone() throws {
        let detached = try DetachedSignature.read(MemoryBytes(superBlob(arm)))
        let signature = try #require(try detached.signature(for: file.slices[1]))
        #expect(signature.signing == .adhoc)
        #expect(try PageCheck.badPages(file.slices[1].source, signature.directories) == [])
        // It covers less than the other slice has.
        let problem = #expect(throws: CodeProblem.self) { try detached.signature(for: file.slices[0]) }
        #expect(problem?.code == .unsignedBytes)
    }

    @Test("A signature of another kind inside, and any other file, are refused")
    func others() throws {
        for bytes in [[], [1], Array("hello world, this is text".utf8), SyntheticSlice().bytes()] as [[UInt8]] {
            #expect(throws: CodeProblem.self) { try DetachedSignature.read(MemoryBytes(bytes)) }
        }
        let nested = SyntheticSlice.superBlob(
            BlobMagic.detachedSignature,
            [(Architecture.arm64, SyntheticSlice.superBlob(BlobMagic.detachedSignature, []))])
        let detached = try DetachedSignature.read(MemoryBytes(nested))
        #expect(throws: CodeProblem(.superBlobInvalid, at: 20, "")) { try detached.signature(for: file.slices[1]) }
    }
}
