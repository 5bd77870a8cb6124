// SPDX-License-Identifier: Apache-2.0

// The running system, or a mounted one, behind the `UnitFiles` seam.

#if os(Linux)
import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The unit files below a root folder.
///
/// Folders that are links are followed by the kernel, so that an absolute one leads out of another root.
public struct LinuxUnitFiles: UnitFiles {
    private let root: String

    /// `root` is without a trailing slash: empty for the running system.
    public init(root: String = "") { self.root = root }

    public func entry(_ path: String) -> UnitFileEntry? {
        guard let status = try? FileStatus.of(AT_FDCWD, root + path, follow: false) else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(size: UInt64(clamping: status.st_size))
        case S_IFDIR: return .folder
        case S_IFLNK: return (try? FileStatus.link(AT_FDCWD, root + path)).map { .link($0) }
        default: return .other
        }
    }

    public func names(in folder: String) -> [String] {
        let limit = CodeIdentityLimits.folderEntries.value
        let names = try? Descriptor(AT_FDCWD, root + folder, O_RDONLY | O_DIRECTORY).names(limit: limit)
        return (names ?? []).prefix(limit).sorted()
    }

    public func open(_ path: String) throws(CodeProblem) -> any IdentifiedFile { try OpenFile(AT_FDCWD, root + path) }
}
#endif
