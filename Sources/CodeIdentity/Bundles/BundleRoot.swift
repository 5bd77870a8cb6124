// SPDX-License-Identifier: Apache-2.0

// What may stand beside the sealed part of a bundle.

/// The places of a bundle that no seal covers: its root and the folder of its signature.
enum BundleRoot {
    /// What stands there and should not (bundlediskrep.cpp); to Apple's strict check each of it is an error.
    static func problems(_ bundle: CodeBundle, in tree: some FileTree) throws(CodeProblem) -> [CodeProblem] {
        var unwanted: [String] = []
        func examine(_ folder: String, _ isWanted: (FileEntry) throws(CodeProblem) -> Bool) throws(CodeProblem) {
            for entry in try tree.list(folder) where try !isWanted(entry) {
                unwanted.append(TreePath.join(folder, entry.name))
            }
        }
        switch bundle.layout {
        case .shallow: break
        case .deep:
            let names = [".LSOverride", ".DS_Store", "Icon\r", ".SoftwareDepot.tracking"]
            try examine(bundle.root) { entry in
                entry.name == "Contents" || (names.contains(entry.name) && entry.kind == .file(isExecutable: false))
            }
        case .versioned(let version):
            try examine(bundle.root) { isWanted($0, inFrameworkOf: version) }
            try examine(TreePath.join(bundle.root, "Versions")) { entry in
                switch entry.kind {
                // Versions besides this one have their own signatures.
                case .folder: true
                case .symbolicLink: entry.name == "Current"
                case .file(let isExecutable): entry.name == ".DS_Store" && !isExecutable
                case .other: false
                }
            }
        }
        let signature = TreePath.join(bundle.base, "_CodeSignature")
        if try tree.kind(signature) == .folder {
            try examine(signature) { entry throws(CodeProblem) in
                guard case .file = entry.kind else { return false }
                if entry.name == "CodeResources" { return true }
                guard CodeBundle.signatureFiles.contains(where: { $0.name == entry.name }) else { return false }
                if !bundle.detached.isEmpty { return true }
                // Old tools leave an empty one with ad-hoc signatures.
                guard entry.name == "CodeSignature" else { return false }
                return try tree.open(TreePath.join(signature, entry.name)).count == 0
            }
        }
        return unwanted.sorted().map { CodeProblem(.bundleUnsealedRoot, "\($0) stands beside what is sealed") }
    }

    private static func isWanted(_ entry: FileEntry, inFrameworkOf version: String) -> Bool {
        switch entry.kind {
        case .folder: return entry.name == "Versions"
        case .file(let isExecutable): return !isExecutable && [".DS_Store", "module.map"].contains(entry.name)
        case .symbolicLink(let target):
            // Each stands for its namesake in the current version.
            let path = target.hasPrefix("./") ? String(target.dropFirst(2)) : target
            return path == "Versions/Current/\(entry.name)" || path == "Versions/\(version)/\(entry.name)"
        case .other: return false
        }
    }
}
