// SPDX-License-Identifier: Apache-2.0

// The tree of files under a real folder, walked by descriptor: the one file of bundles that speaks to the system.

import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The files under a folder of this machine.
///
/// Each part of a path is opened in the folder before it and never through a symbolic link, so nobody who changes the
/// tree meanwhile can lead a read out of it.
public final class FolderTree: FileTree {
    private let root: Int32
    private let source: @Sendable (Int32) throws(CodeProblem) -> any ByteSource

    /// Opens the folder; here alone symbolic links are followed.
    ///
    /// `source` makes a source of bytes of the descriptor of a plain file, which it owns from then on.
    public init(
        _ path: String, source: @escaping @Sendable (_ descriptor: Int32) throws(CodeProblem) -> any ByteSource
    ) throws(CodeProblem) {
        root = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        self.source = source
        guard root >= 0 else { throw Self.failure(path, errno) }
    }

    deinit { if root >= 0 { close(root) } }

    public func kind(_ path: String) throws(CodeProblem) -> FileKind? {
        guard let (folder, name) = try folderAndName(path) else { return nil }
        defer { close(folder) }
        return try Self.kind(name, in: folder, path)
    }

    public func list(_ path: String) throws(CodeProblem) -> [FileEntry] {
        guard let folder = try folder(TreePath.parts(path)[...], of: path) else { throw Self.failure(path, ENOENT) }
        // The stream owns the descriptor from here.
        guard let stream = fdopendir(folder) else {
            let error = errno
            close(folder)
            throw Self.failure(path, error)
        }
        defer { closedir(stream) }
        var entries: [FileEntry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw Self.failure(path, errno) }
                return entries
            }
            guard let name = Self.name(entry) else {
                entries.append(.notUTF8)
                continue
            }
            if name == "." || name == ".." { continue }
            let limit = CodeIdentityLimits.treeEntries
            guard entries.count < limit.value else { throw .beyond(limit, "entries of \(path)") }
            // What vanished since is not there.
            if let kind = try Self.kind(name, in: dirfd(stream), path) {
                entries.append(FileEntry(name: name, kind: kind))
            }
        }
    }

    public func open(_ path: String) throws(CodeProblem) -> any ByteSource {
        guard let (folder, name) = try folderAndName(path) else { throw Self.failure(path, ENOENT) }
        defer { close(folder) }
        // Looked at before, because opening a device can do things; and after, because it can have been exchanged.
        guard case .file = try Self.kind(name, in: folder, path) else { throw Self.notPlain(path) }
        let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure(path, errno) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw Self.notPlain(path)
        }
        return try source(file)
    }

    // MARK: Walking

    /// The folder that holds the path's last part, open, and that part; nil when the folder is not there.
    private func folderAndName(_ path: String) throws(CodeProblem) -> (Int32, String)? {
        let parts = try TreePath.parts(path)
        guard let folder = try folder(parts.dropLast(), of: path) else { return nil }
        return (folder, parts.last ?? ".")
    }

    /// Opens a folder, part by part; nil when it is not there.
    private func folder(_ parts: ArraySlice<String>, of path: String) throws(CodeProblem) -> Int32? {
        var folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for part in parts where folder >= 0 {
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let error = errno
            close(folder)
            folder = next
            errno = error
        }
        if folder >= 0 { return folder }
        if errno == ENOENT { return nil }
        throw Self.failure(path, errno)
    }

    private static func kind(_ name: String, in folder: Int32, _ path: String) throws(CodeProblem) -> FileKind? {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, errno)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(isExecutable: status.st_mode & 0o111 != 0)
        case S_IFDIR: return .folder
        case S_IFLNK: return try target(name, in: folder, path).map { .symbolicLink(target: $0) } ?? .other
        default: return .other
        }
    }

    /// The target of a symbolic link; nil when it is not UTF-8.
    private static func target(_ name: String, in folder: Int32, _ path: String) throws(CodeProblem) -> String? {
        // No system has longer ones.
        let limit = 4096
        var target = [CChar](repeating: 0, count: limit + 1)
        let count = readlinkat(folder, name, &target, limit + 1)
        guard count >= 0 else { throw failure(path, errno) }
        guard count <= limit else { return nil }
        return String(validating: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The name in a folder's entry; nil when it is not UTF-8.
    ///
    /// Read where it lies: an entry is shorter than its type, so copying it would read past its end.
    private static func name(_ entry: UnsafeMutablePointer<dirent>) -> String? {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
        return String(
            validatingCString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
    }

    private static func failure(_ path: String, _ error: Int32) -> CodeProblem {
        let code: CodeProblem.Code =
            switch error {
            case ENOENT: .notFound
            case ENOTDIR, ELOOP: .badPath
            default: .unreadable
            }
        let text: UnsafeMutablePointer<CChar>? = strerror(error)
        return CodeProblem(code, "\(path): \(text.map { String(cString: $0) } ?? "error \(error)")")
    }

    private static func notPlain(_ path: String) -> CodeProblem { CodeProblem(.badPath, "\(path) is no plain file") }
}
