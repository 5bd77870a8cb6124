// SPDX-License-Identifier: Apache-2.0

// Looks for processes, as /proc shows them, that trap the reader of identities, or that it takes for the operating
// system's own in spite of what stands against them.

import CodeIdentity
import FlowModel
import NamedParts

/// A file whose content is its path.
private struct File: IdentifiedFile {
    let path: String
    let inode: UInt64

    var key: FileKey { FileKey(device: 1, inode: inode, changed: 1, size: count) }
    var count: UInt64 { UInt64(path.utf8.count) }
    func keyNow() throws(CodeProblem) -> FileKey { key }
    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        try MemoryBytes(Array(path.utf8)).read(at: offset, count: count)
    }
}

/// The packaged files of the system, by path and number; their folders are root's.
private let packaged: [String: UInt64] = [
    "/usr/bin/tool": 11, "/usr/lib/libc.so.6": 12, "/usr/bin/python3.12": 13, "/usr/bin/env": 14, "/usr/bin/curl": 15,
    "/usr/lib/systemd/system/tool.service": 16, "/usr/lib/systemd/system/tool@.service": 17,
]
/// A file of nobody's package.
private let foreign: [String: UInt64] = ["/home/u/tool": 21, "/home/u/script.py": 22, "/opt/x/lib.so": 23]

/// One process and the system around it, from parts: the texts of /proc/7, with arguments and variables one a line;
/// `exe`, `cwd` and `ns/mnt` as the links' targets; `units` with a path, or a path and a link's target, a line.
private struct Machine: ProcessFiles, ProcessHandle, UnitFiles, ProgramVouching {
    let parts: NamedParts
    let units: [String: UnitFileEntry]

    init(_ input: [UInt8]) {
        parts = NamedParts(input)
        var units: [String: UnitFileEntry] = ["/usr/lib/systemd/system": .folder, "/etc/systemd/system": .folder]
        for line in String(decoding: parts["units"] ?? [], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let path = words.first.map(String.init), units[path] == nil else { continue }
            units[path] = words.count == 2 ? .link(String(words[1])) : .file(size: UInt64(words.count))
        }
        self.units = units
    }

    private func file(_ path: String) throws(CodeProblem) -> File {
        guard let inode = packaged[path] ?? foreign[path] else { throw CodeProblem(.fileAbsent, path) }
        return File(path: path, inode: inode)
    }

    // MARK: ProcessHandle

    func text(_ file: ProcessText, limit: Int) throws(CodeProblem) -> BoundedText {
        guard var bytes = parts[file.rawValue] else { throw CodeProblem(.unreadable, file.rawValue) }
        if file == .cmdline || file == .environ { bytes = bytes.map { $0 == UInt8(ascii: "\n") ? 0 : $0 } }
        return BoundedText(Array(bytes.prefix(limit)), complete: bytes.count <= limit)
    }

    func target(of link: ProcessLink) throws(CodeProblem) -> String {
        if let part = parts[link.rawValue] { return String(decoding: part.dropLast(), as: UTF8.self) }
        switch link {
        case .executable: return "/usr/bin/tool"
        case .workingFolder, .root: return "/"
        case .mountNamespace: return "mnt:[1]"
        }
    }

    func open(_ path: ProcessPath) throws(CodeProblem) -> any IdentifiedFile {
        switch path {
        case .executable: try file(target(of: .executable))
        case .inside(let path): try file(path)
        case .mapping: throw CodeProblem(.unreadable, "map_files")
        }
    }

    func key(of path: ProcessPath) throws(CodeProblem) -> FileKey { try open(path).key }
    func hasOwnPages(start: UInt64, end: UInt64) throws(CodeProblem) -> Bool { false }
    func threads(limit: Int) throws(CodeProblem) -> [Int32] { [7] }
    func memoryWatch() throws(CodeProblem) -> @Sendable () -> Bool { { true } }

    // MARK: ProcessFiles

    var mountNamespace: String? { "mnt:[1]" }
    func process(_ pid: Int32) throws(CodeProblem) -> any ProcessHandle { self }
    func open(path: String) throws(CodeProblem) -> any IdentifiedFile { try file(path) }
    func key(path: String) throws(CodeProblem) -> FileKey { try file(path).key }

    // MARK: UnitFiles

    func entry(_ path: String) -> UnitFileEntry? { units[path] }
    func names(in folder: String) -> [String] {
        units.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
            .filter { !$0.contains("/") }.sorted()
    }
    func open(_ path: String) throws(CodeProblem) -> any IdentifiedFile { try file(path) }

    // MARK: ProgramVouching

    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        let owned = packaged[path] == key.inode
        return (owned ? PackageClaim(package: "tool", verdict: .intact) : nil, [UInt8](repeating: 1, count: 32))
    }

    func isRootOwnedChain(path: String) -> Bool { packaged[path] != nil }
}

/// Whether some executable line of `maps` names neither a packaged file nor the kernel's pages.
private func mapsForeignCode(_ maps: [UInt8]) -> Bool {
    maps.split(separator: UInt8(ascii: "\n")).contains { line in
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 5)
        guard words.count >= 2, words[1].dropFirst(2).first == "x" else { return false }
        let name = words.count == 6 ? words[5].drop { $0 == " " } : ""
        return !name.hasPrefix("[") && packaged[String(name)] == nil
    }
}

/// What is left alone has nothing against it.
private func check(_ identity: LinuxIdentity, _ machine: Machine) {
    let anchor = OSAnchor.judge(identity)
    // A crash is how libFuzzer learns of a failing case.
    guard (try? CompiledRequirement(.osAnchor))?.evaluate(identity) == (anchor.holds ? .true : .false) else {
        fatalError("`anchor os` says something else than its judge")
    }
    if identity.codeClass == .os {
        guard anchor.holds, identity.problems.isEmpty, identity.injection.isEmpty, identity.script == nil else {
            fatalError("the system's own, in spite of a doubt")
        }
        guard let unit = identity.context.unit, unit.system, unit.dropIns.isEmpty, unit.claim?.verdict == .intact else {
            fatalError("the system's own, and no packaged unit runs it")
        }
    }
    guard identity.injection.isEmpty, identity.problems.isEmpty else { return }
    guard packaged[identity.executable.path] != nil || identity.executable.claim == nil else {
        fatalError("a package owns what it did not bring")
    }
    guard !mapsForeignCode(machine.parts["maps"] ?? []) else { fatalError("foreign code is mapped unnoticed") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let machine = Machine(Array(UnsafeBufferPointer(start: start, count: count)))
    let reader = LinuxIdentityReader(processes: machine, units: machine, vouching: machine)
    let result = reader.examine(7)
    guard reader.examine(7) == result else { fatalError("read differently the second time") }
    guard case .success(let process) = result else { return 0 }
    guard (try? reader.image(of: 7).get()) == process.image else { fatalError("another image than was examined") }
    check(process.identity, machine)
    return 0
}
