// SPDX-License-Identifier: Apache-2.0

// Looks for superblobs and code directories that trap their readers, or that point outside themselves.

import CodeIdentity

/// A slice without a signature of its own: what a detached one is asked for.
private let unsigned: MachOSlice? = {
    let header: [UInt8] = [0xCF, 0xFA, 0xED, 0xFE, 0x0C, 0, 0, 1, 0, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 19)
    return try? MachOFile.read(MemoryBytes(header + [UInt8](repeating: 0, count: 5000 - header.count))).slices[0]
}()

private func checkIndex(_ superBlob: SuperBlob) {
    for entry in superBlob.entries {
        guard let blob = superBlob.blob(entry.type) else {
            guard superBlob.entry(entry.type)?.offset == 0 else { fatalError("an entry without its blob") }
            continue
        }
        guard superBlob.bytes.startIndex <= blob.startIndex, blob.endIndex <= superBlob.bytes.endIndex else {
            fatalError("a blob outside its container")
        }
    }
    guard !superBlob.tilesExactly || !superBlob.problems.contains(where: { $0.code == .blobOverlap }) else {
        fatalError("blobs that overlap and tile")
    }
}

/// Asks for every hash there is, and for those next to them.
private func checkHashes(_ directory: CodeDirectory) {
    for number in -1...directory.specialSlotCount + 1 {
        guard let hash = directory.specialHash(number) else { continue }
        guard 1...directory.specialSlotCount ~= number, hash.count == directory.hashType.size else {
            fatalError("a special hash of no slot")
        }
    }
    for page in -1...directory.codeSlotCount {
        let isPage = page >= 0 && page < directory.codeSlotCount
        guard (directory.codeHash(page) != nil) == isPage,
            (directory.preEncryptHash(page) != nil) == (isPage && directory.hasPreEncryptHashes)
        else { fatalError("hashes and pages are not as many") }
    }
}

private func checkPages(_ directories: [CodeDirectory]) {
    let longest = directories.map(\.codeLimit).max() ?? 0
    let source = MemoryBytes([UInt8](repeating: 0, count: Int(min(longest, 16384))))
    guard let bad = try? PageCheck.badPages(source, directories) else {
        guard longest > source.count else { fatalError("pages that are there cannot be hashed") }
        return
    }
    guard bad.allSatisfy({ $0.offset < longest }) else { fatalError("a bad page behind the last") }
}

/// What the signature says, in words.
private func describe(_ signature: EmbeddedSignature) -> String {
    checkIndex(signature.superBlob)
    for directory in signature.directories { checkHashes(directory) }
    checkPages(signature.directories)
    let external = ExternalComponents(infoPlist: .none, codeResources: .bytes([1]))
    let outcomes = signature.slotOutcomes(signature.best, external)
    let broken = signature.brokenSlots(external)
    for (slot, outcome) in outcomes where outcome == .mismatch || outcome == .missing {
        guard broken.contains(slot) else { fatalError("a slot is broken by the directory that counts, and by none") }
    }
    return "\(signature.signing) \(signature.directories.map(\.digest)) \(signature.problems) \(broken)"
}

/// Reads one input as an embedded signature; what it signs is as long as its directory says, so that this goes on.
private func readEmbedded(_ input: [UInt8]) -> String {
    do throws(CodeProblem) {
        let superBlob = try SuperBlob(input[...], magic: BlobMagic.embeddedSignature)
        checkIndex(superBlob)
        let limit = try superBlob.blob(0).map { blob throws(CodeProblem) in
            try CodeDirectory(blob, slot: 0).codeLimit
        }
        return describe(try EmbeddedSignature(superBlob, signedLength: limit ?? 0))
    } catch {
        return error.description
    }
}

/// Reads one input as a detached signature.
private func readDetached(_ input: [UInt8]) -> String {
    do throws(CodeProblem) {
        let detached = try DetachedSignature.read(MemoryBytes(input))
        guard let unsigned, let signature = try detached.signature(for: unsigned) else { return "none" }
        return describe(signature)
    } catch {
        return error.description
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    // A crash is how libFuzzer learns of a failing case.
    guard readEmbedded(input) == readEmbedded(input), readDetached(input) == readDetached(input) else {
        fatalError("read differently the second time")
    }
    return 0
}
