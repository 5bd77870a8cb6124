// SPDX-License-Identifier: Apache-2.0

// Walking below a root folder by descriptors, one name at a time.

#if os(Linux)
import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The root folder of a system: `/`, or where another system's volume is mounted.
///
/// Paths are walked as a process in that root would see them; neither `..` nor a link leads out of it.
public final class RootFolder: Sendable {
    /// What a walk ends at.
    struct End {
        let held: Descriptor
        let node: PathNode
    }

    private struct Step {
        let name: String
        let end: End
    }

    private let held: Descriptor

    /// Throws `notFound` or `unreadable` when there is no such folder.
    public convenience init(_ path: String = "/") throws(CodeProblem) {
        self.init(try Descriptor(path, Descriptor.place | O_DIRECTORY))
    }

    init(_ held: Descriptor) { self.held = held }

    /// Opens a regular file, links followed inside the root.
    func file(at path: String) throws(CodeProblem) -> FileBytes {
        try FileBytes(place: walk(to: path).held, name: path)
    }

    /// Walks to the end of a path, following links, and shows each step to `visit` before the next one is taken.
    ///
    /// Throws `notFound` or `badPath` for a path that leads nowhere, `limit` for too many links or folders, and what
    /// `visit` throws.
    func walk(
        to path: String, accessLists: Bool = false,
        visit: (PathNode, () -> String) throws(CodeProblem) -> Void = { (_, _) throws(CodeProblem) in }
    ) throws(CodeProblem) -> End {
        guard path.utf8.count <= CodeIdentityLimits.packagePathBytes.value, !path.utf8.contains(0) else {
            throw CodeProblem(.badPath, "a path of \(path.utf8.count) bytes, or with a NUL")
        }
        let root = Step(name: "", end: End(held: held, node: try Self.node(held, accessLists)))
        var steps = [root]
        try visit(root.end.node) { "/" }
        var left = Self.names(path)
        var links = 0
        while let name = left.popLast() {
            guard let folder = steps.last, folder.end.node.kind == .folder else {
                throw CodeProblem(.badPath, "\(Self.text(steps)) is no folder")
            }
            if name == ".." {
                if steps.count > 1 { steps.removeLast() }
                continue
            }
            let held = try Descriptor(
                name, in: folder.end.held, Descriptor.place | O_NOFOLLOW, name: "\(Self.text(steps))/\(name)")
            let step = Step(name: name, end: End(held: held, node: try Self.node(held, accessLists)))
            try visit(step.end.node) { Self.text(steps + [step]) }
            if step.end.node.kind != .link {
                guard steps.count <= CodeIdentityLimits.pathDepth.value else {
                    throw CodeProblem(.limit, "\(steps.count) folders deep (\(CodeIdentityLimits.pathDepth.name))")
                }
                steps.append(step)
                continue
            }
            links += 1
            guard links <= CodeIdentityLimits.pathLinks.value else {
                throw CodeProblem(.limit, "\(links) links on the way (\(CodeIdentityLimits.pathLinks.name))")
            }
            let target = String(decoding: try Descriptor.link(at: "", in: held), as: UTF8.self)
            if target.utf8.first == UInt8(ascii: "/") { steps = [root] }
            left += Self.names(target)
        }
        return steps.last?.end ?? root.end
    }

    /// The names of a path, last one first.
    private static func names(_ path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).reversed().map { String(decoding: $0, as: UTF8.self) }
            .filter { $0 != "." }
    }

    private static func text(_ steps: [Step]) -> String { steps.map(\.name).joined(separator: "/") }

    private static func node(_ held: Descriptor, _ accessLists: Bool) throws(CodeProblem) -> PathNode {
        let status = try held.status
        let kind: PathNode.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFREG: .file
            default: .other
            }
        return PathNode(
            kind: kind, owner: status.st_uid, mode: UInt32(status.st_mode) & 0o7777, key: FileKey(status),
            accessList: accessLists && kind != .link ? accessList(held) : .none)
    }

    private typealias ListAttributes = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>?, Int) -> Int

    /// `listxattr(2)`, which Swift's module of the C library leaves out; nil in a static program.
    ///
    /// The cast is to the type that the manual page gives.
    private static let listAttributes: ListAttributes? = dlsym(nil, "listxattr").map {
        unsafeBitCast($0, to: ListAttributes.self)
    }

    /// Whether there is an access list other than POSIX's, which the mode bits already speak for.
    private static func accessList(_ held: Descriptor) -> PathNode.AccessList {
        guard let listAttributes else { return .unknown }
        // A descriptor that only names a file has no attributes of its own; the link in /proc leads to the file.
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = withExtendedLifetime(held) {
            listAttributes("/proc/self/fd/\(held.number)", &buffer, buffer.count)
        }
        if count < 0 { return errno == ENOTSUP ? .none : .unknown }
        let names = buffer.prefix(count).split(separator: 0).map { String(decoding: $0.map(UInt8.init), as: UTF8.self) }
        return names.contains { $0.hasPrefix("system.") && !$0.hasPrefix("system.posix_acl_") } ? .unknown : .none
    }
}
#endif
