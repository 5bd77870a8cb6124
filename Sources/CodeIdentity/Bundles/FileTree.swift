// SPDX-License-Identifier: Apache-2.0

// A tree of files as bundles need it: no path leaves it, and no symbolic link is followed.

import FlowModel

/// What a name in a folder stands for.
public enum FileKind: Hashable, Sendable {
    /// A plain file; whether anybody may execute it.
    case file(isExecutable: Bool)
    case folder
    case symbolicLink(target: String)
    /// A device, socket or pipe, or a name or target that is not UTF-8.
    case other
}

/// One name in a folder.
public struct FileEntry: Hashable, Sendable {
    public let name: String
    public let kind: FileKind

    /// What stands for an entry whose name is not UTF-8: it cannot be named, and is there all the same.
    public static let notUTF8 = FileEntry(name: "(a name that is not UTF-8)", kind: .other)

    public init(name: String, kind: FileKind) {
        self.name = name
        self.kind = kind
    }
}

/// Files under one root, that may change or lie.
///
/// A path is relative, its parts separated by `/`, none of them empty, `.` or `..`; the empty path is the root. Every
/// part but the last must be a folder, not a link to one: else it is `bad-path`, or `not-found`.
public protocol FileTree: Sendable {
    /// What stands at the path; nil when nothing does.
    func kind(_ path: String) throws(CodeProblem) -> FileKind?
    /// What stands in the folder, in any order; throws `limit` beyond `bundle.entries`.
    func list(_ path: String) throws(CodeProblem) -> [FileEntry]
    /// Opens a plain file; anything else is `bad-path`.
    func open(_ path: String) throws(CodeProblem) -> any ByteSource
}

extension FileTree {
    /// Whether there is a plain file at the path.
    func isFile(_ path: String) throws(CodeProblem) -> Bool {
        if case .file = try kind(path) { true } else { false }
    }

    /// The whole content of a plain file.
    func read(_ path: String, limit: Limit) throws(CodeProblem) -> [UInt8] {
        let source = try open(path)
        guard source.count <= UInt64(limit.value) else { throw .beyond(limit, "bytes of \(path)") }
        return try source.read(at: 0, count: Int(source.count))
    }
}

/// Paths inside a tree.
enum TreePath {
    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : name.isEmpty ? folder : folder + "/" + name
    }

    /// The parts of a path; throws unless it is one that stays in the tree.
    static func parts(_ path: String) throws(CodeProblem) -> [String] {
        if path.isEmpty { return [] }
        let parts = split(path, omitEmpty: false)
        for part in parts where part.isEmpty || part == "." || part == ".." || part.utf8.contains(0) {
            throw CodeProblem(.badPath, "\(path) is no path inside the tree")
        }
        let limit = CodeIdentityLimits.treeDepth
        guard parts.count <= limit.value else { throw .beyond(limit, "folders inside each other") }
        return parts
    }

    /// What stands between the slashes.
    ///
    /// By bytes: a combining character after a slash would hide it from a search by character.
    static func split(_ text: String, omitEmpty: Bool) -> [String] {
        text.utf8.split(separator: 0x2F, omittingEmptySubsequences: omitEmpty).map { String(Substring($0)) }
    }
}
