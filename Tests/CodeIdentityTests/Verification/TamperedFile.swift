// SPDX-License-Identifier: Apache-2.0

// A real signed file in memory, with the places of its parts, to be changed.

import Foundation
import Testing

@testable import CodeIdentity

/// A signed file and what an attacker makes of it.
struct TamperedFile {
    /// Where the parts of one slice lie, in bytes from the start of the file.
    struct Slice {
        let range: Range<Int>
        /// What LC_CODE_SIGNATURE names: the superblob and free space behind it.
        let signature: Range<Int>
        /// The blobs by type, headers included.
        let blobs: [UInt32: Range<Int>]
        /// The place of the index entries by type.
        let index: [UInt32: Int]

        var directory: Int { blobs[0]?.lowerBound ?? 0 }
    }

    /// As the vendor made it.
    let original: [UInt8]
    private(set) var slices: [Slice]
    var bundle: CodeBundle?
    var bytes: [UInt8]

    /// Takes a file of the vectors by the end of its path.
    init(_ name: String) throws {
        let file = try #require(try SignedFiles.all().first { $0.path.hasSuffix(name) })
        self.init(Array(try Data(contentsOf: URL(filePath: file.path))), bundle: try file.bundle())
    }

    init(_ bytes: [UInt8], bundle: CodeBundle? = nil) {
        original = bytes
        self.bytes = bytes
        self.bundle = bundle
        slices = Self.slices(of: bytes)
    }

    private static func slices(of bytes: [UInt8]) -> [Slice] {
        ((try? MachOFile.read(MemoryBytes(bytes)))?.slices ?? []).map { places(of: $0, in: bytes) }
    }

    private static func places(of slice: MachOSlice, in bytes: [UInt8]) -> Slice {
        let start = Int(slice.offset)
        let claimed = slice.codeSignature ?? slice.size..<slice.size
        let signature = start + Int(claimed.lowerBound)..<start + Int(claimed.upperBound)
        var blobs: [UInt32: Range<Int>] = [:]
        var index: [UInt32: Int] = [:]
        for number in 0..<Int(bytes.get32(at: signature.lowerBound + 8)) {
            let entry = signature.lowerBound + 12 + 8 * number
            let blob = signature.lowerBound + Int(bytes.get32(at: entry + 4))
            blobs[bytes.get32(at: entry)] = blob..<blob + Int(bytes.get32(at: blob + 4))
            index[bytes.get32(at: entry)] = entry
        }
        return Slice(range: start..<start + Int(slice.size), signature: signature, blobs: blobs, index: index)
    }

    /// The bytes of one slice: a thin file.
    func thin(_ slice: Int = 0) -> [UInt8] { Array(bytes[slices[slice].range]) }

    mutating func flip(_ place: Int) { bytes[place] ^= 0x01 }

    /// Adds to a number of the directory in slot 0.
    mutating func add(_ value: Int, toDirectoryField field: Int, of slice: Int = 0) {
        let place = slices[slice].directory + field
        bytes.set32(UInt32(truncatingIfNeeded: Int(bytes.get32(at: place)) + value), at: place)
    }

    /// Puts the hash of a page, as it is now, into the directory in slot 0, which must be one of SHA-256.
    mutating func rehash(pageAt place: Int, of slice: Int = 0) throws {
        let directory = slices[slice].directory
        let shift = Int(bytes[directory + 39])
        let page = (place - slices[slice].range.lowerBound) >> shift
        let start = slices[slice].range.lowerBound + page << shift
        let end = min(start + 1 << shift, slices[slice].signature.lowerBound)
        let hash = directory + Int(bytes.get32(at: directory + 16)) + 32 * page
        bytes.replaceSubrange(hash..<hash + 32, with: CodeHashType.sha256.fullDigest(bytes[start..<end]))
    }

    /// Writes the superblob anew from its blobs, which may be others; it must fit where the old one was.
    mutating func rebuild(_ slice: Int = 0, _ change: (inout [(slot: UInt32, blob: [UInt8])]) throws -> Void) throws {
        let places = slices[slice]
        var blobs = places.index.sorted { $0.value < $1.value }.map { type, _ in
            (slot: type, blob: Array(bytes[places.blobs[type] ?? 0..<0]))
        }
        try change(&blobs)
        let made = SyntheticSlice.superBlob(BlobMagic.embeddedSignature, blobs)
        try #require(made.count <= places.signature.count)
        let padding = [UInt8](repeating: 0, count: places.signature.count - made.count)
        bytes.replaceSubrange(places.signature, with: made + padding)
        slices = Self.slices(of: bytes)
    }

    /// Changes the CMS signature.
    mutating func editCMS(_ slice: Int = 0, _ change: (inout CMSTree) throws -> Void) throws {
        try rebuild(slice) { blobs in
            let place = try #require(blobs.firstIndex { $0.slot == EmbeddedSignature.cmsSlot })
            var tree = try #require(CMSTree(blobs[place].blob.dropFirst(8)))
            try change(&tree)
            blobs[place].blob = SyntheticSlice.blob(BlobMagic.wrapper, tree.root.encoded)
        }
    }

    func report(_ examiner: CodeExaminer = CodeExaminer(now: 1_795_000_000)) throws -> CodeReport {
        try examiner.examine(MemoryBytes(bytes), bundle: bundle)
    }
}

extension SliceReport {
    /// Which checks failed, and the first reason of each.
    var refusals: [String: CodeProblem.Code] {
        Dictionary(
            uniqueKeysWithValues: validity.outcomes.compactMap { check in
                check.outcome.problem.map { (check.name, $0.code) }
            })
    }
}

extension CodeReport {
    /// Whether the whole file meets a requirement.
    func meets(_ text: String, _ rules: EvaluationRules = .init()) throws -> Bool {
        evaluate(try CompiledRequirement(Requirement(text: text).expression), rules: rules).result == .true
    }
}

/// One way to change a file, and what must be said of it.
struct Tampering: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Every check that must fail, with its reason; no other may.
    let refusals: [String: CodeProblem.Code]
    let change: @Sendable (inout TamperedFile) throws -> Void

    init(
        _ name: String, _ refusals: [String: CodeProblem.Code],
        _ change: @escaping @Sendable (inout TamperedFile) throws -> Void
    ) {
        testDescription = name
        self.refusals = refusals
        self.change = change
    }

    /// Changes one slice of a file, and expects the refusals for it and no trust for the whole.
    func check(_ file: TamperedFile, slice: Int = 0) throws {
        var file = file
        try change(&file)
        #expect(file.bytes != file.original || file.bundle != nil)
        let report = try file.report()
        #expect(report.slices[slice].refusals == refusals, "\(report.slices[slice].problems)")
        #expect(report.slices[slice].verified == nil)
        #expect(!report.isValid)
        #expect(try !report.meets("anchor apple generic"))
        #expect(try !report.meets("!anchor apple generic"), "no answer either way")
    }
}
