// SPDX-License-Identifier: Apache-2.0

// What the examiner must not overlook between its parts.

import Foundation
import Synchronization
import Testing

@testable import CodeIdentity

@Suite("Code examiner") struct CodeExaminerTests {
    private let examiner = CodeExaminer(now: 1_795_000_000)

    /// A source that was written while it was read.
    private struct ChangingBytes: ByteSource {
        let bytes: MemoryBytes
        let isUnchanged = false

        var count: UInt64 { bytes.count }
        func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
            try bytes.read(at: offset, count: count)
        }
    }

    /// A source that counts what is read.
    private final class CountedBytes: ByteSource {
        let bytes: MemoryBytes
        let total = Mutex<UInt64>(0)

        init(_ bytes: [UInt8]) { self.bytes = MemoryBytes(bytes) }

        var count: UInt64 { bytes.count }
        func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
            total.withLock { $0 += UInt64(count) }
            return try bytes.read(at: offset, count: count)
        }
    }

    @Test("A file that changed while it was examined is not verified, though every check held")
    func changed() throws {
        let bytes = SyntheticSlice().bytes()
        #expect(try examiner.examine(MemoryBytes(bytes)).slices[0].problems.isEmpty)
        let problem = #expect(throws: CodeProblem.self) {
            try examiner.examine(ChangingBytes(bytes: MemoryBytes(bytes)))
        }
        #expect(problem?.code == .changed)
    }

    @Test("A detached signature that readers take differently spoils the slices it signs")
    func detached() throws {
        let slice = SyntheticSlice()
        let bytes = slice.bytes()
        let places = TamperedFile(bytes).slices[0]
        let signature = Array(bytes[places.signature])
        let outer = SyntheticSlice.superBlob(
            BlobMagic.detachedSignature, [(Architecture.arm64, signature), (Architecture.arm64, signature)])
        let report = try examiner.examine(MemoryBytes(bytes), detached: DetachedSignature.read(MemoryBytes(outer)))
        #expect(report.slices[0].refusals == ["structure": .duplicateSlot])
        #expect(try !report.meets("always"))
        #expect(!report.isValid)
    }

    @Test("Where pages were not hashed, nothing is verified, and the reason is not that nothing is signed")
    func withoutPages() throws {
        let bytes = SyntheticSlice().bytes()
        let report = try CodeExaminer(now: 0, hashesPages: false).examine(MemoryBytes(bytes))
        #expect(report.slices[0].validity.pages == .absent)
        #expect(try !report.meets("always"))
        #expect(!report.isValid)
        guard case .unusable(let problem) = report.slices[0].evaluable else {
            Issue.record("evaluated without its pages")
            return
        }
        #expect(problem.code == .pagesNotHashed)
        #expect(try !report.meets("always"))
    }

    @Test("What a hash stands for must be there, also in the slot that only disk images use")
    func repSpecific() throws {
        var slice = SyntheticSlice()
        slice.blobs = [(6, SyntheticSlice.blob(BlobMagic.wrapper, [1, 2, 3]))]
        var bytes = slice.bytes()
        #expect(try examiner.examine(MemoryBytes(bytes)).slices[0].problems.isEmpty)
        let place = try #require(TamperedFile(bytes).slices[0].index[6])
        bytes.set32(99, at: place)
        #expect(try examiner.examine(MemoryBytes(bytes)).slices[0].refusals == ["slots": .slotMismatch])
    }

    @Test("A bundle with two Info.plists, of which systems take different ones, proves nothing")
    func bundle() throws {
        let info = Array(
            "<plist version=\"1.0\"><dict><key>CFBundleExecutable</key><string>tool</string></dict></plist>".utf8)
        var slice = SyntheticSlice()
        slice.infoPlist = info
        let bytes = slice.bytes()
        var tree = MemoryTree(["A.app/Contents/Info.plist": .file(info), "A.app/Contents/MacOS/tool": .file(bytes)])
        let one = try CodeBundle("A.app", in: tree)
        #expect(try examiner.examine(MemoryBytes(bytes), bundle: one).problems.isEmpty)
        tree["A.app/Contents/Info-macos.plist"] = "<plist version=\"1.0\"><dict/></plist>"
        let report = try examiner.examine(MemoryBytes(bytes), bundle: CodeBundle("A.app", in: tree))
        #expect(report.slices[0].refusals == ["structure": .bundleLayout])
        #expect(try !report.meets("always"))
        #expect(!report.isValid)
    }

    @Test("A resource seal that the signature does not cover is no seal")
    func unsealedSeal() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "weir-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let contents = folder.appending(path: "A.app/Contents")
        for name in ["MacOS", "_CodeSignature"] {
            try FileManager.default.createDirectory(
                at: contents.appending(path: name), withIntermediateDirectories: true)
        }
        let info = SealSample.info("tool", identifier: "test.a")
        let seal = PropertyListWriter.document(
            PropertyListWriter.xml(
                .dictionary(["files2": .dictionary([:]), "rules2": .dictionary(SealSample.rules)])))
        for sealed in [true, false] {
            var slice = SyntheticSlice()
            slice.infoPlist = info
            if sealed { slice.codeResources = seal }
            for (name, bytes) in [
                ("Info.plist", info), ("_CodeSignature/CodeResources", seal), ("MacOS/tool", slice.bytes()),
            ] { try Data(bytes).write(to: contents.appending(path: name)) }
            let report = try examiner.examine(path: folder.appending(path: "A.app").path, deep: true)
            #expect(report.slices[0].problems.isEmpty)
            #expect(report.seal?.problems.map(\.code) == (sealed ? [] : [.sealMalformed]))
            #expect(report.isValid == sealed)
        }
    }

    @Test("A vendor's bundle holds with all that is sealed in it")
    func deep() throws {
        let file = try #require(try SignedFiles.all().first { $0.path.hasSuffix("MacOS/MacControlMCP") })
        let report = try examiner.examine(path: file.path, deep: true)
        #expect(report.seal?.problems == [])
        #expect(report.isValid)
    }

    @Test("Slices that share bytes are not hashed over and over")
    func overlap() throws {
        var slice = SyntheticSlice()
        slice.codeSize = 400_000
        var bytes = SyntheticUniversal(slices: [slice]).bytes()
        // Twenty entries for the one slice: the gap before it has room.
        let entry = Array(bytes[8..<28])
        bytes.insert(contentsOf: [UInt8](repeating: 0, count: 512), at: 28)
        bytes.set32(20, at: 4)
        for index in 0..<20 {
            bytes.replaceSubrange(8 + 20 * index..<28 + 20 * index, with: entry)
            bytes.set32(entry.get32(at: 8) + 512, at: 16 + 20 * index)
        }
        let source = CountedBytes(bytes)
        let report = try examiner.examine(source)
        #expect(report.slices.count == 20)
        #expect(report.slices.allSatisfy { $0.verified == nil })
        #expect(source.total.withLock { $0 } < 2 * source.count)
    }
}
