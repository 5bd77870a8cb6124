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
    private let descriptor: Int32

    public var count: UInt64 { key.size }

    /// Opens a file, following symbolic links.
    ///
    /// Throws `unreadable` when the system refuses and `notRegularFile` for anything but a regular file. A pipe does
    /// not block and a terminal does not become ours.
    public convenience init(path: String) throws(CodeProblem) {
        // A C string ends at the first NUL: the path would name another file than the caller looked at.
        guard !path.utf8.contains(0) else { throw CodeProblem(.unreadable, "a path with a NUL names no file") }
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var descriptor: Int32
        repeat { descriptor = open(path, flags) } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw Self.refused("open") }
        try self.init(descriptor: descriptor)
    }

    /// Takes over an open descriptor, and closes it also when it throws.
    ///
    /// Throws `unreadable` when the system knows nothing of it and `notRegularFile` for anything but a regular file.
    public init(descriptor: Int32) throws(CodeProblem) {
        do {
            let status = try Self.status(of: descriptor)
            key = Self.key(of: status)
            changesUser = status.st_mode & (S_ISUID | S_ISGID) != 0
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    public func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        guard count >= 0, offset <= self.count, UInt64(count) <= self.count - offset else {
            throw CodeProblem(.outOfBounds, at: offset, "\(count) bytes wanted, the file has \(self.count)")
        }
        var problem: CodeProblem?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                // `offset + count` lies inside the file, whose size the system gave as a positive `off_t`.
                let place = off_t(offset) + off_t(filled)
                let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got = pread(descriptor, target.baseAddress, count - filled, place)
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    problem = CodeProblem(.changed, at: UInt64(place), "the file became shorter; read it again")
                    return
                } else if errno != EINTR {
                    problem = Self.refused("read")
                    return
                }
            }
        }
        if let problem { throw problem }
        return bytes
    }

    /// Whether content, owner and permissions are those of the moment when the file was opened.
    ///
    /// The kernel changes the time that this compares at each write; two writes inside one of its clock ticks look
    /// like one, and a writer through a shared mapping is seen only when the kernel next looks at its pages.
    public var isUnchanged: Bool { (try? keyNow()) == key }

    public func keyNow() throws(CodeProblem) -> FileKey { Self.key(of: try Self.status(of: descriptor)) }

    /// Whether a path names this file, unchanged.
    public func isStill(at path: String) -> Bool {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0 else { return false }
        return Self.key(of: status) == key && isUnchanged
    }

    /// An absolute path without symbolic links, `.` and `..` (realpath(3)).
    ///
    /// Throws `unreadable` with the system's reason when nothing is there.
    public static func resolved(_ path: String) throws(CodeProblem) -> String {
        guard !path.utf8.contains(0) else { throw CodeProblem(.unreadable, "a path with a NUL names no file") }
        guard let resolved = realpath(path, nil) else { throw refused("find") }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func status(of descriptor: Int32) throws(CodeProblem) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refused("stat") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CodeProblem(.notRegularFile, "only regular files are read")
        }
        return status
    }

    private static func key(of status: stat) -> FileKey {
        #if canImport(Darwin)
        let changed = status.st_ctimespec
        #else
        let changed = status.st_ctim
        #endif
        let (seconds, overflow) = Int64(changed.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return FileKey(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino),
            // A file system may claim any time: beyond the year 2262 all look alike.
            changed: overflow ? .max : seconds &+ Int64(changed.tv_nsec), size: UInt64(clamping: status.st_size))
    }

    private static func refused(_ call: String) -> CodeProblem {
        let number = errno
        let why =
            switch number {
            case ENOENT, ENOTDIR: "there is no such file"
            case EACCES, EPERM: "permission is missing"
            case ELOOP: "symbolic links lead in a circle"
            case EMFILE, ENFILE: "too many files are open"
            default: "the system refuses"
            }
        return CodeProblem(.unreadable, "\(why) (\(call), errno \(number))")
    }
}
