// SPDX-License-Identifier: Apache-2.0

// The packages of a system as the voucher for its programs.

#if os(Linux)
import Synchronization

/// Vouches by dpkg's database and the ownership of folders, below one root folder.
///
/// The database is read again when it has changed; until that is done, what it said before holds. A system without dpkg
/// has no packages: nothing there is vouched for.
public final class InstalledPackages: ProgramVouching {
    private let root: RootFolder
    private let verifier: PackageVerifier
    /// Held by the one thread that reads the database again.
    private let reading = Mutex(())

    /// Reads the database of the system in `folder`; takes about 0.1 s.
    ///
    /// Throws when the folder cannot be opened.
    public init(root folder: String = "/") throws(CodeProblem) {
        root = try RootFolder(folder)
        verifier = PackageVerifier(database: Self.database(of: root))
    }

    /// What of the database could not be understood, or that there is none.
    public var problems: [CodeProblem] { verifier.database.problems }

    public func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        refresh()
        let held = source as? any IdentifiedFile
        let chain = OwnedPathChain().check(path, in: root)
        let file = verifier.examine(path: path, bytes: source, rootsAlone: chain.owned && chain.key == key) {
            if let held { try? held.keyNow() } else { key }
        }
        return (file.claim, file.sha256)
    }

    public func isRootOwnedChain(path: String) -> Bool { OwnedPathChain().check(path, in: root).owned }

    private func refresh() {
        guard !verifier.database.isCurrent() else { return }
        // Whoever comes second uses what there is.
        _ = reading.withLockIfAvailable { _ in
            if !verifier.database.isCurrent() { verifier.database = Self.database(of: root) }
        }
    }

    private static func database(of root: RootFolder) -> any PackageDatabase {
        do throws(CodeProblem) { return try DpkgIndex.read(from: root) } catch { return NoPackages(problems: [error]) }
    }
}

/// The database of a system that has none we can read.
private struct NoPackages: PackageDatabase {
    let problems: [CodeProblem]
    var generation: PackageGeneration { PackageGeneration(keys: []) }
    func owners(of path: String) -> [PackageFile] { [] }
    // What could not be read may be readable the next time.
    func isCurrent() -> Bool { false }
    func isInTransaction() -> Bool { false }
}
#endif
