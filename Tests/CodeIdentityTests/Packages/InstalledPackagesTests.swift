// SPDX-License-Identifier: Apache-2.0

// The packages of a root folder as the voucher for its programs.

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import FlowModel
import Synchronization
import Testing

@testable import CodeIdentity

@Suite("InstalledPackages") struct InstalledPackagesTests {
    // MD5 of "abc": RFC 1321 A.5.
    private static let digest = "900150983cd24fb0d6963f7d28e17f72"

    private func scratch() throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        for name in ["usr", "usr/bin", "var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/info"] { scratch.folder(name) }
        scratch.file("usr/bin/tool", "abc", 0o755)
        scratch.file("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n")
        scratch.file("var/lib/dpkg/info/tool.md5sums", "\(Self.digest)  usr/bin/tool\n")
        return scratch
    }

    /// An old file, whose digest may be remembered.
    private final class Counted: IdentifiedFile {
        let key: FileKey
        private let reads = Mutex(0)

        init(_ path: String) throws {
            var status = stat()
            #expect(stat(path, &status) == 0)
            key = FileKey(
                device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
                changedSeconds: Int64(status.st_ctim.tv_sec),
                changedNanoseconds: UInt32(status.st_ctim.tv_nsec), size: UInt64(status.st_size))
        }

        var count: UInt64 { key.size }
        var readCount: Int { reads.withLock { $0 } }
        func keyNow() throws(CodeProblem) -> FileKey { key }
        func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
            reads.withLock { $0 += 1 }
            return try MemoryBytes(Array("abc".utf8)).read(at: offset, count: count)
        }
    }

    @Test("A database that is not there yet is read once it is, and a changed one again")
    func appears() throws {
        let scratch = try scratch()
        let packages = try InstalledPackages(root: scratch.path, currency: .zero)
        let file = try Counted("\(scratch.path)/usr/bin/tool")
        func claim() -> PackageClaim? { packages.claim(path: "/usr/bin/tool", source: file, key: file.key).claim }
        #expect(claim() == nil)
        #expect(packages.problems.map(\.code) == [.notFound])
        scratch.file("var/lib/dpkg/status", entry("tool"))
        #expect(claim()?.verdict == .intact)
        #expect(packages.problems == [])
        scratch.file("var/lib/dpkg/new", entry("tool").replacing("1.0-1", with: "1.0-2"))
        #expect(rename("\(scratch.path)/var/lib/dpkg/new", "\(scratch.path)/var/lib/dpkg/status") == 0)
        #expect(claim()?.version == "1.0-2")
    }

    @Test("A digest is remembered only where root alone can write, and only of the file that is there")
    func remembered() throws {
        let scratch = try scratch()
        scratch.file("var/lib/dpkg/status", entry("tool"))
        scratch.file("usr/bin/copy", "abc", 0o755)
        let packages = try InstalledPackages(root: scratch.path, currency: .zero)
        // What was written just now is never remembered.
        usleep(UInt32(CodeIdentityLimits.packageSettling.value) * 1000 + 100_000)
        func reads(_ path: String, of source: String) throws -> Int {
            let file = try Counted("\(scratch.path)\(source)")
            for _ in 0..<2 { _ = packages.claim(path: path, source: file, key: file.key) }
            return file.readCount
        }
        // Whoever runs the tests need not be root.
        let once = getuid() == 0 ? 1 : 2
        #expect(try reads("/usr/bin/none", of: "/usr/bin/tool") == 2)
        #expect(try reads("/usr/bin/tool", of: "/usr/bin/tool") == once)
        #expect(try reads("/usr/bin/tool", of: "/usr/bin/copy") == 2)
        #expect(chmod("\(scratch.path)/usr/bin", 0o777) == 0)
        #expect(try reads("/usr/bin/tool", of: "/usr/bin/tool") == 2)
    }
}
#endif
