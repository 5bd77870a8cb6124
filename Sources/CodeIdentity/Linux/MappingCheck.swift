// SPDX-License-Identifier: Apache-2.0

// Whether all the code that a process has mapped is its packages'.

import FlowModel

/// Collects what the executable mappings of one process say against it.
struct MappingCheck {
    private(set) var injection: Set<InjectionPath> = []
    private(set) var problems: [CodeProblem] = []

    private let handle: any ProcessHandle
    private let processes: any ProcessFiles
    private let vouching: any ProgramVouching
    /// Whether the process has our mount namespace.
    private let ours: Bool
    private var budget: HashBudget
    private var foundExecutable = false
    /// Bytes of mappings whose pages may still be looked at.
    private var pages = UInt64(clamping: CodeIdentityLimits.mappedCode.value)

    init(
        _ handle: any ProcessHandle, processes: any ProcessFiles, vouching: any ProgramVouching, ours: Bool,
        budget: HashBudget
    ) {
        self.handle = handle
        self.processes = processes
        self.vouching = vouching
        self.ours = ours
        self.budget = budget
    }

    /// Looks at every mapping; the executable itself, which is judged elsewhere, is known by its key.
    mutating func check(_ map: MemoryMap, executable: FileKey) {
        if !map.complete {
            note(.unreadableMappings, .limit, "more mappings than \(CodeIdentityLimits.executableMappings.name) allows")
        }
        /// A file is mapped several times; the same inode under another path is another file to us.
        struct Place: Hashable {
            var major, minor, inode: UInt64
            var path: String
        }
        var seen: Set<Place> = []
        for mapping in map.executable {
            switch mapping.object {
            case .kernel(let name): checkMemory(name, mapping)
            case .memory(let name):
                note(.anonymousExecutable, .mappedCode, "executable memory: \(name.isEmpty ? "without a name" : name)")
            case .file(let path, let deleted):
                checkMemory(path, mapping)
                let place = Place(major: mapping.major, minor: mapping.minor, inode: mapping.inode, path: path)
                guard seen.insert(place).inserted else { continue }
                guard seen.count <= CodeIdentityLimits.mappedFiles.value else {
                    note(.unreadableMappings, .limit, "more files than \(CodeIdentityLimits.mappedFiles.name) allows")
                    return
                }
                check(path, deleted: deleted, mapping, executable)
            }
        }
        // Who may do so in a user namespace of its own gives a process any executable (PR_SET_MM_MAP of prctl(2)).
        if injection.isEmpty, !foundExecutable, !map.executable.isEmpty {
            note(.changedMapping, .mappedCode, "nothing of the program's own file is mapped")
        }
    }

    /// Whether the code in a mapping is what lies behind it.
    ///
    /// Code that was made writable, changed, and made executable again looks like the file's; its pages do not.
    private mutating func checkMemory(_ name: String, _ mapping: ExecutableMapping) {
        // Its private pages are memory like any other.
        if mapping.writable {
            note(.anonymousExecutable, .mappedCode, "\(name) is mapped writable and executable")
            return
        }
        let (count, overflow) = mapping.end.subtractingReportingOverflow(mapping.start)
        guard !overflow, count <= pages else {
            note(.unreadableMappings, .limit, "more mapped code than \(CodeIdentityLimits.mappedCode.name) allows")
            return
        }
        pages -= count
        do throws(CodeProblem) {
            if try handle.hasOwnPages(start: mapping.start, end: mapping.end) {
                note(.changedMapping, .mappedCode, "\(name) was changed in memory")
            }
        } catch {
            note(.unreadableMappings, error.code, error.detail)
        }
    }

    private mutating func check(_ path: String, deleted: Bool, _ mapping: ExecutableMapping, _ executable: FileKey) {
        if deleted {
            note(.changedMapping, .mappedCode, "\(path) is deleted or replaced")
            return
        }
        let file: any IdentifiedFile
        do throws(CodeProblem) {
            file = try open(path, mapping)
        } catch {
            switch error.code {
            case .notRegularFile: note(.foreignMapping, .mappedCode, "\(path) is a device")
            case .changed: note(.changedMapping, .mappedCode, error.detail)
            default: note(.unreadableMappings, error.code, error.detail)
            }
            return
        }
        if file.key == executable {
            foundExecutable = true
            return
        }
        // In another mount namespace the path may lead to another file than ours.
        guard (try? processes.key(path: path)) == file.key else {
            note(.foreignMapping, .mappedCode, "\(path) is not the file of that path here")
            return
        }
        if !vouching.isRootOwnedChain(path: path) {
            note(.writableMapping, .mappedCode, "\(path), or a folder above it, can be written by others than root")
        }
        guard budget.allows(file.count) else {
            note(.unreadableMappings, .limit, "\(path) is too large to be hashed")
            return
        }
        let claim = vouching.claim(path: path, source: file, key: file.key).claim
        if (try? file.keyNow()) != file.key {
            note(.changedMapping, .changed, "\(path) was written while it was hashed")
        }
        switch claim?.verdict {
        case .intact: break
        case nil: note(.foreignMapping, .mappedCode, "no package owns \(path)")
        case .modified: note(.changedMapping, .mappedCode, "\(path) is not what its package brought")
        case .noDigest, .inTransaction, .unreadable:
            note(.unreadableMappings, .mappedCode, "\(path): \(claim?.verdict.rawValue ?? "")")
        }
    }

    /// Through the process where we may; else, in our own mount namespace, by path, and only the very file that is
    /// mapped.
    ///
    /// The device cannot be compared: btrfs and overlayfs show another one in `maps` than in `stat`. In a namespace of
    /// its own a process could put a file with the same inode number there.
    private func open(_ path: String, _ mapping: ExecutableMapping) throws(CodeProblem) -> any IdentifiedFile {
        do throws(CodeProblem) {
            return try handle.open(.mapping(start: mapping.start, end: mapping.end))
        } catch let error where error.code == .unreadable && ours {
            let file = try processes.open(path: path)
            guard file.key.inode == mapping.inode else {
                throw CodeProblem(.changed, "\(path) is another file than the mapped one")
            }
            return file
        }
    }

    private mutating func note(_ path: InjectionPath, _ code: CodeProblem.Code, _ detail: String) {
        injection.insert(path)
        if problems.count < CodeIdentityLimits.reportedMappings.value { problems.append(CodeProblem(code, detail)) }
    }
}

/// How many bytes may still be hashed for one process.
struct HashBudget {
    private var left = UInt64(clamping: CodeIdentityLimits.hashedBytes.value)

    /// Takes the bytes of a file, unless it or all together are too large.
    mutating func allows(_ count: UInt64) -> Bool {
        guard count <= UInt64(clamping: CodeIdentityLimits.programBytes.value), count <= left else { return false }
        left -= count
        return true
    }
}
