// SPDX-License-Identifier: Apache-2.0

// Whether only root can put another file in a file's place.

/// One folder, link or file on the way to a file.
struct PathNode: Sendable, Hashable {
    enum Kind: Sendable { case folder, link, file, other }

    /// Whether something beyond the mode can let others write.
    enum AccessList: Sendable {
        case none
        /// A list that the mode does not show, or nobody could say.
        case unknown
    }

    var kind: Kind
    var owner: UInt32
    /// The permission bits.
    var mode: UInt32
    var key: FileKey
    var accessList: AccessList = .none
}

/// Asks of a path whether every folder from `/` down, every link on the way and the file itself belong to root and
/// can be written by nobody else.
///
/// A sticky folder does not pass: others cannot take a file away there, but can put one there first. Mode bits speak
/// for a POSIX access list too, since its mask is the group's bits (acl(5)); any other kind of list fails.
public struct OwnedPathChain: Sendable {
    public struct Answer: Sendable, Hashable {
        public var owned: Bool
        /// The file that was found at the end; compare it with the one you mean.
        public var key: FileKey?
        /// Why it is not owned.
        public var problems: [CodeProblem]
    }

    /// Who may own what is on the way; root, except in tests.
    private let owner: UInt32

    init(trusting owner: UInt32) { self.owner = owner }

    public init() { self.init(trusting: 0) }

    /// What is wrong with one step of the way; nil when nothing is.
    func fault(of node: PathNode, at path: @autoclosure () -> String) -> CodeProblem? {
        guard node.owner == owner else {
            return CodeProblem(.pathNotOwned, "\(path()) belongs to user \(node.owner)")
        }
        // A link cannot be written: what it says is its folder's and its owner's affair.
        guard node.kind != .link else { return nil }
        guard node.mode & 0o022 == 0 else {
            return CodeProblem(
                .pathNotOwned, "\(path()) can be written by others: mode \(String(node.mode & 0o7777, radix: 8))")
        }
        guard node.accessList == .none else {
            return CodeProblem(.pathAccessList, "\(path()) has, or may have, an access list of an unknown kind")
        }
        return nil
    }
}

#if os(Linux)
extension OwnedPathChain {
    /// Walks an absolute path below a root folder; a link can be anything but a way out of it.
    ///
    /// Each step is opened from the one before and asked through its descriptor, so nothing can be put between. The
    /// root folder is examined, what lies above it is not.
    public func check(_ path: String, in root: RootFolder) -> Answer {
        var answer = Answer(owned: false, problems: [])
        do throws(CodeProblem) {
            let end = try root.walk(to: path, accessLists: true) { (node, path) throws(CodeProblem) in
                if let fault = fault(of: node, at: path()) { throw fault }
            }
            guard end.node.kind == .file else {
                throw CodeProblem(.notRegularFile, "\(path) is no regular file")
            }
            answer.key = end.node.key
            answer.owned = true
        } catch {
            answer.problems.append(error)
        }
        return answer
    }
}
#endif
