// SPDX-License-Identifier: Apache-2.0

// Records what a system runs: walks its folders, reads its programs, and finds which services start them.

import FlowModel

/// How far an inventory has come.
public struct InventoryProgress: Sendable, Hashable {
    /// Files looked at, of any kind.
    public internal(set) var files = 0
    public internal(set) var programs = 0
    /// How much is done, from 0 to 1: never less than before, and a guess, since nobody knows what a folder holds.
    public internal(set) var fraction = 0.0
    /// The folder that is read, from the root.
    public internal(set) var folder = "/"
}

/// Takes inventories of a running system, a mounted volume or a folder.
///
/// A program is a file that may be executed and is a Mach-O executable or dynamic linker, an ELF program, or a text that
/// begins with `#!`. Copies and archives lose the execute bit: where no Linux system is, a Mach-O program counts without
/// it. The same tree gives the same programs and services, in the same order. Nothing outside of the tree is read,
/// whatever its links say; what cannot be read is named in the header.
public struct InventoryTaker: Sendable {
    /// The bounds, so that a test reaches them.
    struct Bounds {
        var files = CodeIdentityLimits.inventoryFiles.value
        var programs = CodeIdentityLimits.inventoryPrograms.value
        var services = CodeIdentityLimits.inventoryServices.value
        var depth = CodeIdentityLimits.inventoryDepth.value
    }

    private let files: VouchedTree
    private let examiner: CodeExaminer
    /// What was wrong with the package database before anything was asked of it.
    private var databaseProblems: [CodeProblem] = []
    var bounds = Bounds()

    /// An inventory of any tree; without a voucher no program has a package or counts as owned by root.
    public init(tree: any FileTree, vouching: (any ProgramVouching)?, examiner: CodeExaminer) {
        files = VouchedTree(tree: tree, vouching: vouching)
        self.examiner = examiner
    }

    /// An inventory of the system below a folder, on Linux with its package database.
    ///
    /// `now` is in seconds since 1970-01-01 UTC. Throws when the folder cannot be opened.
    public init(root: String = "/", now: Int64) throws(CodeProblem) {
        let tree = try FolderTree(root)
        let examiner = CodeExaminer(now: now)
        #if os(Linux)
        let packages = try InstalledPackages(root: root)
        self.init(tree: tree, vouching: packages, examiner: examiner)
        // A system without dpkg has nothing to complain of.
        if (try? tree.kind("var/lib/dpkg")) == .some(.folder) { databaseProblems = packages.problems }
        #else
        self.init(tree: tree, vouching: nil, examiner: examiner)
        #endif
    }

    /// What the system calls itself: the `system` of its inventories.
    public var release: String { ReleaseName.read(files) }

    /// Records the programs and services.
    ///
    /// `folders` are absolute paths as seen from the root; then only what lies in them, or runs a program that does, is
    /// recorded. Without them it is the folders where systems of this kind keep programs, and every program of a service
    /// besides. Of a running system's special folders (`/proc`, `/sys`, `/dev`, `/Volumes`, `/System/Volumes`) only those
    /// that are named themselves are searched.
    ///
    /// `progress` is called for each file; when it says false, `inventoryCancelled` is thrown. Also throws `notFound` for
    /// a folder that is none.
    public func take(
        folders: [String] = [], progress: (InventoryProgress) -> Bool = { _ in true }
    ) throws(CodeProblem) -> Inventory {
        let starts = try starts(folders)
        var walk = InventoryWalk(
            ProgramReader(files: files, examiner: examiner), InventoryServices(files, limit: bounds.services), bounds,
            passedOver: passedOver, countsCopies: !isLinux)
        for problem in databaseProblems { walk.problems.add(problem) }
        for start in starts { try walk.search(start, share: 1 / Double(starts.count), progress) }
        walk.services.addUnits()
        walk.services.addJobs()
        var services = walk.services.services
        if folders.isEmpty {
            for path in Set(services.flatMap(\.programs)).sorted() { walk.addProgram(String(path.dropFirst())) }
        } else {
            services.removeAll { service in
                !([service.file] + service.programs).contains { path in
                    starts.contains { TreePath.isInside(path.dropFirst(), $0) }
                }
            }
        }
        return assemble(starts, walk, services)
    }

    private func assemble(_ starts: [String], _ walk: InventoryWalk, _ services: [InventoryService]) -> Inventory {
        var runsFor: [[UInt8]: (names: Set<String>, system: Bool)] = [:]
        for service in services {
            for program in service.programs {
                let key = Array(program.utf8)
                runsFor[key, default: ([], false)].names.insert(service.inventoryName)
                if service.isSystemService { runsFor[key]?.system = true }
            }
        }
        let programs = walk.programs.values.map { program in
            var program = program
            if let (names, system) = runsFor[Array(program.path.utf8)] {
                program.runsFor = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                program.runsForSystem = system
            }
            return program
        }
        let header = InventoryHeader(
            system: release, folders: starts.map { "/" + $0 }, takenAt: examiner.now,
            problems: (walk.problems.all + walk.services.problems.all).map(\.description))
        return Inventory(
            header: header, programs: programs.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) },
            services: services.sorted { $0.order.lexicographicallyPrecedes($1.order) })
    }

    // MARK: Folders

    /// The folders to search as paths of the tree, none inside another.
    private func starts(_ folders: [String]) throws(CodeProblem) -> [String] {
        var starts: Set<String> = []
        if folders.isEmpty {
            let usual =
                try isApple
                ? ["/Applications", "/Library", "/System", "/System/Cryptexes/App", "/System/Cryptexes/OS", "/bin"]
                    + ["/sbin", "/usr"]
                : ["/bin", "/lib", "/opt", "/sbin", "/usr"]
            for folder in usual {
                if let place = try LinkedPath.resolve(folder, in: files.tree), try files.tree.kind(place) == .folder {
                    starts.insert(place)
                }
            }
            // No system, but some folder.
            if starts.isEmpty { starts = [""] }
        } else {
            for folder in folders {
                guard let place = try LinkedPath.resolve(folder, in: files.tree), try files.tree.kind(place) == .folder
                else { throw CodeProblem(.notFound, "\(folder) is no folder of this system") }
                starts.insert(place)
            }
        }
        let passedOver = passedOver
        return starts.filter { start in
            !starts.contains { other in
                other != start && TreePath.isInside(start, other)
                    && !passedOver.contains { TreePath.isInside(start, $0) && TreePath.isInside($0, other) }
            }
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private var isApple: Bool {
        get throws(CodeProblem) { try files.tree.kind("System") == .folder }
    }

    /// Folders of a running system that hold no files of its own, or the same ones again.
    private var passedOver: Set<String> {
        if (try? isApple) == true { return ["System/Volumes", "Volumes", "dev"] }
        return isLinux ? ["dev", "proc", "sys"] : []
    }

    private var isLinux: Bool { ((try? files.tree.kind("etc/os-release")) ?? nil) != nil }
}

extension InventoryService {
    fileprivate var order: [UInt8] { Array("\(kind.rawValue)\0\(name)\0\(file)".utf8) }
}

extension TreePath {
    /// Whether a path is a folder or lies in it; every path lies in the root.
    static func isInside(_ path: some StringProtocol, _ folder: some StringProtocol) -> Bool {
        folder.isEmpty
            || (path.utf8.starts(with: folder.utf8)
                && [nil, 0x2f].contains(path.utf8.dropFirst(folder.utf8.count).first))
    }
}
