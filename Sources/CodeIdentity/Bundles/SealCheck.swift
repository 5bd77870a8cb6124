// SPDX-License-Identifier: Apache-2.0

// Compares the files of a bundle with its resource seal.

import FlowModel

/// Code inside a bundle that the seal binds by a requirement, not by a hash.
public struct NestedCode: Hashable, Sendable {
    /// Its path in the tree: a bundle or a single file.
    public let path: String
    /// The cdhash it had when the bundle was signed; the code may have been updated since.
    public let cdhash: CDHash?
    /// What the code there must satisfy: the text of a requirement, for the caller to evaluate.
    public let requirement: String
}

/// What came of comparing a bundle with its seal.
public struct SealReport: Sendable {
    /// Nested code in the order of its paths; the seal holds only if each satisfies its requirement.
    public internal(set) var nestedCode: [NestedCode] = []
    /// Plain files whose content was compared.
    public internal(set) var files = 0
    /// How many bytes they have.
    public internal(set) var bytes: UInt64 = 0
    /// What does not agree, each with its path; empty when everything does.
    public internal(set) var problems: [CodeProblem] = []
}

extension ResourceSeal {
    /// Compares every file of the bundle with the seal, as Apple's strict check does (StaticCode.cpp).
    ///
    /// Nested code is reported, neither verified nor descended into. Extended attributes are not looked at. Reads are
    /// sequential and in pieces; at a limit the check ends with that problem.
    public func check(_ bundle: CodeBundle, in tree: some FileTree) -> SealReport {
        var check = SealCheck(seal: self, bundle: bundle, tree: tree)
        return check.run()
    }
}

/// One comparison under way.
private struct SealCheck<Tree: FileTree> {
    private let seal: ResourceSeal
    private let bundle: CodeBundle
    private let tree: Tree
    private var rules: [ResourceSeal.Rule]
    /// Paths that no rule speaks of: the signature's own files and the main executable, which holds the signature.
    ///
    /// As bytes: another spelling of the executable's name is another file here.
    private let excluded: Set<[UInt8]>
    private let executable: [UInt8]?
    private var visited: Set<String> = []
    private var entries = 0
    private var steps = 0
    private var report = SealReport()

    init(seal: ResourceSeal, bundle: CodeBundle, tree: Tree) {
        self.seal = seal
        self.bundle = bundle
        self.tree = tree
        rules = seal.rules
        let baseLength = bundle.base.isEmpty ? 0 : bundle.base.utf8.count + 1
        executable = bundle.executable.map { Array($0.utf8.dropFirst(baseLength)) }
        let signature = ["_CodeSignature", "CodeResources", "_MASReceipt"].map { Array($0.utf8) }
        excluded = Set(signature + (executable.map { [$0] } ?? []))
    }

    mutating func run() -> SealReport {
        do throws(CodeProblem) {
            try checkRules()
            for problem in try BundleRoot.problems(bundle, in: tree) { try tell(problem) }
            try walk()
            // Also what the rules leave out was not visited: sealed and left out contradict each other.
            for (path, sealed) in seal.sealed.sorted(by: { $0.key < $1.key })
            where !sealed.isOptional && !visited.contains(path) {
                try tell(.sealMissing, path, "sealed, but missing or left out by the rules")
            }
        } catch {
            report.problems.append(error)
        }
        report.nestedCode.sort { $0.path < $1.path }
        return report
    }

    // MARK: Rules

    private mutating func checkRules() throws(CodeProblem) {
        if seal.version == 1 {
            try tell(CodeProblem(.sealVersion1, "the seal is of version 1: SHA-1, and only the resources"))
        }
        if !seal.coversEverything {
            try tell(CodeProblem(.sealWeakRules, "no rule seals everything that the others do not name"))
        }
        var allowed = [
            "^(.*/)?\\.DS_Store$", "^Info\\.plist$", "^PkgInfo$", "^Resources/.*\\.lproj/locversion.plist$",
        ]
        // A shallow bundle may have its resources in its own folder.
        if bundle.layout == .shallow, try tree.kind(TreePath.join(bundle.base, "Resources")) != .folder {
            allowed.append("^.*\\.lproj/locversion.plist$")
        }
        for rule in rules where rule.isOmitted && !allowed.contains(rule.pattern.source) {
            try tell(CodeProblem(.sealWeakRules, "the rule \(rule.pattern.source) leaves out what must be sealed"))
        }
    }

    /// The place of the rule of most weight that matches, nil when none does; of equals, one that seals.
    private mutating func rule(for path: String) throws(CodeProblem) -> Int? {
        let bytes = Array(path.utf8)
        let limit = CodeIdentityLimits.sealMatchSteps
        var best: Int?
        for place in rules.indices {
            let isMatch = rules[place].pattern.matches(bytes, steps: &steps)
            guard steps <= limit.value else { throw .beyond(limit, "steps of matching") }
            guard isMatch else { continue }
            if let other = best, rules[place].weight < rules[other].weight { continue }
            if let other = best, rules[place].weight == rules[other].weight, !rules[other].isOmitted { continue }
            best = place
        }
        return best
    }

    private mutating func isSealed(_ path: String) throws(CodeProblem) -> Bool {
        try rule(for: path).map { !rules[$0].isOmitted } ?? false
    }

    // MARK: Walking

