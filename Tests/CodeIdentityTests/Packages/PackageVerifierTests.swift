// SPDX-License-Identifier: Apache-2.0

// Whether a file is its package's.

import Synchronization
import Testing

@testable import CodeIdentity

/// Bytes that count how often they are read.
private final class CountedBytes: ByteSource {
    private let bytes: MemoryBytes
    private let reads = Mutex(0)
    init(_ text: String) { bytes = MemoryBytes(Array(text.utf8)) }
    var count: UInt64 { bytes.count }
    var readCount: Int { reads.withLock { $0 } }
    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        reads.withLock { $0 += 1 }
        return try bytes.read(at: offset, count: count)
    }
}

/// Bytes that claim a length and cannot be read.
private struct NoBytes: ByteSource {
    let count: UInt64
    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] { throw CodeProblem(.unreadable, "") }
}

@Suite("Package verifier") struct PackageVerifierTests {
    // MD5 and SHA-256 of "abc": RFC 1321 A.5, FIPS 180-2 B.1.
    private static let abc = "900150983cd24fb0d6963f7d28e17f72"
    private static let abcSHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    private static let path = "/usr/bin/tool"
    private static let key = FileKey(device: 1, inode: 2, changed: 0, size: 3)

    private func database(
        _ state: String = "install ok installed", digest: String? = abc
    ) throws -> (MemoryPackageFiles, DpkgIndex) {
        let files = MemoryPackageFiles(["status": entry("tool", state), "info/tool.list": "\(Self.path)\n"])
        if let digest { files.set("info/tool.md5sums", "\(digest)  usr/bin/tool\n") }
        return (files, try DpkgIndex.read(from: files))
    }

    /// A clock that shows a time long after the files were written.
    private func verifier(_ database: any PackageDatabase) -> PackageVerifier {
        PackageVerifier(database: database) { 1_000_000_000_000 }
    }

