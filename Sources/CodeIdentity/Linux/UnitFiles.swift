// SPDX-License-Identifier: Apache-2.0

// The files of systemd, as far as a unit's origin needs them: a seam, so that any system can be laid out in a test.

/// What stands at a path.
public enum UnitFileEntry: Hashable, Sendable {
    case file(size: UInt64)
    case link(String)
    case folder
    case other
}

/// The file system below one root folder; every path given is absolute and meant from there.
public protocol UnitFiles: Sendable {
    /// What stands at a path, the last link not followed; nil when nothing does or it cannot be seen.
    func entry(_ path: String) -> UnitFileEntry?

    /// The names in a folder, sorted; empty when there is none.
    func names(in folder: String) -> [String]

    /// Opens a regular file.
    func open(_ path: String) throws(CodeProblem) -> any IdentifiedFile
}
