// SPDX-License-Identifier: Apache-2.0

// The real tree of files: nothing leads out of it.

import FlowModel
import Testing

@testable import CodeIdentity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("FolderTree") final class FolderTreeTests {
    private let root: String
    private let tree: FolderTree

    init() throws {
        var name = Array("/tmp/weir-folder-tree-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        root = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for folder in ["/in", "/in/folder", "/in/folder/deep", "/out"] { mkdir(root + folder, 0o755) }
        Self.write(root + "/in/folder/file", "content", mode: 0o644)
        Self.write(root + "/in/program", "", mode: 0o755)
        Self.write(root + "/out/secret", "secret", mode: 0o644)
        symlink("folder/file", root + "/in/link")
        symlink("../out", root + "/in/away")
        symlink(root + "/out/secret", root + "/in/stolen")
        mkfifo(root + "/in/pipe", 0o644)
        Self.write(root + "/in/\u{FFFD}", "", mode: 0o644)
        rename(root + "/in/\u{FFFD}", Array((root + "/in/").utf8CString.dropLast()) + [-1, 0])
        tree = try FolderTree(root + "/in") { descriptor throws(CodeProblem) in try WholeFile(descriptor) }
    }

    deinit {
        for name in ["folder/file", "program", "link", "away", "stolen", "pipe"] { unlink(root + "/in/" + name) }
        unlink(Array((root + "/in/").utf8CString.dropLast()) + [-1, 0])
        unlink(root + "/out/secret")
        for name in ["/in/folder/deep", "/in/folder", "/in", "/out", ""] { rmdir(root + name) }
    }

    /// A file read whole when it is opened.
    private struct WholeFile: ByteSource {
        private let bytes: MemoryBytes
        var count: UInt64 { bytes.count }

        init(_ descriptor: Int32) throws(CodeProblem) {
            defer { close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = pread(descriptor, &buffer, 4096, 0)
            guard count >= 0 else { throw CodeProblem(.unreadable, "read") }
            bytes = MemoryBytes(Array(buffer[..<count]))
        }

        func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
            try bytes.read(at: offset, count: count)
        }
    }

    private static func write(_ path: String, _ text: String, mode: mode_t) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        _ = Array(text.utf8).withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        close(file)
    }

    @Test("Each kind of thing is told, links with their target")
    func kinds() throws {
        #expect(try tree.kind("") == .folder)
        #expect(try tree.kind("folder") == .folder)
        #expect(try tree.kind("folder/file") == .file(isExecutable: false))
        #expect(try tree.kind("program") == .file(isExecutable: true))
        #expect(try tree.kind("link") == .symbolicLink(target: "folder/file"))
        #expect(try tree.kind("away") == .symbolicLink(target: "../out"))
        #expect(try tree.kind("pipe") == .other)
        #expect(try tree.kind("nothing") == nil)
        #expect(try tree.kind("nothing/at/all") == nil)
    }

    @Test("A folder lists what is in it; a name that is no text is not passed over")
    func list() throws {
        let entries = try tree.list("")
        #expect(
            Set(entries) == [
                FileEntry(name: "folder", kind: .folder), FileEntry(name: "program", kind: .file(isExecutable: true)),
                FileEntry(name: "link", kind: .symbolicLink(target: "folder/file")),
                FileEntry(name: "away", kind: .symbolicLink(target: "../out")),
                FileEntry(name: "stolen", kind: .symbolicLink(target: root + "/out/secret")),
                FileEntry(name: "pipe", kind: .other), FileEntry(name: "(a name that is not UTF-8)", kind: .other),
            ])
        #expect(entries.count == 7)
        #expect(try tree.list("folder/deep") == [])
        #expect(throws: CodeProblem(.notFound, "")) { try tree.list("nothing") }
        #expect(throws: CodeProblem(.badPath, "")) { try tree.list("folder/file") }
    }

    @Test("A plain file is opened; links, pipes and folders are not, and a pipe does not hang")
    func opening() throws {
        #expect(try tree.open("folder/file").read(at: 0, count: 7) == Array("content".utf8))
        for path in ["link", "away", "stolen", "pipe", "folder", ""] {
            #expect(throws: CodeProblem(.badPath, ""), "\(path)") { try tree.open(path) }
        }
        #expect(throws: CodeProblem.self) { try tree.open("nothing") }
    }

    @Test("No path leads out, neither by dots nor through a link")
    func escape() {
        for path in [
            "../out/secret", "folder/../../out", "/etc/passwd", ".", "folder/.", "folder//file", "away/secret",
            "link/x",
        ] {
            #expect(throws: CodeProblem(.badPath, ""), "\(path)") { try tree.kind(path) }
            #expect(throws: CodeProblem(.badPath, ""), "\(path)") { try tree.open(path) }
        }
        #expect(throws: CodeProblem(.badPath, "")) { try tree.list("away") }
    }

    @Test("A root that is not there is an error")
    func noRoot() {
        #expect(throws: CodeProblem(.notFound, "")) {
            try FolderTree(root + "/nothing") { descriptor throws(CodeProblem) in try WholeFile(descriptor) }
        }
    }

    @Test("A tree deeper than the limit is refused")
    func depth() {
        let path = Array(repeating: "a", count: CodeIdentityLimits.treeDepth.value + 1).joined(separator: "/")
        #expect(throws: CodeProblem(.limit, "")) { try tree.kind(path) }
    }

    @Test("Descriptors are given back, also when something is refused")
    func descriptors() throws {
        func lowest() -> Int32 {
            let descriptor = dup(0)
            close(descriptor)
            return descriptor
        }
        let before = lowest()
        for _ in 0..<2000 {
            _ = try tree.kind("folder/deep")
            _ = try tree.list("folder")
            _ = try? tree.open("pipe")
            _ = try? tree.list("away")
            _ = try? tree.open("folder/file/x")
        }
        // Other tests open some meanwhile, but not thousands.
        #expect(lowest() < before + 1000)
    }
}