    @Test("The recorded bytes are intact, and hashed both ways in one pass")
    func intact() throws {
        let file = verifier(try database().1).examine(path: Self.path, bytes: MemoryBytes(Array("abc".utf8))) {
            Self.key
        }
        #expect(
            file.claim
                == PackageClaim(package: "tool", architecture: "amd64", version: "1.0-1", verdict: .intact))
        #expect(file.sha256 == Hexadecimal.bytes(Self.abcSHA256.utf8))
        #expect(file.key == Self.key)
        #expect(file.problems == [])
    }

    @Test("Other bytes are modified, even of the same length")
    func modified() throws {
        let verifier = verifier(try database().1)
        #expect(
            verifier.claim(path: Self.path, bytes: MemoryBytes(Array("abd".utf8))) { Self.key }?.verdict == .modified)
    }

    @Test("The same bytes at a path that nobody owns are nobody's")
    func unowned() throws {
        let file = verifier(try database().1).examine(path: "/tmp/tool", bytes: MemoryBytes(Array("abc".utf8))) {
            Self.key
        }
        #expect(file.claim == nil)
        #expect(file.sha256 == Hexadecimal.bytes(Self.abcSHA256.utf8))
        #expect(file.problems == [])
    }

    @Test("A file without a recorded digest is not called intact")
    func noDigest() throws {
        let verifier = verifier(try database(digest: nil).1)
        #expect(
            verifier.claim(path: Self.path, bytes: MemoryBytes(Array("abc".utf8))) { Self.key }?.verdict == .noDigest)
    }

    @Test("While its package is half way, a file that differs is in transaction and one that agrees is intact")
    func unsettled() throws {
        let verifier = verifier(try database("install ok unpacked").1)
        func verdict(_ text: String, _ inode: UInt64) -> PackageVerdict? {
            verifier.claim(path: Self.path, bytes: MemoryBytes(Array(text.utf8))) {
                FileKey(device: 1, inode: inode, changed: 0, size: 3)
            }?.verdict
        }
        #expect(verdict("abd", 1) == .inTransaction)
        #expect(verdict("abc", 2) == .intact)
    }

    @Test("After the database has changed a file that differs is in transaction, and an unknown one may be new")
    func outdated() throws {
        let (files, index) = try database()
        let verifier = verifier(index)
        let other = MemoryBytes(Array("abd".utf8))
        #expect(verifier.claim(path: Self.path, bytes: other) { Self.key }?.verdict == .modified)
        files.set("status", entry("tool"))
        #expect(verifier.claim(path: Self.path, bytes: other) { Self.key }?.verdict == .inTransaction)
        #expect(
            verifier.examine(path: "/usr/bin/new", bytes: other) { Self.key }.problems
                == [CodeProblem(.packageTransaction, "")])
        verifier.database = try DpkgIndex.read(from: files)
        #expect(verifier.claim(path: Self.path, bytes: other) { Self.key }?.verdict == .modified)
    }

    @Test("Where two packages brought a path, the file is the one's whose digest it has")
    func twoOwners() throws {
        let files = MemoryPackageFiles(
            [
                "status": entry("first") + entry("second"),
                "info/first.list": "/bin/tool\n", "info/first.md5sums": "\(digits("0"))  bin/tool\n",
                "info/second.list": "/usr/bin/tool\n", "info/second.md5sums": "\(Self.abc)  usr/bin/tool\n",
            ], links: mergedLinks)
        let claim = verifier(try DpkgIndex.read(from: files)).claim(
            path: Self.path, bytes: MemoryBytes(Array("abc".utf8))
        ) { Self.key }
        #expect(claim?.package == "second")
        #expect(claim?.verdict == .intact)
    }

    @Test("A file is read once, and again when it was changed or only just written")
    func remembered() throws {
        let verifier = verifier(try database().1)
        let bytes = CountedBytes("abc")
        func examine(_ changed: Int64, rootsAlone: Bool = true) {
            _ = verifier.claim(path: Self.path, bytes: bytes, rootsAlone: rootsAlone) {
                FileKey(device: 1, inode: 2, changed: changed, size: 3)
            }
        }
        examine(0)
        examine(0)
        #expect(bytes.readCount == 1)
        examine(1)
        #expect(bytes.readCount == 2)
        // One second before the clock's time: another write might bear the same stamp.
        examine(999_000_000_000)
        examine(999_000_000_000)
        #expect(bytes.readCount == 4)
        // Somebody else may have it mapped, and write it without a trace.
        examine(0, rootsAlone: false)
        #expect(bytes.readCount == 5)
        examine(2, rootsAlone: false)
        examine(2)
        #expect(bytes.readCount == 7)
    }

    @Test("What is remembered is the digest: the same file is another package's at another path")
    func noVerdictRemembered() throws {
        let verifier = verifier(try database().1)
        let bytes = MemoryBytes(Array("abc".utf8))
        func claim(_ path: String) -> PackageClaim? {
            verifier.claim(path: path, bytes: bytes, rootsAlone: true) { Self.key }
        }
        #expect(claim("/tmp/tool") == nil)
        #expect(claim(Self.path)?.verdict == .intact)
        #expect(claim("/tmp/tool") == nil)
    }

    @Test("A file that changes while it is hashed is unreadable and not remembered")
    func changing() throws {
        let verifier = verifier(try database().1)
        var calls: Int64 = 0
        let file = verifier.examine(path: Self.path, bytes: MemoryBytes(Array("abc".utf8))) {
            calls += 1
            return FileKey(device: 1, inode: 2, changed: calls, size: 3)
        }
        #expect(file.claim?.verdict == .unreadable)
        #expect(file.sha256 == nil)
        #expect(file.problems.map(\.code) == [.changed])
    }

    @Test("A file that cannot be told, read or finished is unreadable")
    func unreadable() throws {
        let verifier = verifier(try database().1)
        func problem(_ bytes: some ByteSource, _ key: FileKey?) -> CodeProblem.Code? {
            let file = verifier.examine(path: Self.path, bytes: bytes) { key }
            #expect(file.claim?.verdict == .unreadable)
            return file.problems.first?.code
        }
        #expect(problem(MemoryBytes(Array("abc".utf8)), nil) == .unreadable)
        #expect(problem(NoBytes(count: 3), Self.key) == .unreadable)
        #expect(problem(NoBytes(count: .max), Self.key) == .limit)
        // The descriptor's file has another size than the source.
        #expect(problem(MemoryBytes([1]), Self.key) == .changed)
    }

    @Test("A long file is hashed piece by piece to the same digest")
    func pieces() throws {
        let bytes = [UInt8](repeating: 0x61, count: 1_000_000)
        // SHA-256 of a million a: FIPS 180-2 B.3; MD5 by md5sum(1).
        let digests = try FileDigests(of: MemoryBytes(bytes))
        #expect(
            Hexadecimal.text(digests.sha256) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(Hexadecimal.text(digests.md5) == "7707d6ae4e027c70eea2a935c2296f21")
    }

    @Test("The memory of digests stays within its size, and keeps what is used")
    func bounded() throws {
        var cache = DigestCache(capacity: 10)
        let digests = try FileDigests(of: MemoryBytes([]))
        func key(_ inode: UInt64) -> FileKey { FileKey(device: 0, inode: inode, changed: 0, size: 0) }
        for inode in 0..<1000 as Range<UInt64> {
            cache.keep(digests, of: key(inode))
            _ = cache.find(key(0))
            #expect(cache.count <= 10)
        }
        #expect(cache.find(key(0)) != nil)
        #expect(cache.find(key(500)) == nil)
    }
}
