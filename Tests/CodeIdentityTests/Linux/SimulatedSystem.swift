// SPDX-License-Identifier: Apache-2.0

// A Linux system in memory: processes, files, units and packages, with a say in what changes between two reads.

import Crypto
import Synchronization

@testable import CodeIdentity

/// A file in memory.
struct SimulatedFile: IdentifiedFile {
    var key: FileKey
    var bytes: [UInt8] = []
    /// The key that a second look finds, when the file is written meanwhile.
    var later: FileKey?

    init(_ inode: UInt64, _ text: String = "", later: FileKey? = nil) {
        bytes = Array(text.utf8)
        key = FileKey(device: 1, inode: inode, changed: 10, size: UInt64(bytes.count))
        self.later = later
    }

    var count: UInt64 { UInt64(bytes.count) }
    func keyNow() throws(CodeProblem) -> FileKey { later ?? key }
    func read(at offset: UInt64, count: Int) throws(CodeProblem) -> [UInt8] {
        try MemoryBytes(bytes).read(at: offset, count: count)
    }
}

/// One process as `/proc` shows it.
struct SimulatedProcess {
    var texts: [ProcessText: [UInt8]] = [:]
    var links: [ProcessLink: String] = [:]
    var files: [ProcessPath: SimulatedFile] = [:]
    /// Where mappings begin whose pages have been changed.
    var ownPages: Set<UInt64> = []
    var threads: [Int32] = [7]
    /// Which memory it has: exec gives it another one.
    var memory = 1
    /// What the system does not let us read.
    var refused: Set<String> = []

    /// `/usr/bin/tool` in `tool.service`, with the C library: nothing is wrong with it.
    static func service(pid: Int32 = 7) -> SimulatedProcess {
        var process = SimulatedProcess()
        process.setStat(pid: pid)
        process.texts[.status] = status(pid)
        process.texts[.maps] = Array(
            """
            55d000000000-55d000001000 r-xp 00000000 fe:00 11                     /usr/bin/tool
            7f0000000000-7f0000001000 r-xp 00001000 fe:00 12                     /usr/lib/libc.so.6
            7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0                      [vdso]

            """.utf8)
        process.texts[.cgroup] = Array("0::/system.slice/tool.service\n".utf8)
        process.texts[.cmdline] = Array("/usr/bin/tool\0--serve\0".utf8)
        process.texts[.environ] = Array("PATH=/usr/bin\0".utf8)
        process.links = [
            .executable: "/usr/bin/tool", .workingFolder: "/", .root: "/", .mountNamespace: "mnt:[1]",
        ]
        process.files = [
            .executable: SimulatedFile(11, "tool"),
            .mapping(start: 0x55d0_0000_0000, end: 0x55d0_0000_1000): SimulatedFile(11, "tool"),
            .mapping(start: 0x7f00_0000_0000, end: 0x7f00_0000_1000): SimulatedFile(12, "libc"),
        ]
        return process
    }

    static func status(_ process: Int32 = 7, tracer: Int = 0, threads: Int = 1) -> [UInt8] {
        let text = "Name:\ttool\nTgid:\t\(process)\nTracerPid:\t\(tracer)\nUid:\t0\t101\t0\t0\nThreads:\t\(threads)\n"
        return Array(text.utf8)
    }

    mutating func setStat(
        pid: Int32 = 7, start: Int = 500, code: Int = 4096, stack: Int = 9000, state: String = "S", flags: Int = 64,
        threads: Int = 1
    ) {
        let zeros = [String](repeating: "0", count: 24)
        var fields = [state, "1"] + zeros
        fields[6] = "\(flags)"
        fields[17] = "\(threads)"
        fields[19] = "\(start)"
        fields[23] = "\(code)"
        fields[25] = "\(stack)"
        texts[.stat] = Array("\(pid) (tool) \(fields.joined(separator: " "))\n".utf8)
    }

    /// Runs another file of `/usr/bin`, under its path everywhere.
    mutating func run(_ path: String, inode: UInt64, arguments: [String] = []) {
        links[.executable] = path
        files[.executable] = SimulatedFile(inode, "tool")
        files[.mapping(start: 0x55d0_0000_0000, end: 0x55d0_0000_1000)] = SimulatedFile(inode, "tool")
        texts[.maps] = Array("55d000000000-55d000001000 r-xp 00000000 fe:00 \(inode) \(path)\n".utf8)
        texts[.cmdline] = Array(([path] + arguments).joined(separator: "\0").utf8) + [0]
    }

    mutating func map(_ line: String) { texts[.maps, default: []] += Array((line + "\n").utf8) }
}

