// SPDX-License-Identifier: Apache-2.0

// Files as sources of bytes, with what can happen to them while they are read.

import Testing

@testable import CodeIdentity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that goes away with the test.
private final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/file-bytes-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            let made = try #require(buffer.baseAddress.flatMap { mkdtemp($0) })
            return String(cString: made)
        }
    }

    deinit {
        for name in ["file", "other", "link", "pipe"] { unlink(path + "/" + name) }
        rmdir(path)
    }

    func make(_ bytes: [UInt8], to name: String = "file") throws -> String {
        let path = path + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        return path
    }
}

@Suite("File bytes") struct FileBytesTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("Any range inside the file is read in full, and nothing outside")
    func ranges() throws {
        let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let file = try FileBytes(path: folder.make(content))
        #expect(file.count == 3000)
        #expect(try file.read(at: 0, count: 3000) == content)
        #expect(try file.read(at: 1234, count: 100) == Array(content[1234..<1334]))
        #expect(try file.read(at: 3000, count: 0) == [])
        for (offset, count) in [(0, 3001), (2999, 2), (3001, 0), (UInt64.max, 1), (0, -1), (1, Int.max)] {
            #expect(throws: CodeProblem(.outOfBounds, at: offset, "")) { try file.read(at: offset, count: count) }
        }
    }

    @Test("A file that became shorter is called changed, at the place where it ends")
    func shorter() throws {
        let path = try folder.make([UInt8](repeating: 1, count: 5000))
        let file = try FileBytes(path: path)
        #expect(truncate(path, 1000) == 0)
        #expect(try file.read(at: 0, count: 1000).count == 1000)
        #expect(throws: CodeProblem(.changed, at: 1000, "")) { try file.read(at: 0, count: 5000) }
        #expect(!file.isUnchanged)
    }

    @Test("A file knows whether it is still the one that was opened")
    func identity() throws {
        let path = try folder.make([1, 2, 3])
        let file = try FileBytes(path: path)
        #expect(file.isUnchanged)
        #expect(file.isStill(at: path))
        #expect(!file.isStill(at: path + "-gone"))
        let other = try folder.make([1, 2, 3], to: "other")
        #expect(!file.isStill(at: other))
        #expect(rename(other, path) == 0)
        #expect(!file.isStill(at: path))
        // Its content is still the one it had.
        #expect(try file.read(at: 0, count: 3) == [1, 2, 3])
    }

    @Test("A changed permission changes the key")
    func permission() throws {
        let path = try folder.make([1])
        let file = try FileBytes(path: path)
        // The kernel's clock may not have moved since the file was made: the first change may look like none.
        for round in 0..<200 where file.isUnchanged {
            chmod(path, round % 2 == 0 ? 0o700 : 0o600)
            usleep(1000)
        }
        #expect(!file.isUnchanged)
    }

    @Test("A symbolic link is followed to its file")
    func link() throws {
        let path = try folder.make([7])
        #expect(symlink(path, folder.path + "/link") == 0)
        #expect(try FileBytes(path: folder.path + "/link").key == FileBytes(path: path).key)
    }

    @Test("A folder, a device and a pipe without a writer are refused at once")
    func others() throws {
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        for path in [folder.path, "/dev/null", folder.path + "/pipe"] {
            #expect(throws: CodeProblem(.notRegularFile, "")) { try FileBytes(path: path) }
        }
    }

    #if os(Linux)
    @Test("What is no regular file is not even opened")
    func notOpened() throws {
        let pipe = folder.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        let watch = inotify_init1(Int32(O_NONBLOCK) | O_CLOEXEC)
        defer { close(watch) }
        #expect(inotify_add_watch(watch, pipe, UInt32(IN_OPEN)) >= 0)
        func wasOpened() -> Bool {
            var event = [UInt8](repeating: 0, count: 512)
            return read(watch, &event, event.count) > 0
        }
        #expect(throws: CodeProblem(.notRegularFile, "")) { try FileBytes(path: pipe) }
        #expect(!wasOpened())
        close(open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
        #expect(wasOpened())
    }
    #endif

    @Test("A file that is not there, a path that hides its end behind a NUL, and no descriptor are refused")
    func missing() throws {
        let path = try folder.make([1])
        #expect(throws: CodeProblem(.notFound, "")) { try FileBytes(path: path + "-gone") }
        #expect(throws: CodeProblem(.badPath, "")) { try FileBytes(path: path + "\0.txt") }
        #expect(throws: CodeProblem(.unreadable, "")) { try FileBytes(descriptor: -1) }
    }

    @Test("A descriptor is owned from the moment it is given, also when it is refused")
    func ownership() throws {
        let file = open(try folder.make([1]), O_RDONLY | O_CLOEXEC)
        do { _ = try FileBytes(descriptor: file) }
        #expect(fcntl(file, F_GETFD) == -1 || !isSame(file, folder.path + "/file"))
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let pipe = open(folder.path + "/pipe", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        #expect(throws: CodeProblem.self) { try FileBytes(descriptor: pipe) }
        #expect(fcntl(pipe, F_GETFD) == -1 || !isSame(pipe, folder.path + "/pipe"))
    }

    /// Whether a number that another test may have got meanwhile still stands for our file.
    private func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var mine = stat()
        var named = stat()
        return fstat(descriptor, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }
}
