// SPDX-License-Identifier: Apache-2.0

// The files that a policy names, on the disk.

internal import CodeIdentity
internal import FlowModel
package import FlowPolicy
internal import Foundation

/// Reads the files that a policy names, relative to the document that names them.
package struct DiskPolicyFiles: PolicyFiles {
    package init() {}

    package func text(of path: String, namedBy document: String) throws(PolicyFileProblem) -> PolicyFile {
        let whole = Self.path(of: path, namedBy: document)
        let text = try Self.text(of: whole)
        // Two paths to one file, through links or `..`, get one name.
        guard let resolved = realpath(whole, nil) else { return PolicyFile(name: whole, text: text) }
        defer { free(resolved) }
        return PolicyFile(name: String(cString: resolved), text: text)
    }

    /// A path as a document means it: beside the document, unless it begins with `/`.
    package static func path(of path: String, namedBy document: String) -> String {
        guard !path.hasPrefix("/"), let slash = document.lastIndex(of: "/") else { return path }
        return String(document[...slash]) + path
    }

    /// The text of a regular file of bounded size, or why there is none.
    package static func text(of path: String) throws(PolicyFileProblem) -> String {
        guard let text = String(validating: try bytes(of: path), as: UTF8.self) else {
            throw PolicyFileProblem("it is not UTF-8 text: save it as UTF-8")
        }
        return text
    }

    /// The bytes of a regular file of bounded size, or why there are none.
    ///
    /// A pipe or a device could keep the reader waiting or never end, so only regular files are read; a link to one is
    /// as good as the file.
    package static func bytes(of path: String) throws(PolicyFileProblem) -> [UInt8] {
        let limit = AssemblyLimits.policyFile.value
        do throws(CodeProblem) {
            let file = try FileBytes(path: path)
            guard file.count <= UInt64(limit) else {
                throw CodeProblem(.limit, "it has more than \(limit) bytes: split it")
            }
            let bytes = try file.read(at: 0, count: Int(file.count))
            // Half of one text and half of another may still be a policy.
            guard file.isUnchanged else { throw CodeProblem(.changed, "it was written while it was read: try again") }
            return bytes
        } catch {
            switch error.code {
            case .notFound: throw PolicyFileProblem("there is no such file")
            case .notRegularFile:
                throw PolicyFileProblem("it is no regular file: name a file, not a folder, a pipe or a device")
            case .limit: throw PolicyFileProblem(error.detail)
            default: throw PolicyFileProblem("it cannot be read: \(error.detail)")
            }
        }
    }
}
