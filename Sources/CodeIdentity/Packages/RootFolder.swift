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
    /// A descriptor that is closed when nobody holds it any more.
    final class Held: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    /// What a walk ends at.
    struct End {
        let held: Held
        let node: PathNode
    }

    private struct Step {
        let name: String
        let end: End
    }

    /// Linux's `O_PATH`, which the C library shows only to GNU sources; the same on all architectures Swift knows.
    private static let pathOnly: Int32 = 0o10_000_000

    private let held: Held

    /// Throws `unreadable` when there is no such folder.
    public init(_ path: String = "/") throws(CodeProblem) {
        let number = open(path, Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw Self.refusal(path) }
        held = Held(number)
    }

    /// Walks to the end of a path, following links, and shows each step to `visit` before the next one is taken.
    ///
    /// Throws `path-broken` for a path that leads nowhere, `limit` for too many links or folders, and what `visit`
    /// throws.
    func walk(
        to path: String, accessLists: Bool = false,
        visit: (PathNode, () -> String) throws(CodeProblem) -> Void = { (_, _) throws(CodeProblem) in }
    ) throws(CodeProblem) -> End {
        guard path.utf8.count <= CodeIdentityLimits.packagePathBytes.value, !path.utf8.contains(0) else {
            throw CodeProblem(.pathBroken, "a path of \(path.utf8.count) bytes, or with a NUL")
        }
        let root = Step(name: "", end: End(held: held, node: try Self.node(held, accessLists, "/")))
        var steps = [root]
        try visit(root.end.node) { "/" }
        var left = Self.names(path)
        var links = 0
        while let name = left.popLast() {
            guard let folder = steps.last, folder.end.node.kind == .folder else {
                throw CodeProblem(.pathBroken, "\(Self.text(steps)) is no folder")
            }
            if name == ".." {
                if steps.count > 1 { steps.removeLast() }
                continue
            }
            let number = openat(folder.end.held.number, name, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
            guard number >= 0 else { throw Self.refusal("\(Self.text(steps))/\(name)") }
            let held = Held(number)
            let step = Step(name: name, end: End(held: held, node: try Self.node(held, accessLists, name)))
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
            guard let target = Self.target(below: held.number, "") else { throw Self.refusal(Self.text(steps)) }
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

    /// The target of a link in a folder, or of the held link itself when the name is empty; nil when it is none.
    static func target(below folder: Int32, _ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: CodeIdentityLimits.packagePathBytes.value + 1)
        let count = readlinkat(folder, name, &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func node(_ held: Held, _ accessLists: Bool, _ name: String) throws(CodeProblem) -> PathNode {
        guard var node = status(held.number) else { throw refusal(name) }
        if accessLists, node.kind != .link { node.accessList = accessList(held.number) }
        return node
    }

    /// What an open descriptor is; nil when the system does not say.
    static func status(_ number: Int32) -> PathNode? {
        var status = stat()
        guard fstat(number, &status) == 0 else { return nil }
        let kind: PathNode.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFREG: .file
            default: .other
            }
        return PathNode(
            kind: kind, owner: status.st_uid, mode: UInt32(status.st_mode) & 0o7777,
            key: FileKey(
                device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
                // Years from 1677 to 2262 fit; another one only makes another key.
                changed: Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec),
                size: UInt64(clamping: status.st_size)))
    }

    private typealias ListAttributes = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>?, Int) -> Int

    /// `listxattr(2)`, which Swift's module of the C library leaves out; nil in a static program.
    ///
    /// The cast is to the type that the manual page gives.
    private static let listAttributes: ListAttributes? = dlsym(nil, "listxattr").map {
        unsafeBitCast($0, to: ListAttributes.self)
    }

    /// Whether there is an access list other than POSIX's, which the mode bits already speak for.
    private static func accessList(_ number: Int32) -> PathNode.AccessList {
        guard let listAttributes else { return .unknown }
        // A descriptor that only names a file has no attributes of its own; the link in /proc leads to the file.
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = listAttributes("/proc/self/fd/\(number)", &buffer, buffer.count)
        if count < 0 { return errno == ENOTSUP ? .none : .unknown }
        let names = buffer.prefix(count).split(separator: 0).map { String(decoding: $0.map(UInt8.init), as: UTF8.self) }
        return names.contains { $0.hasPrefix("system.") && !$0.hasPrefix("system.posix_acl_") } ? .unknown : .none
    }

    static func refusal(_ path: String) -> CodeProblem {
        let reason = String(cString: strerror(errno))
        return CodeProblem(errno == ENOENT || errno == ENOTDIR ? .pathBroken : .unreadable, "\(path): \(reason)")
    }
}
#endif
