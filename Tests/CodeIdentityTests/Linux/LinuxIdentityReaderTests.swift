// SPDX-License-Identifier: Apache-2.0

// Identity put together from a simulated system, and every way for foreign code.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("LinuxIdentityReader") struct LinuxIdentityReaderTests {
    @Test("A packaged system service is the operating system's, and says why")
    func service() throws {
        let identity = try SimulatedSystem().identity()
        #expect(identity.process == ProcessInstance(pid: 7, startTicks: 500))
        #expect(identity.user == 101)
        #expect(identity.executable.path == "/usr/bin/tool")
        #expect(identity.executable.sha256?.count == 32)
        #expect(identity.executable.claim?.verdict == .intact)
        #expect(identity.executable.rootOwnedChain)
        #expect(identity.context.unit?.file == "/usr/lib/systemd/system/tool.service")
        #expect(identity.context.confinement == .none)
        #expect(identity.injection == [] && identity.problems == [] && identity.script == nil)
        #expect(identity.codeClass == .os)
        #expect(identity.classification.reasons.count == 3)
    }

    // MARK: Foreign code

    /// Each line in `maps`, the file behind it, and what it means.
    @Test(
        "Foreign code in the mappings is found, and ends the trust",
        arguments: [
            ("1000-2000 r-xp 00000000 fe:00 40 /tmp/evil.so", InjectionPath.foreignMapping),
            ("1000-2000 r-xp 00000000 fe:00 41 /usr/lib/modified.so", .changedMapping),
            ("1000-2000 r-xp 00000000 fe:00 42 /usr/lib/gone.so (deleted)", .changedMapping),
            ("1000-2000 r-xp 00000000 fe:00 43 /usr/lib/written.so", .changedMapping),
            ("1000-2000 r-xp 00000000 fe:00 44 /usr/lib/writable.so", .writableMapping),
            ("1000-2000 r-xp 00000000 fe:00 45 /usr/lib/bound-over.so", .foreignMapping),
            ("1000-2000 r-xp 00000000 fe:00 46 /usr/lib/no-digest.so", .unreadableMappings),
            ("1000-2000 r-xp 00000000 00:05 47 /dev/null", .unreadableMappings),
            ("1000-2000 rwxp 00000000 00:00 0 ", .anonymousExecutable),
            ("1000-2000 r-xp 00000000 00:00 0 [stack]", .anonymousExecutable),
            ("1000-2000 r-xp 00000000 00:01 9 /memfd:jit (deleted)", .anonymousExecutable),
            ("1000-2000 rwxp 00000000 fe:00 12 /usr/lib/libc.so.6", .anonymousExecutable),
            ("not a mapping", .unreadableMappings),
        ])
    func mappings(_ line: String, _ wanted: InjectionPath) throws {
        let system = SimulatedSystem { state in
            state.processes[7]?.map(line)
            let place = ProcessPath.mapping(start: 0x1000, end: 0x2000)
            let files: [(String, SimulatedFile, PackageVerdict?)] = [
                ("/tmp/evil.so", SimulatedFile(40, "evil"), nil),
                ("/usr/lib/modified.so", SimulatedFile(41), .modified),
                ("/usr/lib/written.so", SimulatedFile(43, later: SimulatedFile(43, "more").key), .intact),
                ("/usr/lib/writable.so", SimulatedFile(44), .intact),
                ("/usr/lib/bound-over.so", SimulatedFile(99), .intact),
                ("/usr/lib/no-digest.so", SimulatedFile(46), .noDigest),
            ]
            for (path, file, verdict) in files {
                state.files[path] = file
                state.claims[path] = verdict.map { PackageClaim(package: "p", verdict: $0) }
                if line.hasSuffix(path) { state.processes[7]?.files[place] = file }
            }
            if line.hasSuffix("bound-over.so") { state.processes[7]?.files[place] = SimulatedFile(45) }
            state.writable = ["/usr/lib/writable.so"]
        }
        let identity = try system.identity()
        #expect(identity.injection == [wanted])
        #expect(!identity.problems.isEmpty)
        #expect(identity.codeClass == .platformInteractive)
    }

    @Test("Without the right to open mapped files by range, the file of the path counts if it is the same inode")
    func mapFilesRefused() throws {
        let fine = SimulatedSystem { $0.processes[7]?.refused = ["map_files"] }
        #expect(try fine.identity().codeClass == .os)
        let replaced = SimulatedSystem { state in
            state.processes[7]?.refused = ["map_files"]
            state.files["/usr/lib/libc.so.6"] = SimulatedFile(77, "libc")
        }
        #expect(try replaced.identity().injection == [.changedMapping])
        // In a mount namespace of its own it could have the file of that number made for the purpose.
        let elsewhere = SimulatedSystem { state in
            state.processes[7]?.refused = ["map_files"]
            state.processes[7]?.links[.mountNamespace] = "mnt:[2]"
        }
        #expect(try elsewhere.identity().injection == [.unreadableMappings])
    }

    @Test("Mappings that may not be read, or are too many, count as unread")
    func unreadable() throws {
        let refused = SimulatedSystem { $0.processes[7]?.refused = ["maps", "watch"] }
        #expect(try refused.identity().injection == [.unreadableMappings])
        let many = SimulatedSystem { state in
            let line = "1000-2000 r-xp 00000000 00:00 0 [vdso]\n"
            state.processes[7]?.texts[.maps]? += Array(
                String(repeating: line, count: CodeIdentityLimits.executableMappings.value).utf8)
        }
        #expect(try many.identity().injection == [.unreadableMappings])
    }

    @Test("A tracer and a loader environment are seen")
    func tracerAndEnvironment() throws {
        let system = SimulatedSystem { state in
            state.processes[7]?.texts[.status] = SimulatedProcess.status(tracer: 9)
            state.processes[7]?.texts[.environ] = Array("LD_PRELOAD=/secret\0".utf8)
        }
        let identity = try system.identity()
        #expect(identity.injection == [.loaderEnvironment, .traced])
        #expect(!String(describing: identity).contains("secret"))
        #expect(identity.codeClass == .platformInteractive)
    }

    @Test("A tracer on any thread counts, and only on this process's threads")
    func tracedThread() throws {
        func injection(_ change: (inout SimulatedSystem.State) -> Void) throws -> [InjectionPath] {
            try SimulatedSystem { state in
                state.processes[7]?.texts[.status] = SimulatedProcess.status(threads: 3)
                state.processes[7]?.threads = [7, 8, 9]
                for number in [8, 9] as [Int32] {
                    state.processes[number] = .service(pid: number)
                    state.processes[number]?.texts[.status] = SimulatedProcess.status(7, threads: 3)
                }
                change(&state)
            }.identity().injection
        }
        #expect(try injection { _ in } == [])
        #expect(try injection { $0.processes[9]?.texts[.status] = SimulatedProcess.status(7, tracer: 5) } == [.traced])
        // The thread has ended, and its number is a process now.
        #expect(try injection { $0.processes[9]?.texts[.status] = SimulatedProcess.status(9, tracer: 5) } == [])
        #expect(try injection { $0.processes[9] = nil } == [])
        let many = SimulatedSystem { state in
            state.processes[7]?.texts[.status] = SimulatedProcess.status(threads: 9999)
            state.processes[7]?.threads = .init(100...9999)
        }
        #expect(try many.identity().problems == [CodeProblem(.limit, "")])
        let refused = SimulatedSystem { state in
            state.processes[7]?.texts[.status] = SimulatedProcess.status(threads: 2)
            state.processes[7]?.refused = ["task"]
        }
        #expect(try refused.identity().problems == [CodeProblem(.unreadable, "")])
    }

    @Test("Pages that are no more the file's are foreign code, the kernel's own page included")
    func changedPages() throws {
        for start in [0x55d0_0000_0000, 0x7f00_0000_0000, 0x7ffc_0000_0000] as [UInt64] {
            let identity = try SimulatedSystem { $0.processes[7]?.ownPages = [start] }.identity()
            #expect(identity.injection == [.changedMapping])
            #expect(OSAnchor.judge(identity).reasons == [.injectable(.changedMapping)])
        }
        let writable = SimulatedSystem { $0.processes[7]?.map("1000-2000 rwxp 00000000 00:00 0 [vdso]") }
        #expect(try writable.identity().injection == [.anonymousExecutable])
        let refused = SimulatedSystem { $0.processes[7]?.refused = ["pagemap"] }
        #expect(try refused.identity().injection == [.unreadableMappings])
        let large = SimulatedSystem { $0.processes[7]?.map("1000-400000000000 r-xp 00000000 00:00 0 [vdso]") }
        #expect(try large.identity().injection == [.unreadableMappings])
    }

    @Test("A process none of whose code is its executable's has taken that name from another")
    func executableNotMapped() throws {
        let system = SimulatedSystem { state in
            state.processes[7]?.texts[.maps] = Array(
                "7f0000000000-7f0000001000 r-xp 00001000 fe:00 12 /usr/lib/libc.so.6\n".utf8)
        }
        #expect(try system.identity().injection == [.changedMapping])
    }

    // MARK: Executable

    @Test(
        "An executable that is deleted, replaced, modified, unpackaged or writable by others is vouched for by nobody")
    func executables() throws {
        let cases: [(inout SimulatedSystem.State) -> Void] = [
            { $0.processes[7]?.links[.executable] = "/usr/bin/tool (deleted)" },
            { $0.files["/usr/bin/tool"] = SimulatedFile(99, "tool") },
            { $0.claims["/usr/bin/tool"]?.verdict = .modified },
            { $0.claims["/usr/bin/tool"] = nil },
            { $0.claims["/usr/bin/tool"]?.verdict = .inTransaction },
            { $0.writable = ["/usr/bin/tool"] },
        ]
        for change in cases {
            let identity = try SimulatedSystem(change).identity()
            #expect(identity.executable.path == "/usr/bin/tool")
            #expect(identity.codeClass == .unsigned, "\(identity.classification)")
        }
    }

    @Test("An executable that is written while it is hashed is reported")
    func writtenMeanwhile() throws {
        let system = SimulatedSystem { state in
            state.processes[7]?.files[.executable] = SimulatedFile(11, "tool", later: SimulatedFile(11, "evil!").key)
        }
        #expect(try system.identity().problems.map(\.code) == [.changed])
    }

    @Test("In another mount namespace our packages say nothing, unless the file is ours")
    func namespaces() throws {
        // A service with a private /tmp: its files are the host's.
        let own = SimulatedSystem { $0.processes[7]?.links[.mountNamespace] = "mnt:[2]" }
        #expect(try own.identity().codeClass == .os)
        // A container: the same paths, other files.
        let container = SimulatedSystem { state in
            state.processes[7]?.links[.mountNamespace] = "mnt:[2]"
            state.files["/usr/bin/tool"] = SimulatedFile(98, "tool")
        }
        let identity = try container.identity()
        #expect(identity.executable.claim == nil && !identity.executable.rootOwnedChain)
        #expect(identity.executable.sha256 != nil)
        // Outside every unit nothing explains the namespace.
        let user = SimulatedSystem { state in
            state.processes[7]?.links[.mountNamespace] = "mnt:[2]"
            state.processes[7]?.texts[.cgroup] = Array("0::/\n".utf8)
        }
        #expect(try user.identity().context.confinement == .otherMountNamespace)
    }

    // MARK: Units

    @Test("A drop-in that no package owns is listed, a packaged one is part of the package")
    func dropIns() throws {
        let path = "/usr/lib/systemd/system/tool.service.d/10.conf"
        let local = SimulatedSystem { $0.files[path] = SimulatedFile(30, "x") }
        #expect(try local.identity().context.unit?.dropIns == [path])
        #expect(try local.identity().codeClass == .platformInteractive)
        let packaged = SimulatedSystem { state in
            state.files[path] = SimulatedFile(30, "x")
            state.claims[path] = PackageClaim(package: "tool", verdict: .intact)
        }
        #expect(try packaged.identity().codeClass == .os)
    }

    @Test("A local, transient, masked or missing unit file is not the package's")
    func unitFiles() throws {
        let cases: [(inout SimulatedSystem.State) -> Void] = [
            { state in
                state.folders.insert("/etc/systemd/system")
                state.files["/etc/systemd/system/tool.service"] = SimulatedFile(31, "x")
            },
            { state in
                state.folders.insert("/etc/systemd/system")
                state.links["/etc/systemd/system/tool.service"] = "/dev/null"
            },
            { $0.files["/usr/lib/systemd/system/tool.service"] = nil },
            { $0.claims["/usr/lib/systemd/system/tool.service"]?.verdict = .modified },
        ]
        for change in cases {
            let identity = try SimulatedSystem(change).identity()
            #expect(identity.codeClass == .platformInteractive, "\(identity.classification)")
        }
    }

    // MARK: Interpreters

    private func interpreter(_ arguments: [String]) -> SimulatedSystem {
        SimulatedSystem { state in
            let python = "/usr/bin/python3.11"
            state.files[python] = SimulatedFile(50, "tool")
            state.claims[python] = PackageClaim(package: "python3.11-minimal", verdict: .intact)
            state.processes[7]?.run(python, inode: 50, arguments: arguments)
            state.processes[7]?.links[.workingFolder] = "/usr/share/tool"
            state.processes[7]?.files[.inside("/usr/share/tool.py")] = SimulatedFile(51, "print()")
            state.files["/usr/share/tool.py"] = SimulatedFile(51, "print()")
            state.processes[7]?.files[.inside("/dev/fd/3")] = SimulatedFile(52, "ours")
            state.claims["/usr/share/tool.py"] = PackageClaim(package: "tool", verdict: .intact)
        }
    }

    @Test("An interpreter names its script, with digest and package, and is never the system's own")
    func script() throws {
        let identity = try interpreter(["-u", "../tool.py", "x"]).identity()
        #expect(identity.executable.role == .interpreter)
        #expect(identity.script?.path == "/usr/share/tool.py")
        #expect(identity.script?.claim?.package == "tool")
        #expect(identity.script?.sha256?.count == 32)
        #expect(identity.injection == [.runsOtherCode])
        #expect(identity.codeClass == .platformInteractive)
    }

    @Test("Code on the command line and scripts that are gone are named as far as they are known")
    func noScript() throws {
        #expect(try interpreter(["-c", "pass"]).identity().script == nil)
        #expect(try interpreter(["gone.py"]).identity().script == ScriptClaim(path: "/usr/share/tool/gone.py"))
        // The kernel's name for a script that was opened before it was executed; here it would be our descriptor.
        #expect(try interpreter(["/dev/fd/3"]).identity().script == ScriptClaim(path: "/dev/fd/3"))
    }

    // MARK: Files

    @Test("A file on disk has no process, and is never the system's until a unit runs it")
    func file() throws {
        let identity = try SimulatedSystem().reader.identity(ofFile: "/usr/bin/tool").get()
        #expect(identity.process == nil && identity.user == nil)
        #expect(identity.executable.claim?.verdict == .intact)
        #expect(identity.codeClass == .platformInteractive)
        #expect(SimulatedSystem().reader.identity(ofFile: "/gone") == .failure(CodeProblem(.notFound, "")))
    }

    // MARK: Hostile text

    @Test(
        "No noise in any file of /proc traps, and none makes a foreign program the system's",
        arguments: 0..<40 as Range<UInt64>)
    func noise(_ seed: UInt64) throws {
        var noise = SeededRandom(state: seed)
        for file in ProcessText.allCases {
            let original = try #require(SimulatedProcess.service().texts[file])
            for _ in 0..<10 where !original.isEmpty {
                var bytes = original
                for _ in 0..<Int.random(in: 1...4, using: &noise) {
                    bytes[Int.random(in: bytes.indices, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
                }
                let changed = bytes
                let system = SimulatedSystem { state in
                    state.processes[7]?.texts[file] = changed
                    state.claims["/usr/bin/tool"] = nil
                }
                if case .success(let identity) = system.reader.identity(of: 7) {
                    #expect(identity.codeClass == .unsigned)
                }
            }
        }
    }

    @Test("Every cut of every file of /proc is read or refused")
    func truncations() {
        for file in ProcessText.allCases {
            for length in 0..<(SimulatedProcess.service().texts[file]?.count ?? 0) {
                let system = SimulatedSystem { $0.processes[7]?.texts[file]?.removeLast(length) }
                _ = system.reader.identity(of: 7)
            }
        }
    }
}
