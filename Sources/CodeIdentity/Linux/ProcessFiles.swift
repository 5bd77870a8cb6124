// SPDX-License-Identifier: Apache-2.0

// The system as far as process identity needs it: a seam, so that every race can be played in a test.

/// A regular file that is held open, so that what is hashed is what was looked at.
public protocol IdentifiedFile: ByteSource {
    /// The file when it was opened.
    var key: FileKey { get }

    /// The file as it is now: another key says that it was written meanwhile.
    func keyNow() throws(CodeProblem) -> FileKey
}

/// A file of `/proc/PID` that is read as text.
public enum ProcessText: String, Sendable, Hashable, CaseIterable {
    case stat, status, maps, cgroup, cmdline, environ
}

/// A link of `/proc/PID`.
public enum ProcessLink: String, Sendable, Hashable, CaseIterable {
    case executable = "exe"
    case workingFolder = "cwd"
    case root
    case mountNamespace = "ns/mnt"
}

/// A file that a process uses, reached through the process and not by a path that may lead elsewhere.
public enum ProcessPath: Sendable, Hashable {
    case executable
    /// The file of the mapping of exactly this range.
    case mapping(start: UInt64, end: UInt64)
    /// An absolute path, seen from the process's own root folder.
    case inside(String)
}

/// The beginning of a file.
public struct BoundedText: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Whether there is no more.
    public var complete: Bool

    public init(_ bytes: [UInt8], complete: Bool = true) {
        self.bytes = bytes
        self.complete = complete
    }
}

/// One process, and never its successor under the same number.
///
/// Every function throws `processExited` once the process is reaped, `fileAbsent` where it has no such thing (a zombie
/// has no executable), and `unreadable` when the system refuses.
public protocol ProcessHandle: Sendable {
    /// Reads at most `limit` bytes.
    func text(_ file: ProcessText, limit: Int) throws(CodeProblem) -> BoundedText

    /// The target of a link, as the system writes it.
    func target(of link: ProcessLink) throws(CodeProblem) -> String

    /// Opens a regular file; also throws `notRegularFile`.
    func open(_ path: ProcessPath) throws(CodeProblem) -> any IdentifiedFile

    /// The key of a file, without opening it.
    func key(of path: ProcessPath) throws(CodeProblem) -> FileKey

    /// Whether a page in this range of memory is the process's own, and no more what the file behind it holds.
    func hasOwnPages(start: UInt64, end: UInt64) throws(CodeProblem) -> Bool

    /// The numbers of its threads; `limit` and one more when there are more.
    func threads(limit: Int) throws(CodeProblem) -> [Int32]

    /// Takes hold of the memory that the process has now, and gives what says later whether it is still in use.
    ///
    /// Exec and exit give the memory up.
    func memoryWatch() throws(CodeProblem) -> @Sendable () -> Bool
}

/// The processes of the machine, and its files as we see them.
public protocol ProcessFiles: Sendable {
    /// Takes hold of a process; throws `processExited` when there is none of that number.
    func process(_ pid: Int32) throws(CodeProblem) -> any ProcessHandle

    /// Opens a regular file by its path in our own mount namespace.
    func open(path: String) throws(CodeProblem) -> any IdentifiedFile

    /// The key of the file at a path in our own mount namespace.
    func key(path: String) throws(CodeProblem) -> FileKey

    /// Our own mount namespace, as `/proc/self/ns/mnt` names it; nil when it cannot be read.
    var mountNamespace: String? { get }
}

extension FileKey {
    /// A key from the fields of `stat(2)`.
    ///
    /// Bit 31 of the nanoseconds is masked: since Linux 6.13 the kernel keeps a flag there. `stat` never shows it, but
    /// a key that was read inside the kernel may carry it, and both have to compare equal.
    public init(device: UInt64, inode: UInt64, changedSeconds: Int64, changedNanoseconds: UInt32, size: UInt64) {
        let (seconds, overflow) = changedSeconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (changed, more) = seconds.addingReportingOverflow(Int64(changedNanoseconds & 0x7FFF_FFFF))
        self.init(device: device, inode: inode, changed: overflow || more ? .max : changed, size: size)
    }
}
