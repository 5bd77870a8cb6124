// SPDX-License-Identifier: Apache-2.0

// Files and folders of the system by descriptor: the calls, and what their refusals mean.

import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An open descriptor, closed with its last owner.
///
/// Hand the owner on, not its number: a number does not keep the descriptor open.
final class Descriptor: Sendable {
    let number: Int32

    #if os(Linux)
    /// Linux's `O_PATH`: names a file without opening it.
    ///
    /// The C library shows it only to GNU sources; it is the same on all architectures that Swift knows.
    static let place: Int32 = 0o10_000_000
    #endif

    /// Takes over an open descriptor.
    init(owning number: Int32) { self.number = number }

    /// Opens a path, a relative one below a folder; `name` is what problems call it.
    init(
        _ path: String, in folder: Descriptor? = nil, _ flags: Int32, name: @autoclosure () -> String? = nil
    ) throws(CodeProblem) {
        try Self.check(path)
        while true {
            let number = openat(folder?.number ?? AT_FDCWD, path, flags | O_CLOEXEC)
            if number >= 0 {
                self.number = number
                return
            }
            if errno != EINTR { throw CodeProblem(system: errno, name() ?? path) }
        }
    }

    deinit { close(number) }

    #if os(Linux)
    /// Opens what this descriptor names or has open, once more.
    func reopened(_ flags: Int32, name: String) throws(CodeProblem) -> Descriptor {
        try Descriptor("/proc/self/fd/\(number)", flags, name: name)
    }
    #endif

    /// What the system says of what is open.
    var status: stat {
        get throws(CodeProblem) {
            var result = stat()
            guard fstat(number, &result) == 0 else { throw CodeProblem(system: errno, "an open file") }
            return result
        }
    }

    /// What the system says of a path.
    static func status(
        of path: String, in folder: Descriptor? = nil, follow: Bool = true
    ) throws(CodeProblem) -> stat {
        try check(path)
        var result = stat()
        guard fstatat(folder?.number ?? AT_FDCWD, path, &result, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
            throw CodeProblem(system: errno, path)
        }
        return result
    }

    /// The target of a link, as it is written; of the folder's descriptor itself, where that names a link, for "".
    static func link(at path: String, in folder: Descriptor? = nil) throws(CodeProblem) -> [UInt8] {
        try check(path)
        let limit = CodeIdentityLimits.linkTarget
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit.value) { buffer, filled in
            filled = buffer.withMemoryRebound(to: CChar.self) { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                let count = readlinkat(folder?.number ?? AT_FDCWD, path, start, limit.value)
                if count < 0 { code = errno }
                return max(0, count)
            }
        }
        if code != 0 { throw CodeProblem(system: code, path) }
        guard bytes.count < limit.value else { throw CodeProblem(.limit, "\(path): \(limit.name)") }
        return bytes
    }

    /// Reads on, or at a place, until there are `count` bytes or no more.
    ///
    /// Gives what was read and 0, or the error's number.
    func read(_ count: Int, at place: Int? = nil) -> (bytes: [UInt8], error: Int32) {
        var error: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got =
                    if let place {
                        pread(number, rest.baseAddress, rest.count, off_t(place) + off_t(filled))
                    } else {
                        readOn(number, rest.baseAddress, rest.count)
                    }
                if got == 0 { return }
                if got > 0 {
                    filled += got
                } else if errno != EINTR {
                    error = errno
                    return
                }
            }
        }
        return (bytes, error)
    }

    /// The names in a folder in any order, without `.` and `..`, nil for one that is not UTF-8.
    ///
    /// There are `limit` and one more when the folder has more.
    func names(limit: Int) throws(CodeProblem) -> [String?] {
        // Opened anew, because a descriptor keeps its place in the folder; the stream owns it from here.
        let folder = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, let stream = fdopendir(folder) else {
            let code = errno
            if folder >= 0 { close(folder) }
            throw CodeProblem(system: code, "a folder")
        }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var names: [String?] = []
        while names.count <= limit {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw CodeProblem(system: errno, "a folder") }
                return names
            }
            // Read where it lies: an entry is shorter than its type, so copying it would read past its end.
            let name = String(
                validatingCString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// A C string ends at the first NUL: the path would name another file than the caller looked at.
    private static func check(_ path: String) throws(CodeProblem) {
        guard !path.utf8.contains(0) else { throw CodeProblem(.badPath, "a path with a NUL names no file") }
    }
}

/// `read(2)` by another name, because inside the class `read` is its own function.
private func readOn(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

extension FileKey {
    init(_ status: stat) {
        #if canImport(Darwin)
        let changed = status.st_ctimespec
        #else
        let changed = status.st_ctim
        #endif
        self.init(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino),
            changedSeconds: Int64(changed.tv_sec), changedNanoseconds: UInt32(truncatingIfNeeded: changed.tv_nsec),
            size: UInt64(clamping: status.st_size))
    }
}

extension CodeProblem {
    /// What an error number means for who asked.
    init(system error: Int32, _ what: String) {
        let (code, why): (Code, String) =
            switch error {
            case ESRCH: (.processExited, "the process has ended")
            case ENOENT: (.notFound, "there is no such file")
            case ENOTDIR: (.badPath, "a part of the path is no folder")
            case ELOOP: (.badPath, "a symbolic link stands where none may, or they lead in a circle")
            case EACCES, EPERM: (.unreadable, "permission is missing")
            case EMFILE, ENFILE: (.unreadable, "too many files are open")
            default: (.unreadable, "the system refuses (errno \(error))")
            }
        self.init(code, "\(what): \(why)")
    }
}
