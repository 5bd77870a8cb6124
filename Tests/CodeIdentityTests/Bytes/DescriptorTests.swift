// SPDX-License-Identifier: Apache-2.0

// Descriptors: what is read, listed and refused.

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

@Suite("Descriptor") final class DescriptorTests {
    private let path: String

    init() throws {
        var name = Array("/tmp/weir-descriptor-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for name in ["a", "b"] { close(open("\(path)/\(name)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)) }
        symlink("a", "\(path)/link")
    }

    deinit {
        for name in ["a", "b", "link"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    @Test("A folder is listed whole each time, and one more than the limit says that there are more")
    func names() throws {
        let folder = try Descriptor(path, O_RDONLY | O_DIRECTORY)
        for _ in 0..<2 { #expect(try Set(folder.names(limit: 3)) == ["a", "b", "link"]) }
        #expect(try folder.names(limit: 2).count == 3)
        #expect(try folder.names(limit: 1).count == 2)
        #expect(throws: CodeProblem(.badPath, "")) { try Descriptor("\(path)/a", O_RDONLY).names(limit: 1) }
    }

    @Test("A link is told as it is written, and followed or not as asked")
    func links() throws {
        let folder = try Descriptor(path, O_RDONLY | O_DIRECTORY)
        #expect(try Descriptor.link(at: "link", in: folder) == Array("a".utf8))
        #expect(throws: CodeProblem(.unreadable, "")) { try Descriptor.link(at: "a", in: folder) }
        let status = try Descriptor.status(of: "link", in: folder, follow: false)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        #expect(
            try FileKey(Descriptor.status(of: "link", in: folder)) == FileKey(Descriptor.status(of: "\(path)/a"))
        )
        #expect(throws: CodeProblem(.badPath, "")) { try Descriptor("link", in: folder, O_RDONLY | O_NOFOLLOW) }
    }

    @Test("A path with a NUL names nothing, whatever is asked of it")
    func nul() {
        #expect(throws: CodeProblem(.badPath, "")) { try Descriptor("/tmp\0x", O_RDONLY) }
        #expect(throws: CodeProblem(.badPath, "")) { try Descriptor.status(of: "/tmp\0x") }
        #expect(throws: CodeProblem(.badPath, "")) { try Descriptor.link(at: "/proc/self/exe\0x") }
    }

    @Test("No program that is started inherits a descriptor")
    func inheritance() throws {
        let descriptor = try Descriptor(path, O_RDONLY)
        #expect(withExtendedLifetime(descriptor) { fcntl(descriptor.number, F_GETFD) } == FD_CLOEXEC)
    }
}
