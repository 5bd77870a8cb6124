// SPDX-License-Identifier: Apache-2.0

// The files of a system, together with who vouches for them.

import FlowModel

struct VouchedTree: Sendable {
    let tree: any FileTree
    /// Nil where no package database speaks for the tree.
    let vouching: (any ProgramVouching)?

    /// What is said of one file.
    struct Voucher {
        var claim: PackageClaim?
        /// Nil when the file could not be hashed.
        var sha256: [UInt8]?
        var isRootOwned = false
    }

    /// Hashes a file of the tree, and asks who brought it and who can change it.
    func vouch(for source: any ByteSource, at path: String) -> Voucher {
        guard let vouching, let file = source as? any IdentifiedFile else {
            return Voucher(sha256: try? FileDigests(of: source).sha256)
        }
        let (claim, sha256) = vouching.claim(path: "/" + path, source: file, key: file.key)
        return Voucher(claim: claim, sha256: sha256, isRootOwned: vouching.isRootOwnedChain(path: "/" + path))
    }

    /// The file that defines a service, or a part of it.
    struct Definition {
        /// From the root, links followed.
        let path: String
        let bytes: [UInt8]
        let claim: PackageClaim?
    }

    /// Reads a definition, links followed; throws `notFound` when nothing is there.
    func definition(_ path: String) throws(CodeProblem) -> Definition {
        guard let place = try LinkedPath.resolve(path, in: tree) else {
            throw CodeProblem(.notFound, "\(path) leads nowhere")
        }
        let source = try tree.open(place)
        let limit = CodeIdentityLimits.inventoryDefinitionBytes
        guard source.count <= UInt64(limit.value) else { throw .beyond(limit, "bytes of /\(place)") }
        return Definition(
            path: "/" + place, bytes: try source.read(at: 0, count: Int(source.count)),
            claim: vouch(for: source, at: place).claim)
    }

    /// The programs that the commands of a service name, links followed, sorted; what leads nowhere is a problem.
    ///
    /// A name without a slash is looked up where systemd looks (systemd.service(5), "Command lines").
    func programs(_ commands: [String], problems: inout [String]) -> [String] {
        var programs: Set<String> = []
        let limit = CodeIdentityLimits.inventoryServicePrograms
        if commands.count > limit.value { Self.note(.beyond(limit, "programs of a service"), &problems) }
        for command in commands.prefix(limit.value) {
            do throws(CodeProblem) {
                guard let place = try find(command) else {
                    throw CodeProblem(.notFound, "\(command) is not there")
                }
                programs.insert("/" + place)
            } catch {
                Self.note(error, &problems)
            }
        }
        return programs.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func find(_ command: String) throws(CodeProblem) -> String? {
        if command.utf8.contains(UInt8(ascii: "/")) { return try LinkedPath.resolve(command, in: tree) }
        for folder in ["/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"] {
            if let place = try LinkedPath.resolve(folder + command, in: tree) { return place }
        }
        return nil
    }

    /// Keeps a problem, as long as there are few.
    static func note(_ problem: CodeProblem, _ problems: inout [String]) {
        guard problems.count < CodeIdentityLimits.inventoryProblems.value else { return }
        let text = problem.description
        if !problems.contains(text) { problems.append(text) }
    }
}

extension String {
    /// The text, or its beginning where it is longer than `inventory.text`.
    var boundedForInventory: (text: String, isCut: Bool) {
        let limit = CodeIdentityLimits.inventoryText.value
        guard utf8.count > limit else { return (self, false) }
        return (String(decoding: utf8.prefix(limit), as: UTF8.self), true)
    }
}
