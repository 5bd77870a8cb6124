// SPDX-License-Identifier: Apache-2.0

// A file as a source of bytes, read by position and never mapped.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension CodeProblem.Code {
    /// A folder, a device, a pipe or a socket stands where a file was expected.
    public static let notRegularFile = Self("not-regular-file")
    /// There is nothing at a path where something must be.
    public static let notFound = Self("not-found")
    /// A path that goes through something that is no folder, through a link where none may be, or out of its root.
    public static let badPath = Self("bad-path")
}

/// A regular file that is open for reading, and closed with the last reference.
///
/// Nothing is cached or mapped: a file that shrinks while it is read gives `changed`, not a trap. What is read is the
/// file that was opened, whatever its path names later. Its content may change between two reads: who draws one
/// conclusion from several asks `isUnchanged` afterwards.
public final class FileBytes: IdentifiedFile {
    /// The file as it was when it was opened.
    public let key: FileKey
    /// Whether it runs as its owner or its group, whoever starts it (setuid, setgid).
    public let changesUser: Bool
    private let descriptor: Descriptor

    public var count: UInt64 { key.size }

    /// Opens a file, following symbolic links.
    ///
    /// Throws `notFound`, `badPath`, `unreadable`, and `notRegularFile` for anything but a regular file.
    public convenience init(path: String) throws(CodeProblem) { try self.init(path, in: nil) }

    /// Opens a file by a path that, when it is relative, begins at a folder.
    convenience init(_ path: String, in folder: Descriptor?) throws(CodeProblem) {
        // A pipe does not block and a terminal does not become ours. On Linux we look before we open, because opening a
        // device may do something.
        #if os(Linux)
        try self.init(place: Descriptor(path, in: folder, Descriptor.place), name: path)
        #else
        try self.init(Descriptor(path, in: folder, O_RDONLY | O_NONBLOCK | O_NOCTTY))
        #endif
    }

    #if os(Linux)
    /// Opens the file that a descriptor names (`Descriptor.place`).
    convenience init(place: Descriptor, name: String) throws(CodeProblem) {
        try Self.check(place.status)
        try self.init(place.reopened(O_RDONLY | O_NONBLOCK | O_NOCTTY, name: name))
    }
    #endif

    /// Takes over an open descriptor, and closes it also when it throws.
    ///
    /// Throws `unreadable` when the system knows nothing of it and `notRegularFile` for anything but a regular file.
    public convenience init(descriptor: Int32) throws(CodeProblem) { try self.init(Descriptor(owning: descriptor)) }

    init(_ descriptor: Descriptor) throws(CodeProblem) {
        let status = try descriptor.status
        try Self.check(status)
        key = FileKey(status)
        changesUser = status.st_mode & (S_ISUID | S_ISGID) != 0
        self.descriptor = descriptor
    }

    public func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        guard count >= 0, offset <= self.count, UInt64(count) <= self.count - offset else {
            throw CodeProblem(.outOfBounds, at: offset, "\(count) bytes wanted, the file has \(self.count)")
        }
        // It lies inside the file, whose size the system gave as a positive `off_t`.
        let (bytes, error) = descriptor.read(count, at: Int(offset))
        let end = offset + UInt64(bytes.count)
        if error != 0 { throw CodeProblem(system: error, "the file at \(end)") }
        guard bytes.count == count else {
            throw CodeProblem(.changed, at: end, "the file became shorter; read it again")
        }
        return bytes
    }

    /// Whether content, owner and permissions are those of the moment when the file was opened.
    ///
    /// The kernel changes the time that this compares at each write; two writes inside one of its clock ticks look
    /// like one, and a writer through a shared mapping is seen only when the kernel next looks at its pages.
    public var isUnchanged: Bool { (try? keyNow()) == key }

    public func keyNow() throws(CodeProblem) -> FileKey { FileKey(try descriptor.status) }

    /// Whether a path names this file, unchanged.
    public func isStill(at path: String) -> Bool {
        (try? FileKey(Descriptor.status(of: path))) == key && isUnchanged
    }

    /// An absolute path without symbolic links, `.` and `..` (realpath(3)).
    ///
    /// Throws `notFound`, `badPath` or `unreadable` when nothing is there, or nobody may know.
    public static func resolved(_ path: String) throws(CodeProblem) -> String {
        guard !path.utf8.contains(0) else { throw CodeProblem(.badPath, "a path with a NUL names no file") }
        guard let resolved = realpath(path, nil) else { throw CodeProblem(system: errno, path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func check(_ status: stat) throws(CodeProblem) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CodeProblem(.notRegularFile, "only regular files are read")
        }
    }
}
