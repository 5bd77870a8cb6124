// SPDX-License-Identifier: Apache-2.0

// /proc/PID/maps: which code a process can run.

import FlowModel

/// One executable mapping.
struct ExecutableMapping: Hashable {
    /// What lies behind a mapping.
    enum Object: Hashable {
        /// A file; the path is without ` (deleted)`.
        case file(path: String, deleted: Bool)
        /// Memory: private, or shared under a name (`memfd`, System V, …).
        case memory(name: String)
        /// The kernel's own pages (`[vdso]`, …), which no process can make or change.
        case kernel(name: String)
    }

    var start: UInt64
    var end: UInt64
    var writable: Bool
    var major: UInt64
    var minor: UInt64
    var inode: UInt64
    var object: Object
}

/// The executable mappings of a process, in the order of their addresses (proc_pid_maps(5)).
struct MemoryMap {
    private(set) var executable: [ExecutableMapping] = []
    /// Whether there are no more than were kept.
    private(set) var complete = true

    /// Reads the text of `maps`; when it was cut, the last line is left out.
    ///
    /// Throws `procMalformed` with the offset of the line that is not one.
    init(_ text: BoundedText, limit: Int = CodeIdentityLimits.executableMappings.value) throws(CodeProblem) {
        complete = text.complete
        var rest = text.bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let line = rest[..<end]
            if let mapping = try Self.mapping(line) {
                guard executable.count < limit else {
                    complete = false
                    return
                }
                executable.append(mapping)
            }
            rest = rest[rest.index(after: end)...]
        }
        // A process may unmap while we read, but the kernel writes whole lines.
        if text.complete, !rest.isEmpty {
            throw CodeProblem(.procMalformed, at: UInt64(rest.startIndex), "maps: a line without an end")
        }
    }

    /// Nil when the mapping is not executable.
    private static func mapping(_ line: ArraySlice<UInt8>) throws(CodeProblem) -> ExecutableMapping? {
        let malformed = CodeProblem(
            .procMalformed, at: UInt64(line.startIndex), "maps: not START-END MODE OFFSET DEVICE INODE PATH")
        var rest = line
        func next(_ separator: UInt8) throws(CodeProblem) -> ArraySlice<UInt8> {
            guard let end = rest.firstIndex(of: separator) else { throw malformed }
            defer { rest = rest[rest.index(after: end)...] }
            return rest[..<end]
        }
        guard let start = ProcFields.hexadecimal(try next(0x2D)), let end = ProcFields.hexadecimal(try next(0x20)),
            start < end
        else { throw malformed }
        let mode = Array(try next(0x20))
        guard mode.count == 4 else { throw malformed }
        guard mode[2] == 0x78 else { return nil }
        guard ProcFields.hexadecimal(try next(0x20)) != nil, let major = ProcFields.hexadecimal(try next(0x3A)),
            let minor = ProcFields.hexadecimal(try next(0x20)),
            case let digits = rest.prefix(while: { $0 != 0x20 }), let inode = ProcFields.decimal(digits)
        else { throw malformed }
        let name = rest[digits.endIndex...].drop { $0 == 0x20 }
        return ExecutableMapping(
            start: start, end: end, writable: mode[1] == 0x77, major: major, minor: minor, inode: inode,
            object: object(name, inode: inode))
    }

    private static func object(_ name: ArraySlice<UInt8>, inode: UInt64) -> ExecutableMapping.Object {
        let text = unescaped(name)
        guard name.first == 0x2F else {
            // Names that a process gives its memory read `[anon:…]`, so that none of these can be forged.
            let kernel = ["[vdso]", "[vsyscall]", "[vectors]", "[sigpage]", "[uprobes]", "[uprobes-trampoline]"]
            return inode == 0 && kernel.contains(text) ? .kernel(name: text) : .memory(name: text)
        }
        let memory: [StaticString] = ["/memfd:", "/SYSV", "/dev/zero", "/anon_hugepage"]
        if memory.contains(where: { name.begins(with: $0) }) { return .memory(name: text) }
        let deleted = text.hasSuffix(DeletedPath.suffix)
        return .file(path: deleted ? DeletedPath.stripped(text) : text, deleted: deleted)
    }

    /// The kernel writes a line feed as `\012` and leaves a backslash alone, so that a name that holds `\012` reads the
    /// same.
    private static func unescaped(_ name: ArraySlice<UInt8>) -> String {
        guard name.contains(0x5C) else { return ProcFields.text(name) }
        var bytes: [UInt8] = []
        var rest = name
        while let byte = rest.first {
            let escape = rest.begins(with: "\\012")
            bytes.append(escape ? 0x0A : byte)
            rest = rest.dropFirst(escape ? 4 : 1)
        }
        return ProcFields.text(bytes)
    }
}

/// How the kernel writes the path of a file whose name is gone or belongs to another file.
enum DeletedPath {
    static let suffix = " (deleted)"

    static func stripped(_ path: String) -> String {
        path.hasSuffix(suffix) ? String(path.dropLast(suffix.count)) : path
    }
}
