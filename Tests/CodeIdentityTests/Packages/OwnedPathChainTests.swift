// SPDX-License-Identifier: Apache-2.0

// Who could put another file in a file's place, on a real disk.

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import FlowModel
import Testing

@testable import CodeIdentity

/// A folder that is taken away with everything in it.
final class ScratchFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-packages-XXXXXX\0".utf8.map { CChar($0) })
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { Self.remove(path) }

    func folder(_ name: String, _ mode: mode_t = 0o755) {
        #expect(mkdir("\(path)/\(name)", mode) == 0)
        #expect(chmod("\(path)/\(name)", mode) == 0)
    }

    func file(_ name: String, _ text: String = "", _ mode: mode_t = 0o644) {
        let number = open("\(path)/\(name)", O_CREAT | O_WRONLY | O_TRUNC, mode)
        #expect(write(number, text, text.utf8.count) == text.utf8.count)
        #expect(fchmod(number, mode) == 0)
        close(number)
    }

    func link(_ name: String, to target: String) { #expect(symlink(target, "\(path)/\(name)") == 0) }

    private static func remove(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream), let offset = MemoryLayout<dirent>.offset(of: \.d_name) {
                let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
                var status = stat()
                guard name != ".", name != "..", lstat("\(path)/\(name)", &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
            }
            closedir(stream)
        }
        rmdir(path)
    }
}

@Suite("Owned path chain") struct OwnedPathChainTests {
    /// Whoever runs the tests stands for root.
    private let chain = OwnedPathChain(trusting: getuid())

    private func check(_ path: String, in scratch: ScratchFolder) throws -> OwnedPathChain.Answer {
        chain.check(path, in: try RootFolder(scratch.path))
    }

    private func scratch() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        scratch.folder("usr")
        scratch.folder("usr/bin")
        scratch.file("usr/bin/tool", "", 0o755)
        return scratch
    }

    @Test("A file in folders that nobody else can write is owned, and told by its key")
    func owned() throws {
        let scratch = try scratch()
        let answer = try check("/usr/bin/tool", in: scratch)
        #expect(answer.owned)
        #expect(answer.problems == [])
        var status = stat()
        #expect(stat("\(scratch.path)/usr/bin/tool", &status) == 0)
        #expect(answer.key?.inode == UInt64(status.st_ino))
    }

    @Test(
        "One folder that others can write breaks the chain, a sticky one too, and so does the file",
        arguments: [
            ("usr", 0o775), ("usr/bin", 0o757), ("usr/bin", 0o1777), ("usr/bin/tool", 0o775), ("usr/bin/tool", 0o646),
        ] as [(String, mode_t)])
    func writable(name: String, mode: mode_t) throws {
        let scratch = try scratch()
        #expect(chmod("\(scratch.path)/\(name)", mode) == 0)
        let answer = try check("/usr/bin/tool", in: scratch)
        #expect(!answer.owned)
        #expect(answer.key == nil)
        #expect(answer.problems.map(\.code) == [.pathNotOwned])
        #expect(answer.problems.first?.detail.hasPrefix("/\(name) ") == true)
    }

    @Test("The root folder itself counts")
    func writableRoot() throws {
        let scratch = try scratch()
        #expect(chmod(scratch.path, 0o777) == 0)
        let answer = try check("/usr/bin/tool", in: scratch)
        #expect(answer.problems.map(\.code) == [.pathNotOwned])
        #expect(answer.problems.first?.detail.hasPrefix("/ ") == true)
    }

    @Test("Somebody else's file is not owned, nor is anything in somebody else's folder")
    func foreign() throws {
        let scratch = try scratch()
        let answer = OwnedPathChain(trusting: getuid() &+ 1).check("/usr/bin/tool", in: try RootFolder(scratch.path))
        #expect(answer.problems.map(\.code) == [.pathNotOwned])
    }

    @Test("Links are followed inside the root, and the folder that a link lies in counts")
    func links() throws {
        let scratch = try scratch()
        scratch.link("bin", to: "usr/bin")
        scratch.link("usr/bin/other", to: "/bin/tool")
        scratch.link("usr/bin/up", to: "../../../../../usr/bin/./tool")
        #expect(try check("/bin/tool", in: scratch).owned)
        #expect(try check("/usr/bin/other", in: scratch).owned)
        #expect(try check("/bin/up", in: scratch).owned)
        scratch.folder("tmp", 0o1777)
        scratch.link("tmp/tool", to: "/usr/bin/tool")
        scratch.link("usr/bin/through", to: "/tmp/tool")
        #expect(try check("/tmp/tool", in: scratch).problems.map(\.code) == [.pathNotOwned])
        #expect(try check("/usr/bin/through", in: scratch).problems.map(\.code) == [.pathNotOwned])
    }

    @Test(
        "What leads to no regular file is broken",
        arguments: ["/usr/bin/none", "/usr/bin", "/", "", "/usr/bin/tool/x", "/usr/bin/tool/..", "/pipe", "/a\u{0}b"])
    func broken(path: String) throws {
        let scratch = try scratch()
        #expect(mkfifo("\(scratch.path)/pipe", 0o600) == 0)
        #expect(try check(path, in: scratch).problems.map(\.code) == [.pathBroken])
    }

    @Test("A ring of links, and folders without end, are left at their limits")
    func bounded() throws {
        let scratch = try scratch()
        scratch.link("a", to: "b")
        scratch.link("b", to: "a")
        #expect(try check("/a", in: scratch).problems == [CodeProblem(.limit, "")])
        // Each turn of this one is longer than the last.
        scratch.link("c", to: "c/c/c/c")
        #expect(try check("/c", in: scratch).problems == [CodeProblem(.limit, "")])
        var path = ""
        for _ in 0...CodeIdentityLimits.pathDepth.value {
            path += "/d"
            scratch.folder(String(path.dropFirst()))
        }
        #expect(try check(path, in: scratch).problems == [CodeProblem(.limit, "")])
        #expect(try check(String(repeating: "/x", count: 3000), in: scratch).problems.map(\.code) == [.pathBroken])
    }

    @Test("An access list that the mode does not show fails")
    func accessList() {
        var node = PathNode(
            kind: .file, owner: getuid(), mode: 0o755, key: FileKey(device: 0, inode: 0, changed: 0, size: 0))
        #expect(chain.fault(of: node, at: "/x") == nil)
        node.accessList = .unknown
        #expect(chain.fault(of: node, at: "/x")?.code == .pathAccessList)
        // A POSIX list that lets a user write shows as a group that may: its mask is the group's bits.
        node.accessList = .none
        node.mode = 0o775
        #expect(chain.fault(of: node, at: "/x")?.code == .pathNotOwned)
    }
}

