// SPDX-License-Identifier: Apache-2.0

// What a distribution's package database is asked: which package brought a file, and with which digest.

/// The record of the files that packages brought, as one reading of it found them.
///
/// dpkg stands behind it today; whatever keeps owner and digest of each file can.
public protocol PackageDatabase: Sendable {
    /// The packages that claim a path, in the database's order; empty when none does.
    ///
    /// The path is absolute and free of symbolic links, as the kernel names it. A file that several architectures of
    /// a package share has several owners, and so has one that two packages fight over.
    func owners(of path: String) -> [PackageFile]

    /// The first of the owners.
    func owner(of path: String) -> PackageFile?

    /// Which state of the database was read.
    var generation: PackageGeneration { get }

    /// Whether the database still is as it was read: a few `stat` calls.
    func isCurrent() -> Bool

    /// Whether packages are being changed, or were since the reading: then a digest that differs says nothing yet.
    func isInTransaction() -> Bool

    /// What the database holds that could not be understood.
    var problems: [CodeProblem] { get }
}

extension PackageDatabase {
    public func owner(of path: String) -> PackageFile? { owners(of: path).first }
}

/// One package's record of one file.
public struct PackageFile: Hashable, Sendable {
    /// The package's name without its architecture.
    public var package: String
    public var architecture: String?
    public var version: String?
    /// Nil when the package keeps none for the file.
    public var digest: PackageDigest?
    /// A configuration file, which its administrator may change.
    public var conffile: Bool
    /// Whether the package is installed, so that its files should be the recorded ones.
    public var settled: Bool

    public init(
        package: String, architecture: String? = nil, version: String? = nil, digest: PackageDigest? = nil,
        conffile: Bool = false, settled: Bool = true
    ) {
        self.package = package
        self.architecture = architecture
        self.version = version
        self.digest = digest
        self.conffile = conffile
        self.settled = settled
    }
}

/// A digest that a package database keeps.
public enum PackageDigest: Hashable, Sendable {
    /// 16 bytes: dpkg's.
    case md5([UInt8])
    /// 32 bytes: rpm's.
    case sha256([UInt8])
}

/// A state of a package database: two are equal when its files are the same files and were not written between.
public struct PackageGeneration: Hashable, Sendable {
    /// The files and folders that a change of packages must touch, nil where one does not exist.
    let keys: [FileKey?]
}
