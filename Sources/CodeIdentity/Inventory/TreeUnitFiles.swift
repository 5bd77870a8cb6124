// SPDX-License-Identifier: Apache-2.0

// The unit files of a system, read once: looking up hundreds of units asks for the same few folders again and again.

import FlowModel

/// The folders of units and drop-ins of a tree, as they were when they were read.
struct TreeUnitFiles: UnitFiles {
    private let tree: any FileTree
    private var listings: [String: [String: UnitFileEntry]] = [:]
    /// What stands at the paths that every look-up asks for.
    private var places: [String: UnitFileEntry?] = [:]
    /// Folders that could not be read, or not whole.
    private(set) var problems: [CodeProblem] = []

    init(_ tree: any FileTree) {
        self.tree = tree
        for folder in UnitLookup.folders + ["/lib"] { places[folder] = .some(look(folder)) }
        for folder in UnitLookup.folders where places[folder] == .some(.folder) {
            read(folder)
            for name in names(in: folder) where name.hasSuffix(".d") { read("\(folder)/\(name)") }
        }
    }

    func entry(_ path: String) -> UnitFileEntry? {
        if let known = places[path] { return known }
        if let listing = listings[AbsolutePath.folder(of: path)] {
            return listing[AbsolutePath.lastComponent(of: path)]
        }
        return look(path)
    }

    func names(in folder: String) -> [String] { (listings[folder] ?? [:]).keys.sorted() }

    func open(_ path: String) throws(CodeProblem) -> any IdentifiedFile {
        guard let place = try LinkedPath.resolve(path, in: tree), let file = try tree.open(place) as? any IdentifiedFile
        else { throw CodeProblem(.notRegularFile, "\(path) is no file of a disk") }
        return file
    }

    private mutating func read(_ folder: String) {
        do throws(CodeProblem) {
            guard let place = try LinkedPath.resolve(folder, in: tree), try tree.kind(place) == .folder else { return }
            let entries = try tree.list(place).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            let limit = CodeIdentityLimits.folderEntries
            if entries.count > limit.value { problems.append(.beyond(limit, "units in \(folder)")) }
            var listing: [String: UnitFileEntry] = [:]
            for entry in entries.prefix(limit.value) {
                listing[entry.name] = self.entry(entry.kind, TreePath.join(place, entry.name))
            }
            listings[folder] = listing
        } catch {
            problems.append(CodeProblem(error.code, "\(folder): \(error.detail)"))
        }
    }

    /// What stands at a path, the last link not followed.
    private func look(_ path: String) -> UnitFileEntry? {
        do throws(CodeProblem) {
            guard let folder = try LinkedPath.resolve(AbsolutePath.folder(of: path), in: tree) else { return nil }
            let place = TreePath.join(folder, AbsolutePath.lastComponent(of: path))
            return try tree.kind(place).map { entry($0, place) }
        } catch {
            return nil
        }
    }

    private func entry(_ kind: FileKind, _ place: String) -> UnitFileEntry {
        switch kind {
        // Only that it is empty counts; a file that cannot be opened is not.
        case .file: .file(size: (try? tree.open(place).count) ?? .max)
        case .folder: .folder
        case .symbolicLink(let target): .link(target)
        case .other: .other
        }
    }
}
