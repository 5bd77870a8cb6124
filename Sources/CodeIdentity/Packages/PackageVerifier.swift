// SPDX-License-Identifier: Apache-2.0

// Whether a file is the one its package brought.

import Crypto
import FlowModel
import Synchronization

/// What was found out about one file by reading it.
public struct ExaminedFile: Sendable, Hashable {
    /// Which file was read; nil when it could not be said, or was not the same before and after.
    public var key: FileKey?
    /// 32 bytes; nil when it could not be read.
    public var sha256: [UInt8]?
    /// Nil when no package owns the path.
    public var claim: PackageClaim?
    public var problems: [CodeProblem]
}

/// Compares files with what their packages recorded, and remembers digests by file.
///
/// A verdict always comes from bytes: the path only says whose record they are compared with. What is remembered is
/// digests, never verdicts, so that a new database needs no file read again.
public final class PackageVerifier: Sendable {
    private struct State {
        var database: any PackageDatabase
        var digests: DigestCache
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> Int64

    /// `now` gives nanoseconds since 1970-01-01 UTC, by the clock that stamps files.
    public init(database: any PackageDatabase, now: @escaping @Sendable () -> Int64) {
        let digests = DigestCache(capacity: CodeIdentityLimits.packageDigests.value)
        state = Mutex(State(database: database, digests: digests))
        self.now = now
    }

    /// The database that files are compared with; set a new reading when this one is not current any more.
    public var database: any PackageDatabase {
        get { state.withLock { $0.database } }
        set { state.withLock { $0.database = newValue } }
    }

    /// What a package says of the file; nil when no package owns the path.
    ///
    /// See `examine`.
    public func claim(
        path: String, bytes: some ByteSource, rootsAlone: Bool = false, key: () -> FileKey?
    ) -> PackageClaim? {
        examine(path: path, bytes: bytes, rootsAlone: rootsAlone, key: key).claim
    }

    /// Hashes a file, unless this very file was hashed before, and compares it with its owners' records.
    ///
    /// `path` is the kernel's for the file, `bytes` its content through one descriptor, and `key` asks that
    /// descriptor anew at each call: a file that changes while it is hashed is `unreadable`.
    ///
    /// `rootsAlone` says that nobody but root can write the file; only then is its digest remembered. Who has a file
    /// mapped can write it without its times changing: always on tmpfs, elsewhere until the page is written out.
    public func examine(
        path: String, bytes: some ByteSource, rootsAlone: Bool = false, key: () -> FileKey?
    ) -> ExaminedFile {
        let database = database
        let owners = database.owners(of: path)
        var file = ExaminedFile(problems: [])
        var digests: FileDigests?
        do {
            let found = try self.digests(of: bytes, rootsAlone, key: key)
            digests = found.digests
            file.key = found.key
            file.sha256 = found.digests.sha256
        } catch {
            file.problems.append(error)
        }
        if owners.isEmpty {
            if database.isInTransaction() {
                file.problems.append(CodeProblem(.packageTransaction, "no package owns \(path) yet"))
            }
        } else {
            file.claim = Self.claim(owners, digests, database)
        }
        return file
    }

    private static func claim(
        _ owners: [PackageFile], _ digests: FileDigests?, _ database: any PackageDatabase
    ) -> PackageClaim? {
        guard let digests else { return owners.first?.claim(.unreadable) }
        // Where two packages brought the path, the file is the one's whose digest it has.
        if let owner = owners.first(where: { $0.digest.map(digests.isEqual) ?? false }) { return owner.claim(.intact) }
        guard let owner = owners.first(where: { $0.digest != nil }) ?? owners.first else { return nil }
        if !owners.allSatisfy(\.settled) || database.isInTransaction() { return owner.claim(.inTransaction) }
        return owner.claim(owner.digest == nil ? .noDigest : .modified)
    }

    private func digests(
        of bytes: some ByteSource, _ rootsAlone: Bool, key: () -> FileKey?
    ) throws(CodeProblem) -> (digests: FileDigests, key: FileKey) {
        guard let before = key() else { throw CodeProblem(.unreadable, "the file cannot be told from others") }
        if rootsAlone, let known = state.withLock({ $0.digests.find(before) }) { return (known, before) }
        let digests = try FileDigests(of: bytes)
        guard key() == before, bytes.count == before.size else {
            throw CodeProblem(.changed, "the file was written while it was hashed")
        }
        guard rootsAlone else { return (digests, before) }
        let settling = Int64(CodeIdentityLimits.packageSettling.value) * 1_000_000
        let age = now().subtractingReportingOverflow(before.changed)
        if !age.overflow, age.partialValue > settling { state.withLock { $0.digests.keep(digests, of: before) } }
        return (digests, before)
    }
}

extension PackageFile {
    fileprivate func claim(_ verdict: PackageVerdict) -> PackageClaim {
        PackageClaim(package: package, architecture: architecture, version: version, verdict: verdict)
    }
}

/// The digests of one content, taken in one pass.
struct FileDigests: Sendable {
    let md5: [UInt8]
    let sha256: [UInt8]

    /// Throws what the source throws, and `limit` for a file that is too long.
    init(of bytes: some ByteSource) throws(CodeProblem) {
        guard bytes.count <= UInt64(CodeIdentityLimits.packageDigestBytes.value) else {
            throw CodeProblem(.limit, "\(bytes.count) bytes to hash (\(CodeIdentityLimits.packageDigestBytes.name))")
        }
        var md5 = Insecure.MD5()
        var sha256 = SHA256()
        var offset: UInt64 = 0
        while offset < bytes.count {
            let count = Int(min(bytes.count - offset, UInt64(CodeIdentityLimits.packageDigestPiece.value)))
            let piece = try bytes.read(at: offset, count: count)
            piece.withUnsafeBytes {
                md5.update(bufferPointer: $0)
                sha256.update(bufferPointer: $0)
            }
            offset += UInt64(count)
        }
        self.md5 = Array(md5.finalize())
        self.sha256 = Array(sha256.finalize())
    }

    func isEqual(_ digest: PackageDigest) -> Bool {
        switch digest {
        case .md5(let bytes): bytes == md5
        case .sha256(let bytes): bytes == sha256
        }
    }
}

/// Digests by file in two generations: when the young one is full it becomes the old one, and the old one goes.
struct DigestCache: Sendable {
    private var young: [FileKey: FileDigests] = [:]
    private var old: [FileKey: FileDigests] = [:]
    private let half: Int

    init(capacity: Int) { half = max(1, capacity / 2) }

    var count: Int { young.count + old.count }

    mutating func find(_ key: FileKey) -> FileDigests? {
        if let digests = young[key] { return digests }
        guard let digests = old.removeValue(forKey: key) else { return nil }
        keep(digests, of: key)
        return digests
    }

    mutating func keep(_ digests: FileDigests, of key: FileKey) {
        if young.count >= half {
            old = young
            young = [:]
        }
        young[key] = digests
    }
}
