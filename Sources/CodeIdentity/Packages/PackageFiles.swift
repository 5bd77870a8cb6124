// SPDX-License-Identifier: Apache-2.0

// The seam between a package database and the disk it lies on.

/// The few things that reading a package database asks of a file system.
///
/// Paths are relative to the root folder of the system that is examined, without `/` in front.
public protocol PackageFiles: Sendable {
    /// The names in a folder in any order, without `.` and `..`.
    ///
    /// Throws `unreadable`, or `limit` when there are more than `limit`.
    func names(in folder: String, limit: Int) throws(CodeProblem) -> [String]

    /// The whole content of a regular file.
    ///
    /// Throws `unreadable`, `changed` when it grows or shrinks meanwhile, or `limit` when it is longer than `limit`
    /// bytes.
    func read(_ path: String, limit: Int) throws(CodeProblem) -> [UInt8]

    /// What the file or folder is now; nil when there is none.
    func key(of path: String) -> FileKey?

    /// The target of a symbolic link; nil when the path is none.
    func link(at path: String) -> String?

    /// Whether a process holds a record lock on the file; false as well when that cannot be found out.
    func isLocked(_ path: String) -> Bool
}
