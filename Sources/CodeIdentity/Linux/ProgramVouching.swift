// SPDX-License-Identifier: Apache-2.0

// What process identity asks of the package database.

/// Who vouches for a file: a package database and the ownership of folders, behind one seam.
public protocol ProgramVouching: Sendable {
    /// What the package that owns `path` says of the content of `source`, and the content's SHA-256 (32 bytes).
    ///
    /// The path is as the kernel names it and only selects the package: the digest is of the source. No claim means
    /// that no package owns the path; no digest means that the content could not be read. `key` is the file's at the
    /// time it was opened: a digest may be kept under it.
    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?)

    /// Whether every folder from `/` down and the file itself belong to root and nobody else can write them.
    func isRootOwnedChain(path: String) -> Bool
}
