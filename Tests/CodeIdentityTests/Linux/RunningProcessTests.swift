// SPDX-License-Identifier: Apache-2.0

// Real processes: each is started by its test and ended by its number.

#if os(Linux)
import Crypto
import FlowModel
import Testing

@testable import CodeIdentity

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A child that ends, at the latest, with the test.
private final class Child: Sendable {
    let pid: pid_t

    init(_ path: String, _ arguments: [String] = [], environment: [String] = ["PATH=/usr/bin:/bin"]) throws {
        var pid: pid_t = 0
        func array(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] { strings.map { strdup($0) } + [nil] }
        let argv = array([path] + arguments)
        let envp = array(environment)
        defer { for string in argv + envp { free(string) } }
        let code = posix_spawn(&pid, path, nil, nil, argv, envp)
        try #require(code == 0, "\(path): \(String(cString: strerror(code)))")
        self.pid = pid
    }

    func end() {
        kill(pid, SIGKILL)
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }

    deinit { end() }
}

/// A folder of its own, removed with its files.
private final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-identity-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.map { mkdtemp($0) != nil } }
        try #require(made == true)
        path = template.withUnsafeBufferPointer {
            String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        return file
    }

    deinit {
        for name in LinuxUnitFiles().names(in: path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

/// Whatever lies below `/usr` belongs to a package.
private struct EverythingInUsr: ProgramVouching {
    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        var hash = SHA256()
        var offset: UInt64 = 0
        while offset < source.count {
            let count = Int(min(source.count - offset, 1 << 20))
            guard let bytes = try? source.read(at: offset, count: count) else { return (nil, nil) }
            hash.update(data: bytes)
            offset += UInt64(count)
        }
        let packaged = path.hasPrefix("/usr/")
        return (packaged ? PackageClaim(package: "base", verdict: .intact) : nil, Array(hash.finalize()))
    }

    func isRootOwnedChain(path: String) -> Bool { path.hasPrefix("/usr/") }
}

/// Whose files they are is not asked.
private struct Nobody: ProgramVouching {
    func claim(path: String, source: any ByteSource, key: FileKey) -> (claim: PackageClaim?, sha256: [UInt8]?) {
        (nil, nil)
    }

    func isRootOwnedChain(path: String) -> Bool { false }
}

@Suite("Running processes") struct RunningProcessTests {
    private let files = LinuxProcessFiles()
    private var reader: LinuxIdentityReader {
        LinuxIdentityReader(processes: files, units: LinuxUnitFiles(), vouching: EverythingInUsr())
    }

    /// Reads until the child has come as far as wanted: a spawn returns while its exec is still under way.
    private func identity(_ child: Child, until wanted: (LinuxIdentity) -> Bool = { _ in true }) throws -> LinuxIdentity
    {
        for _ in 0..<500 {
            let identity = try reader.identity(of: child.pid).get()
            if wanted(identity), !identity.problems.contains(where: { $0.code == .changed }) { return identity }
            usleep(10_000)
        }
        return try reader.identity(of: child.pid).get()
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        let file = try files.open(path: path)
        return try file.read(at: 0, count: Int(file.count))
    }

    /// A program's path without links, as the kernel names it.
    private func real(_ path: String) throws -> String {
        let resolved = try #require(realpath(path, nil))
        defer { free(resolved) }
        return String(cString: resolved)
    }

    @Test("A sleeping program is itself: path, digest, user and start")
    func sleep() throws {
        let sleep = try real("/usr/bin/sleep")
        let child = try Child(sleep, ["60"])
        let identity = try identity(child)
        #expect(identity.process?.pid == child.pid)
        #expect(identity.process?.startTicks ?? 0 > 0)
        #expect(identity.user == geteuid())
        #expect(identity.executable.path == sleep)
        #expect(identity.executable.sha256 == Array(SHA256.hash(data: try bytes(sleep))))
        #expect(identity.executable.key == (try files.key(path: sleep)))
        #expect(!identity.executable.deleted && identity.executable.rootOwnedChain)
        #expect(identity.injection == [] && identity.problems == [])
        #expect(try reader.image(of: child.pid).get() == reader.image(of: child.pid).get())
    }

    @Test("A process held by its folder is gone for good once it is reaped")
    func exit() throws {
        let child = try Child("/usr/bin/sleep", ["60"])
        let handle = try files.process(child.pid)
        _ = try handle.text(.stat, limit: 4096)
        kill(child.pid, SIGKILL)
        // A zombie has a stat line until it is waited for.
        while try !ProcessStat(handle.text(.stat, limit: 4096).bytes).ended { usleep(1000) }
        #expect(reader.identity(of: child.pid) == .failure(CodeProblem(.processExited, "")))
        child.end()
        #expect(throws: CodeProblem(.processExited, "")) { try handle.text(.stat, limit: 4096) }
        // A file that nobody has looked for yet is told otherwise by the system.
        #expect(throws: CodeProblem(.processExited, "")) { try handle.text(.cgroup, limit: 4096) }
        #expect(throws: CodeProblem(.processExited, "")) { try handle.target(of: .executable) }
        #expect(throws: CodeProblem(.processExited, "")) { try handle.open(.executable) }
        #expect(throws: CodeProblem(.processExited, "")) { try handle.executableKey() }
        #expect(reader.identity(of: child.pid) == .failure(CodeProblem(.processExited, "")))
    }

    @Test("A copy that is deleted while it runs is still hashed, and says that it is deleted")
    func deleted() throws {
        let folder = try Folder()
        let original = try bytes("/usr/bin/sleep")
        let copy = try folder.write("sleep", original, mode: 0o755)
        let child = try Child(copy, ["60"])
        unlink(copy)
        let identity = try identity(child)
        #expect(identity.executable.path == copy && identity.executable.deleted)
        #expect(identity.executable.claim == nil)
        #expect(identity.executable.sha256 == Array(SHA256.hash(data: original)))
        #expect(identity.injection.contains(.changedMapping))
        #expect(identity.codeClass == .unsigned)
        // Another file under the old name is not taken for it.
        _ = try folder.write("sleep", Array("#!/bin/sh\n".utf8), mode: 0o755)
        #expect(try reader.identity(of: child.pid).get().executable.deleted)
    }

    @Test("A preloaded library that no package owns is seen in the mappings and in the environment")
    func preload() throws {
        let folder = try Folder()
        // Any system library will do: this process has one mapped.
        let own = try MemoryMap(files.process(getpid()).text(.maps, limit: CodeIdentityLimits.processMaps.value))
        let library = try #require(
            own.executable.lazy.compactMap { mapping -> String? in
                guard case .file(let path, false) = mapping.object, path.contains("/libm.so") else { return nil }
                return path
            }.first)
        let copy = try folder.write("libfoo.so", try bytes(library))
        let child = try Child("/usr/bin/sleep", ["60"], environment: ["LD_PRELOAD=\(copy)"])
        let identity = try identity(child) { $0.injection.contains(.foreignMapping) }
        #expect(identity.injection.contains(.loaderEnvironment))
        #expect(identity.injection.contains(.foreignMapping))
        #expect(identity.problems.contains { $0.detail.contains(copy) })
        #expect(identity.codeClass == .platformInteractive)
    }

    @Test("Code of a file that was changed in memory is seen, though the mapping looks as before")
    func changedCode() throws {
        let child = try Child("/usr/bin/sleep", ["60"])
        #expect(try identity(child).injection == [])
        let maps = try MemoryMap(files.process(child.pid).text(.maps, limit: CodeIdentityLimits.processMaps.value))
        let library = try #require(
            maps.executable.first {
                if case .file(let path, false) = $0.object { path.contains("/libc.so") } else { false }
            })
        let memory = open("/proc/\(child.pid)/mem", O_RDWR | O_CLOEXEC)
        try #require(memory >= 0)
        defer { close(memory) }
        // The same byte again: what counts is that the page is not the file's any more.
        var byte: UInt8 = 0
        #expect(pread(memory, &byte, 1, off_t(library.start)) == 1)
        #expect(pwrite(memory, &byte, 1, off_t(library.start)) == 1)
        let identity = try identity(child)
        #expect(identity.injection == [.changedMapping])
        #expect(try MemoryMap(files.process(child.pid).text(.maps, limit: 1 << 20)).executable == maps.executable)
    }

    @Test("A process that executes one program after the other is never half of each")
    func execStorm() throws {
        let folder = try Folder()
        let (first, second) = (try real("/bin/sh"), try real("/bin/bash"))
        _ = try folder.write("first.sh", Array("exec \(second) \(folder.path)/second.sh\n".utf8))
        _ = try folder.write("second.sh", Array("exec \(first) \(folder.path)/first.sh\n".utf8))
        let child = try Child(first, ["\(folder.path)/first.sh"])
        let reader = LinuxIdentityReader(processes: files, units: LinuxUnitFiles(), vouching: Nobody())
        var seen: Set<String> = []
        for _ in 0..<2000 {
            let examined = try reader.examine(child.pid).get()
            let identity = examined.identity
            guard !identity.problems.contains(where: { $0.code == .changed }), let script = identity.script else {
                continue
            }
            #expect(identity.executable.key == examined.image.executable)
            #expect(script.path == "\(folder.path)/\(identity.executable.path == first ? "first" : "second").sh")
            seen.insert(script.path)
        }
        #expect(!seen.isEmpty)
    }

    @Test("A program run by the loader is the loader, with the program as its claim")
    func loader() throws {
        let candidates = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
        let loader = try #require(candidates.first { access($0, X_OK) == 0 })
        let sleep = try real("/usr/bin/sleep")
        let child = try Child(loader, ["--inhibit-cache", sleep, "60"])
        let identity = try identity(child)
        #expect(identity.executable.path == (try real(loader)))
        #expect(identity.executable.role == .loader)
        #expect(identity.script?.path == sleep)
        #expect(identity.script?.sha256 == Array(SHA256.hash(data: try bytes(sleep))))
        #expect(identity.injection.contains(.runsOtherCode))
    }

    @Test("A shell script is known by the shell, its path and its digest")
    func script() throws {
        let folder = try Folder()
        let text = Array("#!/bin/sh\nwhile :; do read line || exit; done < /dev/zero\n".utf8)
        let script = try folder.write("job.sh", text, mode: 0o755)
        let child = try Child(script)
        let identity = try identity(child)
        #expect(identity.executable.path == (try real("/bin/sh")))
        #expect(identity.executable.role == .interpreter)
        #expect(identity.script?.path == script)
        #expect(identity.script?.sha256 == Array(SHA256.hash(data: text)))
        #expect(identity.script?.claim == nil)
    }

    @Test("Exec in the same process gives another image, also of the same program")
    func exec() throws {
        let child = try Child(
            "/bin/sh", ["-c", "read x < /proc/self/stat; kill -STOP $$; exec /bin/sh -c 'kill -STOP $$'"])
        defer { child.end() }
        func stopped() throws -> ProcessImage {
            let handle = try files.process(child.pid)
            while try ProcessStat(handle.text(.stat, limit: 4096).bytes).state != UInt8(ascii: "T") { usleep(1000) }
            return try reader.image(of: child.pid).get()
        }
        let first = try stopped()
        kill(child.pid, SIGCONT)
        let second = try stopped()
        #expect(first.process == second.process && first.executable == second.executable)
        #expect(first != second)
    }

    @Test("What is no regular file is not opened")
    func devices() {
        #expect(throws: CodeProblem(.notRegularFile, "")) { try files.open(path: "/dev/zero") }
        #expect(throws: CodeProblem(.notRegularFile, "")) { try files.open(path: "/tmp") }
        #expect(throws: CodeProblem(.badPath, "")) { try files.open(path: "/usr/bin/sleep\0x") }
        #expect(throws: CodeProblem(.notFound, "")) { try files.open(path: "/no/such/file") }
        #expect(files.mountNamespace?.hasPrefix("mnt:[") == true)
        #expect(throws: CodeProblem(.notRegularFile, "")) { try files.process(getpid()).open(.inside("/dev/zero")) }
    }

    @Test("A file that becomes shorter while it is read is an error, not less content")
    func shortened() throws {
        let folder = try Folder()
        let path = try folder.write("file", Array("0123456789".utf8))
        let file = try files.open(path: path)
        #expect(try file.read(at: 2, count: 3) == Array("234".utf8))
        #expect(truncate(path, 4) == 0)
        #expect(throws: CodeProblem(.changed, at: 4, "")) { try file.read(at: 0, count: 10) }
        #expect(throws: CodeProblem(.outOfBounds, at: 9, "")) { try file.read(at: 9, count: 2) }
        #expect(try file.keyNow() != file.key)
    }

    @Test("The flag that the kernel keeps in the nanoseconds does not change a key")
    func multigrain() {
        // Values of one file, read in the kernel and by stat.
        let kernel = FileKey(
            device: 1, inode: 2, changedSeconds: 3, changedNanoseconds: 2_172_470_546, size: 4)
        let stat = FileKey(device: 1, inode: 2, changedSeconds: 3, changedNanoseconds: 24_986_898, size: 4)
        #expect(kernel == stat)
        #expect(stat.changed == 3_024_986_898)
        let far = FileKey(device: 1, inode: 2, changedSeconds: .max, changedNanoseconds: 0, size: 4)
        #expect(far.changed == .max)
    }
}
#endif