    private mutating func walk() throws(CodeProblem) {
        var folders = [""]
        while let folder = folders.popLast() {
            for entry in try list(folder) {
                entries += 1
                let limit = CodeIdentityLimits.treeEntries
                guard entries <= limit.value else { throw .beyond(limit, "files and folders") }
                let path = TreePath.join(folder, entry.name)
                if excluded.contains(Array(path.utf8)) { continue }
                switch entry.kind {
                case .folder:
                    // A folder with a dot in its name, where code is expected, is a bundle of its own.
                    if let rule = try rule(for: path), rules[rule].isNested, entry.name.utf8.contains(0x2E) {
                        try visit(path, entry.kind)
                    } else {
                        folders.append(path)
                    }
                case .file, .symbolicLink:
                    if case .symbolicLink = entry.kind, entry.name.lowercased() == ".ds_store" {
                        try tell(.sealLink, path, "a symbolic link by the name of a file that is left out")
                    }
                    if try isSealed(path) { try visit(path, entry.kind) }
                case .other: try tell(.sealUnsupported, path, "neither file, folder nor symbolic link")
                }
            }
        }
    }

    /// What stands in a folder, by name; a folder that cannot be read is a problem and has nothing.
    private mutating func list(_ folder: String) throws(CodeProblem) -> [FileEntry] {
        let path = TreePath.join(bundle.base, folder)
        do {
            return try tree.list(path).sorted { $0.name < $1.name }
        } catch  where error.code != .limit {
            try tell(error)
            return []
        }
    }

    private mutating func visit(_ path: String, _ kind: FileKind) throws(CodeProblem) {
        visited.insert(path)
        guard let sealed = seal.sealed[path] else {
            // Version 1 knows nothing of symbolic links.
            if seal.version == 1, case .symbolicLink = kind { return }
            return try tell(.sealAdded, path, "not sealed")
        }
        switch (sealed.item, kind) {
        case (.code(let cdhash, let requirement), .file), (.code(let cdhash, let requirement), .folder):
            report.nestedCode.append(
                NestedCode(
                    path: TreePath.join(bundle.base, path), cdhash: cdhash.flatMap { CDHash($0) },
                    requirement: requirement))
        case (.symbolicLink(let wanted), .symbolicLink(let target)):
            // By bytes: two spellings of one text are two targets.
            guard wanted.utf8.elementsEqual(target.utf8) else {
                return try tell(.sealAltered, path, "points to \(target), sealed was \(wanted)")
            }
            if try !staysInside(path, target) { try tell(.sealLink, path, "points to \(target), not to a sealed file") }
        case (.file(let hashes), .file): try compare(path, hashes)
        default: try tell(.sealAltered, path, "of another type than was sealed")
        }
    }

    private mutating func compare(_ path: String, _ hashes: [CodeHashType: [UInt8]]) throws(CodeProblem) {
        do throws(CodeProblem) {
            let source = try tree.open(TreePath.join(bundle.base, path))
            let limit = CodeIdentityLimits.sealedBytes
            guard source.count <= UInt64(limit.value) - report.bytes else { throw .beyond(limit, "bytes to hash") }
            report.files += 1
            report.bytes += source.count
            for (type, digest) in try SealDigest.digests(of: source, by: hashes.keys) where digest != hashes[type] {
                return try tell(.sealAltered, path, "of another content than was sealed")
            }
        } catch  where error.code != .limit {
            try tell(error.code, path, error.detail)
        }
    }

    // MARK: Symbolic links

    /// Whether a link leads to something sealed in this bundle, or, if absolute, to a part of the system.
    private mutating func staysInside(_ path: String, _ target: String) throws(CodeProblem) -> Bool {
        if target.isEmpty { return false }
        var folder = Array(TreePath.split(path, omitEmpty: true).dropLast())
        var pending = Self.steps(target)
        guard target.utf8.first != UInt8(ascii: "/") else { return Self.isSystem(target, pending) }
        var parts = 0
        while let part = pending.popLast() {
            parts += 1
            guard parts <= CodeIdentityLimits.sealLinkParts.value else { return false }
            if part == ".." {
                guard folder.popLast() != nil else { return false }
                continue
            }
            folder.append(part)
            switch try tree.kind(TreePath.join(bundle.base, folder.joined(separator: "/"))) {
            case .folder: break
            case .file: if !pending.isEmpty { return false }
            case .symbolicLink(let target):
                pending += Self.steps(target)
                guard target.utf8.first != UInt8(ascii: "/") else { return Self.isSystem(target, pending) }
                folder.removeLast()
            case .other, nil: return false
            }
        }
        let end = folder.joined(separator: "/")
        if Array(end.utf8) == executable { return true }
        if let first = folder.first, excluded.contains(Array(first.utf8)) { return false }
        return try isSealed(end)
    }

    /// The parts of a target, last first.
    private static func steps(_ target: String) -> [String] {
        TreePath.split(target, omitEmpty: true).filter { $0 != "." }.reversed()
    }

    private static func isSystem(_ target: String, _ steps: [String]) -> Bool {
        (target.hasPrefix("/System/") || target.hasPrefix("/Library/")) && !steps.contains("..")
    }

    // MARK: Problems

    private mutating func tell(_ code: CodeProblem.Code, _ path: String, _ detail: String) throws(CodeProblem) {
        try tell(CodeProblem(code, "\(TreePath.join(bundle.base, path)): \(detail)"))
    }

    private mutating func tell(_ problem: CodeProblem) throws(CodeProblem) {
        let limit = CodeIdentityLimits.sealProblems
        guard report.problems.count < limit.value else { throw .beyond(limit, "problems") }
        report.problems.append(problem)
    }
}
