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
            return LinuxProcess(pid, try Descriptor("/proc/\(pid)", Descriptor.place | O_DIRECTORY))
        } catch let error where error.code == .notFound {
            throw CodeProblem(.processExited, "there is no process \(pid)")
        }
    }

    public func open(path: String) throws(CodeProblem) -> any IdentifiedFile { try FileBytes(path: path) }

    public func key(path: String) throws(CodeProblem) -> FileKey { try FileKey(Descriptor.status(of: path)) }

    public var mountNamespace: String? { (try? Descriptor.link(at: "/proc/self/ns/mnt")).map(ProcFields.text) }
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
        let descriptor: Descriptor
        do throws(CodeProblem) {
            descriptor = try Descriptor(file.rawValue, in: folder, O_RDONLY)
        } catch let error where error.code == .notFound {
            // Every process has them: this one has gone, or belongs to another user and is hidden from us (`hidepid`).
            // Only a hidden one's folder cannot be asked for its status (`pid_getattr` in fs/proc/base.c).
            let isHidden = (try? folder.status) == nil
            throw CodeProblem(
                isHidden ? .unreadable : .processExited,
                "/proc/\(pid)/\(file.rawValue): \(isHidden ? "hidden from us" : "the process has ended")")
        }
        var bytes: [UInt8] = []
        // One byte more than wanted, to know whether there is more.
        while bytes.count <= limit {
            let room = min(limit - bytes.count + 1, 64 << 10)
            let (part, error) = descriptor.read(room)
            // An address space that is gone: what the process was cannot be read any more.
            if error != 0 { throw CodeProblem(system: error, "/proc/\(pid)/\(file.rawValue)") }
            bytes.append(contentsOf: part)
            if part.count < room { return BoundedText(bytes) }
        }
        bytes.removeLast(bytes.count - limit)
        return BoundedText(bytes, complete: false)
    }

    func target(of which: ProcessLink) throws(CodeProblem) -> String {
        ProcFields.text(try Descriptor.link(at: which.rawValue, in: folder))
    }

    func open(_ path: ProcessPath) throws(CodeProblem) -> any IdentifiedFile {
        switch path {
        case .executable: try FileBytes("exe", in: folder)
        // Without the leading zeros that `maps` writes.
        case .mapping(let start, let end):
            try FileBytes("map_files/\(String(start, radix: 16))-\(String(end, radix: 16))", in: folder)
        // Walked, because the system would follow an absolute link from our root.
        case .inside(let path):
            try RootFolder(Descriptor("root", in: folder, Descriptor.place | O_DIRECTORY)).file(at: path)
        }
    }

    func executableKey() throws(CodeProblem) -> FileKey {
        try FileKey(Descriptor.status(of: "exe", in: folder))
    }

    func hasOwnPages(start: UInt64, end: UInt64) throws(CodeProblem) -> Bool {
        let pageMap = try Descriptor("pagemap", in: folder, O_RDONLY)
        let pageSize = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        // One word a page (proc_pid_pagemap(5)); an address divided by 512 or more fits.
        var place = Int(start / pageSize * 8)
        let last = Int(end / pageSize * 8)
        while place < last {
            let (words, error) = pageMap.read(min(last - place, 64 << 10), at: place)
            if error != 0 { throw CodeProblem(system: error, "/proc/\(pid)/pagemap") }
            // Beyond what a process can change: the kernel's own page on x86-64.
            if words.isEmpty { return false }
            place += words.count
            let isOwn = words.withUnsafeBytes { words in
                stride(from: 0, through: words.count - 8, by: 8).contains {
                    let word = words.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
                    // Present or swapped out, and neither a file's nor shared.
                    return word >> 62 != 0 && word >> 61 & 1 == 0
                }
            }
            if isOwn { return true }
        }
        return false
    }

    func threads(limit: Int) throws(CodeProblem) -> [Int32] {
        try Descriptor("task", in: folder, O_RDONLY | O_DIRECTORY).names(limit: limit)
            .compactMap { $0.flatMap { Int32($0) } }
    }

    func memoryWatch() throws(CodeProblem) -> @Sendable () -> Bool {
        // Opened, it belongs to the memory and not to the process: it reads empty once nobody uses that memory.
        let maps = try Descriptor("maps", in: folder, O_RDONLY)
        return { !maps.read(1, at: 0).bytes.isEmpty }
    }
}
#endif
