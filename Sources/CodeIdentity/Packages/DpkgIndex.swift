// SPDX-License-Identifier: Apache-2.0

// dpkg's database as an index from path to package and digest.

/// The files of all packages of a Debian system, read from `/var/lib/dpkg` without dpkg.
///
/// A path is owned by the package whose `.list` names it; the digest comes from `.md5sums` or, for a configuration
/// file, from `status`. A digest for a path that another package has taken over stays behind in `.md5sums` and is not
/// believed. Diverted paths and merged folders are followed.
public struct DpkgIndex: PackageDatabase {
    public let generation: PackageGeneration
    public let problems: [CodeProblem]
    /// Whether dpkg has left changes in its journal: it is at work, or was interrupted.
    private let journalPending: Bool
    private let files: any PackageFiles
    private let packages: [DpkgPackage]
    private let folders: MergedFolders
    private let table: PackagePathTable

    /// Reads the database; a damaged part costs the files it would have named, never the rest.
    ///
    /// Throws what reading `status` throws: then there is no dpkg, or nothing to believe.
    public static func read(from files: any PackageFiles) throws(CodeProblem) -> DpkgIndex {
        // Taken first: what changes while we read makes the index outdated at once.
        let generation = generation(of: files)
        var filling = try DpkgFilling(files)
        filling.readAll()
        return DpkgIndex(generation, filling.finish(), files)
    }

    private init(_ generation: PackageGeneration, _ filling: DpkgFilling, _ files: any PackageFiles) {
        self.generation = generation
        self.files = files
        problems = filling.problems.all
        journalPending = filling.journalPending
        packages = filling.packages
        folders = filling.folders
        table = filling.table
    }

    /// How many pairs of path and owner there are.
    public var count: Int { table.count }

    /// Bytes that the paths, owners and digests take.
    public var byteCount: Int { table.byteCount }

    public func owners(of path: String) -> [PackageFile] {
        var owners: [PackageFile] = []
        table.owners(of: place(path)) { entry in
            if let file = file(entry) { owners.append(file) }
            return true
        }
        return owners
    }

    public func owner(of path: String) -> PackageFile? {
        var owner: PackageFile?
        table.owners(of: place(path)) { entry in
            owner = file(entry)
            return owner == nil
        }
        return owner
    }

    public func isCurrent() -> Bool { generation == Self.generation(of: files) }

    public func isInTransaction() -> Bool {
        journalPending || !isCurrent() || files.isLocked(DpkgFilling.folder + "lock")
    }

    private func place(_ path: String) -> [UInt8] {
        let bytes = Array(path.utf8)
        return folders.folded(bytes) ?? bytes
    }

    private func file(_ entry: PackagePathTable.Entry) -> PackageFile? {
        let place = Int(entry.package)
        guard place < packages.count else { return nil }
        let package = packages[place]
        return PackageFile(
            package: package.name, architecture: package.architecture.isEmpty ? nil : package.architecture,
            version: package.version.isEmpty ? nil : package.version,
            digest: entry.digest.map { .md5($0.bytes) }, conffile: entry.flags.contains(.conffile),
            settled: package.state != .unsettled)
    }

    /// What each change by dpkg touches: it renames a new file over the old one, and writes its journal.
    private static func generation(of files: any PackageFiles) -> PackageGeneration {
        PackageGeneration(
            keys: ["status", "diversions", "info", "updates"].map { files.key(of: DpkgFilling.folder + $0) })
    }
}