@Suite("Root folder") struct RootFolderTests {
    @Test("A database on disk is read like one in memory, links of the root included")
    func database() throws {
        let scratch = try ScratchFolder()
        for name in ["usr", "usr/bin", "var", "data", "data/dpkg", "data/dpkg/info", "data/dpkg/updates"] {
            scratch.folder(name)
        }
        scratch.link("bin", to: "usr/bin")
        // Absolute, and meant inside this root.
        scratch.link("var/lib", to: "/data")
        scratch.file("data/dpkg/status", entry("tool"))
        scratch.file("data/dpkg/info/tool.list", "/bin\n/bin/tool\n")
        scratch.file("data/dpkg/info/tool.md5sums", "\(digits("1"))  bin/tool\n")
        let index = try DpkgIndex.read(from: try RootFolder(scratch.path))
        #expect(index.owner(of: "/usr/bin/tool")?.digest == md5(0x11))
        #expect(index.problems == [])
        #expect(index.isCurrent())
        #expect(!index.isInTransaction())
        scratch.file("data/dpkg/updates/0000", "")
        #expect(!index.isCurrent())
    }

    @Test("Only a regular file of the allowed length is read, and a pipe does not hold the reader up")
    func refused() throws {
        let scratch = try ScratchFolder()
        let root = try RootFolder(scratch.path)
        scratch.file("five", "12345")
        #expect(try root.read("five", limit: 5) == Array("12345".utf8))
        #expect(throws: CodeProblem(.limit, "")) { try root.read("five", limit: 4) }
        #expect(throws: CodeProblem(.limit, "")) { try root.read("five", limit: -1) }
        #expect(mkfifo("\(scratch.path)/pipe", 0o600) == 0)
        #expect(throws: CodeProblem(.unreadable, "")) { try root.read("pipe", limit: 5) }
        scratch.link("link", to: "five")
        #expect(throws: CodeProblem(.unreadable, "")) { try root.read("link", limit: 5) }
        #expect(throws: CodeProblem(.pathBroken, "")) { try root.read("none", limit: 5) }
        #expect(throws: CodeProblem(.pathBroken, "")) { try RootFolder("\(scratch.path)/none") }
        #expect(root.link(at: "link") == "five")
        #expect(root.link(at: "five") == nil)
        #expect(try Set(root.names(in: "", limit: 3)) == ["five", "pipe", "link"])
        #expect(throws: CodeProblem(.limit, "")) { try root.names(in: "", limit: 2) }
    }

    @Test("A record lock that another process holds is seen")
    func locked() throws {
        let scratch = try ScratchFolder()
        scratch.file("lock")
        let root = try RootFolder(scratch.path)
        #expect(!root.isLocked("lock"))
        #expect(!root.isLocked("none"))
        let number = open("\(scratch.path)/lock", O_RDWR)
        defer { close(number) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        // Belongs to the open file (Linux's F_OFD_SETLK), so that it holds against this process too.
        #expect(fcntl(number, 37, &lock) == 0)
        #expect(root.isLocked("lock"))
        scratch.link("link", to: "lock")
        #expect(!root.isLocked("link"))
    }
}
#endif