/// A system whose parts a test lays out.
final class SimulatedSystem: ProcessFiles, UnitFiles, ProgramVouching {
    struct State {
        var processes: [Int32: SimulatedProcess] = [:]
        /// Files in our own mount namespace.
        var files: [String: SimulatedFile] = [:]
        var links: [String: String] = [:]
        var folders: Set<String> = []
        var claims: [String: PackageClaim] = [:]
        var writable: Set<String> = []
        /// Called with each thing that is read of a process, before it is read.
        var onRead: (@Sendable (String, inout State) -> Void)?
        /// Called before each look into a file, when nothing is locked.
        var onHash: (@Sendable (String) -> Void)?
    }

    private let state: Mutex<State>

    init(_ change: (inout State) -> Void = { _ in }) {
        var state = State()
        state.processes[7] = .service()
        state.files = [
            "/usr/bin/tool": SimulatedFile(11, "tool"), "/usr/lib/libc.so.6": SimulatedFile(12, "libc"),
            "/usr/lib/systemd/system/tool.service": SimulatedFile(13, "[Service]"),
        ]
        state.folders = ["/usr/lib/systemd/system"]
        for path in state.files.keys { state.claims[path] = PackageClaim(package: "tool", verdict: .intact) }
        change(&state)
        self.state = Mutex(state)
    }

    func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    var reader: LinuxIdentityReader { LinuxIdentityReader(processes: self, units: self, vouching: self) }

    func identity(_ pid: Int32 = 7) throws -> LinuxIdentity { try reader.identity(of: pid).get() }

    // MARK: ProcessFiles

    private struct Handle: ProcessHandle {
        let pid: Int32
        let system: SimulatedSystem

        private func process(_ what: String) throws(CodeProblem) -> SimulatedProcess {
            let process = system.state.withLock { state in
                state.onRead?(what, &state)
                return state.processes[pid]
            }
            guard let process else { throw CodeProblem(.processExited, what) }
            if process.refused.contains(what) { throw CodeProblem(.unreadable, what) }
            return process
        }

        func text(_ file: ProcessText, limit: Int) throws(CodeProblem) -> BoundedText {
            guard let bytes = try process(file.rawValue).texts[file] else { throw CodeProblem(.fileAbsent, "") }
            return BoundedText(Array(bytes.prefix(limit)), complete: bytes.count <= limit)
        }

        func target(of link: ProcessLink) throws(CodeProblem) -> String {
            guard let target = try process(link.rawValue).links[link] else { throw CodeProblem(.fileAbsent, "") }
            return target
        }

        func open(_ path: ProcessPath) throws(CodeProblem) -> any IdentifiedFile {
            let what = if case .mapping = path { "map_files" } else { "open" }
            guard let file = try process(what).files[path] else { throw CodeProblem(.fileAbsent, "") }
            return file
        }

        func hasOwnPages(start: UInt64, end: UInt64) throws(CodeProblem) -> Bool {
            try process("pagemap").ownPages.contains(start)
        }

        func threads(limit: Int) throws(CodeProblem) -> [Int32] {
            Array(try process("task").threads.prefix(limit + 1))
        }

        func memoryWatch() throws(CodeProblem) -> @Sendable () -> Bool {
            let memory = try process("watch").memory
            return { system.state.withLock { $0.processes[pid]?.memory } == memory }
        }

        func key(of path: ProcessPath) throws(CodeProblem) -> FileKey {
            guard let file = try process("key").files[path] else { throw CodeProblem(.fileAbsent, "") }
            return file.key
        }
    }

    func process(_ pid: Int32) throws(CodeProblem) -> any ProcessHandle {
        guard state.withLock({ $0.processes[pid] != nil }) else { throw CodeProblem(.processExited, "") }
        return Handle(pid: pid, system: self)
    }

    func open(path: String) throws(CodeProblem) -> any IdentifiedFile {
        guard let file = state.withLock({ $0.files[path] }) else { throw CodeProblem(.fileAbsent, path) }
        return file
    }

    func key(path: String) throws(CodeProblem) -> FileKey { try open(path: path).key }

    var mountNamespace: String? { "mnt:[1]" }

    // MARK: UnitFiles

    func entry(_ path: String) -> UnitFileEntry? {
        state.withLock { state in
            if let target = state.links[path] { return .link(target) }
            if let file = state.files[path] { return .file(size: file.count) }
            if path == "/dev/null" { return .other }
            return state.folders.contains(path) ? .folder : nil
        }
    }

    func names(in folder: String) -> [String] {
        state.withLock { state in
            (Array(state.files.keys) + Array(state.links.keys)).filter { AbsolutePath.folder(of: $0) == folder }
                .map(AbsolutePath.lastComponent).sorted()
        }
    }

    func open(_ path: String) throws(CodeProblem) -> any IdentifiedFile { try open(path: path) }

    // MARK: ProgramVouching

    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        state.withLock { $0.onHash }?(path)
        let digest = (try? source.read(at: 0, count: Int(source.count))).map { Array(SHA256.hash(data: $0)) }
        return (state.withLock { $0.claims[path] }, digest)
    }

    func isRootOwnedChain(path: String) -> Bool { !state.withLock { $0.writable.contains(path) } }
}
