// SPDX-License-Identifier: Apache-2.0

// The packages of a system as the voucher for its programs.

#if os(Linux)
import FlowModel
import Synchronization

/// Vouches by dpkg's database and the ownership of folders, below one root folder.
///
/// The database is read again when it has changed, which is looked at once in `packages.currency` at most: a process asks
/// for each file that it has mapped. Until then what it said before holds; a file that differs is then looked at with the
/// state of the packages now (`isInTransaction`), and is not called modified. A system without dpkg has no packages: nothing
/// there is vouched for.
public final class InstalledPackages: ProgramVouching {
    private let root: RootFolder
    private let verifier: PackageVerifier
    /// When to look at the database again; held by the one thread that does.
    private let nextLook: Mutex<ContinuousClock.Instant>
    private let currency: Duration

    /// Reads the database of the system in `folder`; takes about 0.1 s.
    ///
    /// Throws when the folder cannot be opened.
    public convenience init(root folder: String = "/") throws(CodeProblem) {
        try self.init(root: folder, currency: .milliseconds(CodeIdentityLimits.packageCurrency.value))
    }

    init(root folder: String, currency: Duration) throws(CodeProblem) {
        root = try RootFolder(folder)
        self.currency = currency
        nextLook = Mutex(.now + currency)
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
        // Whoever comes second uses what there is.
        _ = nextLook.withLockIfAvailable { nextLook in
            guard ContinuousClock.now >= nextLook else { return }
            if !verifier.database.isCurrent() { verifier.database = Self.database(of: root) }
            nextLook = .now + currency
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
