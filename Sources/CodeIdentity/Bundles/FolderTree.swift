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
    private let root: Descriptor

    /// Opens the folder; here alone symbolic links are followed.
    public init(_ path: String) throws(CodeProblem) { root = try Descriptor(path, O_RDONLY | O_DIRECTORY) }

    public func kind(_ path: String) throws(CodeProblem) -> FileKind? {
        guard let (folder, name) = try folderAndName(path) else { return nil }
        return try Self.kind(name, in: folder)
    }

    public func list(_ path: String) throws(CodeProblem) -> [FileEntry] {
        guard let folder = try folder(TreePath.parts(path)[...]) else { throw CodeProblem(system: ENOENT, path) }
        let limit = CodeIdentityLimits.treeEntries
        let names = try folder.names(limit: limit.value)
        guard names.count <= limit.value else { throw .beyond(limit, "entries of \(path)") }
        var entries: [FileEntry] = []
        for name in names {
            guard let name else {
                entries.append(.notUTF8)
                continue
            }
            // What vanished since is not there.
            if let kind = try Self.kind(name, in: folder) { entries.append(FileEntry(name: name, kind: kind)) }
        }
        return entries
    }

    public func open(_ path: String) throws(CodeProblem) -> any ByteSource {
        guard let (folder, name) = try folderAndName(path) else { throw CodeProblem(system: ENOENT, path) }
        // Looked at before, because opening a device can do things; and after, because it can have been exchanged.
        guard case .file = try Self.kind(name, in: folder) else {
            throw CodeProblem(.badPath, "\(path) is no plain file")
        }
        return try FileBytes(Descriptor(name, in: folder, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, name: path))
    }

    // MARK: Walking

    /// The folder that holds the path's last part, open, and that part; nil when the folder is not there.
    private func folderAndName(_ path: String) throws(CodeProblem) -> (Descriptor, String)? {
        let parts = try TreePath.parts(path)
        guard let folder = try folder(parts.dropLast()) else { return nil }
        return (folder, parts.last ?? ".")
    }

    /// Opens a folder, part by part; nil when it is not there.
    private func folder(_ parts: ArraySlice<String>) throws(CodeProblem) -> Descriptor? {
        var folder = root
        for part in parts {
            do throws(CodeProblem) {
                folder = try Descriptor(part, in: folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            } catch  where error.code == .notFound {
                return nil
            }
        }
        return folder
    }

    private static func kind(_ name: String, in folder: Descriptor) throws(CodeProblem) -> FileKind? {
        do throws(CodeProblem) {
            let status = try Descriptor.status(of: name, in: folder, follow: false)
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file(isExecutable: status.st_mode & 0o111 != 0)
            case S_IFDIR: return .folder
            case S_IFLNK:
                let target = String(validating: try Descriptor.link(at: name, in: folder), as: UTF8.self)
                return target.map { .symbolicLink(target: $0) } ?? .other
            default: return .other
            }
        } catch  where error.code == .notFound {
            return nil
        }
    }
}
