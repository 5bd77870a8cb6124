// SPDX-License-Identifier: Apache-2.0

// Files of the running Linux system, held by descriptor.

#if os(Linux)
import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A regular file, read by position.
final class OpenFile: IdentifiedFile {
    let key: FileKey
    private let descriptor: Descriptor

    /// Looks before it opens: opening a device or a pipe may wait or do something.
    init(_ folder: CInt, _ path: String) throws(CodeProblem) {
        let place = try Descriptor(folder, path, Descriptor.place)
        let found = try FileStatus.of(place.number, "")
        guard found.st_mode & S_IFMT == S_IFREG else {
            throw CodeProblem(.notRegularFile, "\(path) is not a regular file")
        }
        descriptor = try Descriptor(AT_FDCWD, "/proc/self/fd/\(place.number)", O_RDONLY | O_NONBLOCK | O_NOCTTY)
        key = FileKey(found)
    }

    var count: UInt64 { key.size }

    func keyNow() throws(CodeProblem) -> FileKey { try FileKey(FileStatus.of(descriptor.number, "")) }

    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        guard count >= 0, offset <= self.count, UInt64(count) <= self.count - offset,
            Int(exactly: self.count) != nil
        else { throw CodeProblem(.outOfBounds, at: offset, "\(count) bytes wanted, the file has \(self.count)") }
        var bytes: [UInt8] = []
        while bytes.count < count {
            // Fits: it is at most the file's size, which is an `Int`.
            let position = Int(offset) + bytes.count
            let (part, code) = descriptor.read(count - bytes.count, at: position)
            if code != 0 { throw CodeProblem(system: code, "the file at \(position)") }
            if part.isEmpty { throw CodeProblem(.changed, at: UInt64(position), "the file has become shorter") }
            // The whole, as a rule: then nothing is copied.
            if bytes.isEmpty { bytes = part } else { bytes.append(contentsOf: part) }
        }
        return bytes
    }
}

/// An open descriptor, closed with its last owner.
final class Descriptor: Sendable {
    let number: CInt

    /// O_PATH of <fcntl.h> for x86-64 and ARM, which the module map does not hand on.
    static let place: CInt = 0o10_000_000

    init(_ folder: CInt, _ path: String, _ flags: CInt) throws(CodeProblem) {
        // A NUL would cut the path into another one.
        guard !path.utf8.contains(0) else { throw CodeProblem(.fileAbsent, "a path with a NUL") }
        while true {
            let number = openat(folder, path, flags | O_CLOEXEC)
            if number >= 0 {
                self.number = number
                return
            }
            if errno != EINTR { throw CodeProblem(system: errno, path) }
        }
    }

    deinit { close(number) }

    /// At most `count` bytes and 0, or nothing and the error's number.
    func read(_ count: Int, at position: Int?) -> ([UInt8], CInt) {
        var code: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let result =
                    if let position {
                        pread(number, buffer.baseAddress, count, position)
                    } else {
                        readNext(number, buffer.baseAddress, count)
                    }
                if result < 0 && errno == EINTR { continue }
                if result < 0 { code = errno }
                filled = max(0, result)
                return
            }
        }
        return (bytes, code)
    }

    /// The names in a folder that was opened for reading, without `.` and `..`: `limit` and one more when there are
    /// more.
    func names(limit: Int) throws(CodeProblem) -> [String] {
        // The stream closes its own descriptor.
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard let stream = fdopendir(copy) else {
            let code = errno
            if copy >= 0 { close(copy) }
            throw CodeProblem(system: code, "a folder")
        }
        defer { closedir(stream) }
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var names: [String] = []
        while names.count <= limit {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw CodeProblem(system: errno, "a folder") }
                break
            }
            // Read where it lies: an entry is shorter than its type, so copying it would read past its end.
            let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// `read(2)` by another name, because inside the class `read` is its own function.
private func readNext(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}

/// What the system says of a path.
enum FileStatus {
    /// The status of a path below a folder's descriptor, links followed unless told otherwise; of the descriptor for
    /// "".
    static func of(_ folder: CInt, _ path: String, follow: Bool = true) throws(CodeProblem) -> stat {
        guard !path.utf8.contains(0) else { throw CodeProblem(.fileAbsent, "a path with a NUL") }
        var result = stat()
        let code =
            path.isEmpty ? fstat(folder, &result) : fstatat(folder, path, &result, follow ? 0 : AT_SYMLINK_NOFOLLOW)
        guard code == 0 else { throw CodeProblem(system: errno, path) }
        return result
    }

    /// The target of a link.
    static func link(_ folder: CInt, _ path: String) throws(CodeProblem) -> String {
        let limit = CodeIdentityLimits.linkTarget.value
        var code: CInt = 0
        let bytes = [CChar](unsafeUninitializedCapacity: limit) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            let count = readlinkat(folder, path, start, limit)
            if count < 0 { code = errno }
            filled = max(0, count)
        }
        if code != 0 { throw CodeProblem(system: code, path) }
        guard bytes.count < limit else { throw CodeProblem(.limit, "\(path): \(CodeIdentityLimits.linkTarget.name)") }
        return String(decoding: bytes.lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension FileKey {
    init(_ status: stat) {
        self.init(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), changedSeconds: Int64(status.st_ctim.tv_sec),
            changedNanoseconds: UInt32(truncatingIfNeeded: status.st_ctim.tv_nsec),
            size: UInt64(clamping: status.st_size)
        )
    }
}

extension CodeProblem {
    /// What an error number means for who asked.
    init(system code: CInt, _ what: String) {
        switch code {
        case ESRCH: self.init(.processExited, "\(what): the process has ended")
        case ENOENT, ENOTDIR: self.init(.fileAbsent, "\(what): there is no such file")
        default: self.init(.unreadable, "\(what): \(String(cString: strerror(code)))")
        }
    }
}
#endif
