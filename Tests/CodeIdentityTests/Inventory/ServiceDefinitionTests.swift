// SPDX-License-Identifier: Apache-2.0

// Which programs units and jobs start.

import Testing

@testable import CodeIdentity

@Suite("Service definitions") struct ServiceDefinitionTests {
    private func programs(_ files: String...) -> [String] { SystemdUnit(files.map { Array($0.utf8) }).programs }

    @Test("The programs of a unit are the first words of its Exec lines, without prefixes, quotes and duplicates")
    func unit() {
        let text = """
            [Unit]
            ExecStart=/not/in/this/section
            [Service]
            # ExecStart=/commented
            ExecStartPre=-/usr/bin/mkdir -p /run/x
            ExecStart=@!!/usr/sbin/x x --flag
            ExecReload="/usr/sbin/x" reload
              ExecStop = \\
               /usr/bin/kill \\
            # in between
               $MAINPID
            ExecStopPost=true
            [Install]
            WantedBy=multi-user.target
            """
        #expect(programs(text) == ["/usr/bin/mkdir", "/usr/sbin/x", "/usr/bin/kill", "true"])
    }

    @Test("Commands that a semicolon by itself joins are commands of their own")
    func joined() {
        #expect(programs("[Service]\nExecStart=/bin/a ; -/bin/b x; /bin/c ;\n") == ["/bin/a", "/bin/b"])
    }

    @Test("A unit file cut anywhere gives a part of its programs, and never traps")
    func cut() {
        let unit = Array("[Service]\nExecStart=-/bin/a \\\n x ; '/bin/b'\nExecStop=\nExecStop=/bin/c\n".utf8)
        for length in 0...unit.count {
            #expect(SystemdUnit([Array(unit.prefix(length))]).programs.allSatisfy { $0.hasPrefix("/") })
        }
        #expect(SystemdUnit([unit]).programs == ["/bin/a", "/bin/b", "/bin/c"])
    }

    @Test("A drop-in adds to the unit's commands, and an empty line takes the earlier ones back")
    func dropIn() {
        let unit = "[Service]\nExecStart=/usr/bin/a\nExecStop=/usr/bin/c\n"
        #expect(programs(unit, "[Service]\nExecStart=/usr/bin/b\n") == ["/usr/bin/a", "/usr/bin/c", "/usr/bin/b"])
        #expect(programs(unit, "[Service]\nExecStart=\nExecStart=/usr/bin/b\n") == ["/usr/bin/c", "/usr/bin/b"])
    }

    @Test("A command that is only known when the unit runs is a problem, never a guess")
    func specifier() {
        let unit = SystemdUnit([Array("[Service]\nExecStart=%h/bin/x\nExecStartPre=${DIR}/y\n".utf8)])
        #expect(unit.programs.isEmpty)
        #expect(unit.problems.count == 2)
    }

    @Test("A launchd job's program is Program, else its first argument")
    func job() throws {
        let both: PropertyListValue = .dictionary([
            "Label": .string("com.example.d"), "Program": .string("/usr/libexec/d"),
            "ProgramArguments": .array([.string("d"), .string("-x")]),
        ])
        #expect(try #require(LaunchdJob(both)).program == "/usr/libexec/d")
        let arguments: PropertyListValue = .dictionary([
            "Label": .string("com.example.d"), "ProgramArguments": .array([.string("/usr/libexec/e"), .string("-x")]),
        ])
        #expect(try #require(LaunchdJob(arguments)).program == "/usr/libexec/e")
        #expect(LaunchdJob(.dictionary(["Program": .string("/x")])) == nil)
    }

    @Test("Real programs are told from libraries and from everything else")
    func elf() throws {
        func header(_ path: String) throws -> ELFHeader? {
            ELFHeader.read(MemoryBytes(try SmallFixture.bytes(path)))
        }
        let shell = try #require(try header("/bin/sh"))
        #expect(shell.isProgram)
        #expect(shell.interpreter?.contains("ld-") == true)
        #expect(try header("/etc/passwd") == nil)
        #expect(ELFHeader.read(MemoryBytes([])) == nil)
    }

    @Test("An ELF file cut anywhere, or with any byte changed in its head, never traps")
    func hostileELF() throws {
        let bytes = try SmallFixture.bytes("/bin/sh")
        for length in 0..<1_024 { _ = ELFHeader.read(MemoryBytes(Array(bytes.prefix(length)))) }
        for place in 0..<512 {
            var changed = bytes
            changed[place] = 0xff
            _ = ELFHeader.read(MemoryBytes(changed))
        }
    }
}
