// SPDX-License-Identifier: Apache-2.0

// One pass over the folders of a tree, in the order of their names.

import FlowModel

/// What was found so far.
struct InventoryWalk {
    private let reader: ProgramReader
    private let bounds: InventoryTaker.Bounds
    private let passedOver: Set<String>
    /// Whether a Mach-O program counts without an execute bit.
    private let countsCopies: Bool
    private var progress = InventoryProgress()
    private var isCut = false
    var services: InventoryServices
    /// By path, because a service may name a program that the search found.
    private(set) var programs: [[UInt8]: InventoryProgram] = [:]
    /// What could not be read is told once, however often it is named.
    private var unreadable: Set<[UInt8]> = []
    var problems = ProblemList()

    init(
        _ reader: ProgramReader, _ services: InventoryServices, _ bounds: InventoryTaker.Bounds,
        passedOver: Set<String>, countsCopies: Bool
    ) {
        self.reader = reader
        self.services = services
        self.bounds = bounds
        self.passedOver = passedOver
        self.countsCopies = countsCopies
    }

    /// Searches a folder of the tree and those below it; links are not followed, so no folder is met twice.
    ///
    /// `share` is the part of all work that the folder stands for; one folder below it stands for as much as another.
    mutating func search(
        _ start: String, share: Double, _ report: (InventoryProgress) -> Bool
    ) throws(CodeProblem) {
        var waiting = [(start, share)]
        while let (folder, share) = waiting.popLast(), !isCut {
            progress.folder = "/" + folder
            let entries: [FileEntry]
            do throws(CodeProblem) {
                entries = try reader.files.tree.list(folder)
            } catch {
                note(error, folder)
                progress.fraction += share
                continue
            }
            // The files of a folder count as one more folder.
            let part = share / Double(entries.count { $0.kind == .folder } + 1)
            let step = part / Double(max(entries.count, 1))
            var folders: [String] = []
            for entry in entries.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                progress.files += 1
                progress.fraction = min(progress.fraction + step, 1)
                guard report(progress) else { throw CodeProblem(.inventoryCancelled, "the inventory was cancelled") }
                let path = TreePath.join(folder, entry.name)
                if progress.files > bounds.files { return cut(CodeIdentityLimits.inventoryFiles, path) }
                switch entry.kind {
                case .folder where !passedOver.contains(path): folders.append(path)
                case .file(let isExecutable) where isExecutable || countsCopies:
                    addProgram(path, isExecutable: isExecutable)
                case .other where entry == .notUTF8:
                    problems.add(CodeProblem(.unreadable, "/\(folder): a name that is not UTF-8 was passed over"))
                case .file, .folder, .symbolicLink, .other: break
                }
            }
            for path in folders.reversed() {
                if path.hasSuffix(".xpc") { services.addXPCService(path) }
                if TreePath.split(path, omitEmpty: true).count > bounds.depth {
                    problems.add(.beyond(CodeIdentityLimits.inventoryDepth, "folders above /\(path)"))
                } else {
                    waiting.append((path, part))
                }
            }
        }
    }

    /// Adds the file at a path of the tree, if it is a program that is not known yet.
    mutating func addProgram(_ path: String, isExecutable: Bool = true) {
        let key = Array(path.utf8)
        guard programs[key] == nil, !unreadable.contains(key), !isCut else { return }
        do throws(CodeProblem) {
            guard let program = try reader.read(path, isExecutable: isExecutable) else { return }
            guard programs.count < bounds.programs else { return cut(CodeIdentityLimits.inventoryPrograms, path) }
            programs[key] = program
            progress.programs += 1
        } catch {
            // Of a file that nobody may execute, that it cannot be read says nothing.
            guard isExecutable else { return }
            unreadable.insert(key)
            note(error, path)
        }
    }

    private mutating func cut(_ limit: Limit, _ path: String) {
        isCut = true
        problems.add(CodeProblem(.limit, "cut at /\(path): \(limit.name) is \(limit.value)"))
    }

    private mutating func note(_ error: CodeProblem, _ path: String) {
        let detail = error.detail.hasPrefix(path) ? "/" + error.detail : "/\(path): \(error.detail)"
        problems.add(CodeProblem(error.code, at: error.offset, detail))
    }
}
