// SPDX-License-Identifier: Apache-2.0

// Where a path leads inside a tree, as a process with that tree as its root would see it.

import FlowModel

enum LinkedPath {
    /// The path in the tree at which an absolute path ends, all symbolic links followed; nil when nothing is there.
    ///
    /// Neither `..` nor a link leads out of the tree. Throws `limit` for too many links or folders, and what the tree
    /// throws when it cannot be read.
    static func resolve(_ path: String, in tree: any FileTree) throws(CodeProblem) -> String? {
        var done: [String] = []
        var left = names(path)
        var links = 0
        while let name = left.popLast() {
            if name == ".." {
                _ = done.popLast()
                continue
            }
            let place = (done + [name]).joined(separator: "/")
            switch try kind(place, in: tree) {
            case nil: return nil
            case .symbolicLink(let target):
                links += 1
                let limit = CodeIdentityLimits.pathLinks
                guard links <= limit.value else { throw .beyond(limit, "links on the way to \(path)") }
                if target.utf8.first == UInt8(ascii: "/") { done = [] }
                left += names(target)
            case .file, .folder, .other: done.append(name)
            }
        }
        return done.joined(separator: "/")
    }

    /// What stands at a path of the tree; nil also when a part of the way is no folder.
    private static func kind(_ place: String, in tree: any FileTree) throws(CodeProblem) -> FileKind? {
        do throws(CodeProblem) { return try tree.kind(place) } catch  where error.code == .badPath { return nil }
    }

    /// The names of a path, the last one first.
    private static func names(_ path: String) -> [String] {
        TreePath.split(path, omitEmpty: true).filter { $0 != "." }.reversed()
    }
}
