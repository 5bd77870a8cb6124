// SPDX-License-Identifier: Apache-2.0

// The running Linux system behind the `ProcessFiles` seam.

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The processes and files of the running system.
///
/// Other users' processes need CAP_SYS_PTRACE, and `map_files` CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. A read from a
/// file system that does not answer waits: call it where waiting harms nobody.
public struct LinuxProcessFiles: ProcessFiles {
    public init() {}

    public func process(_ pid: Int32) throws(CodeProblem) -> any ProcessHandle {
        guard pid > 0 else { throw CodeProblem(.processExited, "\(pid) is no process number") }
        do throws(CodeProblem) {
            return LinuxProcess(pid, try Descriptor(AT_FDCWD, "/proc/\(pid)", Descriptor.place | O_DIRECTORY))
        } catch let error where error.code == .fileAbsent {
            throw CodeProblem(.processExited, "there is no process \(pid)")
        }
    }

    public func open(path: String) throws(CodeProblem) -> any IdentifiedFile { try OpenFile(AT_FDCWD, path) }

    public func key(path: String) throws(CodeProblem) -> FileKey { try FileKey(FileStatus.of(AT_FDCWD, path)) }

    public var mountNamespace: String? { try? FileStatus.link(AT_FDCWD, "/proc/self/ns/mnt") }
}

/// A process held by a descriptor of its folder in `/proc`.
///
/// The descriptor belongs to this process like a pidfd: once it is reaped every look-up through it fails with ESRCH,
/// also when the number is in use again.
private final class LinuxProcess: ProcessHandle {
    private let pid: Int32
    private let folder: Descriptor

    init(_ pid: Int32, _ folder: Descriptor) {
        self.pid = pid
        self.folder = folder
    }

    func text(_ file: ProcessText, limit: Int) throws(CodeProblem) -> BoundedText {
        let descriptor = try Descriptor(folder.number, file.rawValue, O_RDONLY)
        var bytes: [UInt8] = []
        // One byte more than wanted, to know whether there is more.
        while bytes.count <= limit {
            let room = min(limit - bytes.count + 1, 64 << 10)
            let (part, code) = descriptor.read(room, at: nil)
            // An address space that is gone: what the process was cannot be read any more.
            if code != 0 { throw CodeProblem(system: code, "/proc/\(pid)/\(file.rawValue)") }
            if part.isEmpty { return BoundedText(bytes) }
            bytes.append(contentsOf: part)
        }
        bytes.removeLast(bytes.count - limit)
        return BoundedText(bytes, complete: false)
    }

    func target(of which: ProcessLink) throws(CodeProblem) -> String {
        try FileStatus.link(folder.number, which.rawValue)
    }

    func open(_ path: ProcessPath) throws(CodeProblem) -> any IdentifiedFile {
        try OpenFile(folder.number, name(of: path))
    }

    func key(of path: ProcessPath) throws(CodeProblem) -> FileKey {
        try FileKey(FileStatus.of(folder.number, name(of: path)))
    }

    private func name(of path: ProcessPath) -> String {
        switch path {
        case .executable: "exe"
        // Without the leading zeros that `maps` writes.
        case .mapping(let start, let end): "map_files/\(String(start, radix: 16))-\(String(end, radix: 16))"
        case .inside(let path): "root/" + path
        }
    }
}
#endif
