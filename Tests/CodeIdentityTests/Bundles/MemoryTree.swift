// SPDX-License-Identifier: Apache-2.0

// A tree of files in memory, for the tests of bundles.

@testable import CodeIdentity

/// Files, folders and links by path; a folder is there when something is in it.
struct MemoryTree: FileTree {
    enum Node {
        case file([UInt8], isExecutable: Bool = false)
        case symbolicLink(String)
        case other
    }

    var nodes: [String: Node] = [:]
    /// Paths that cannot be opened.
    var unreadable: Set<String> = []

    init(_ nodes: [String: Node] = [:]) { self.nodes = nodes }

    /// Sets a plain file of this text; nil takes away what is there.
    subscript(path: String) -> String? {
        get { if case .file(let bytes, _) = nodes[path] { String(decoding: bytes, as: UTF8.self) } else { nil } }
        set { nodes[path] = newValue.map { .file(Array($0.utf8)) } }
    }

    func kind(_ path: String) throws(CodeProblem) -> FileKind? {
        let parts = try TreePath.parts(path)
        for count in 1..<max(parts.count, 1) where nodes[parts.prefix(count).joined(separator: "/")] != nil {
            throw CodeProblem(.badPath, "\(path) goes through what is no folder")
        }
        switch nodes[path] {
        case .file(_, let isExecutable): return .file(isExecutable: isExecutable)
        case .symbolicLink(let target): return .symbolicLink(target: target)
        case .other: return .other
        case nil: return path.isEmpty || nodes.keys.contains { $0.hasPrefix(path + "/") } ? .folder : nil
        }
    }

    func list(_ path: String) throws(CodeProblem) -> [FileEntry] {
        guard try kind(path) == .folder else { throw CodeProblem(.notFound, "\(path) is no folder") }
        let prefix = path.isEmpty ? "" : path + "/"
        let names = Set(
            nodes.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count).prefix { $0 != "/" }) })
        var entries: [FileEntry] = []
        for name in names {
            if let kind = try kind(prefix + name) { entries.append(FileEntry(name: name, kind: kind)) }
        }
        return entries
    }

    func open(_ path: String) throws(CodeProblem) -> any ByteSource {
        if unreadable.contains(path) { throw CodeProblem(.unreadable, "\(path): no") }
        guard case .file(let bytes, _) = nodes[path] else { throw CodeProblem(.badPath, "\(path) is no plain file") }
        return MemoryBytes(bytes)
    }
}
