// SPDX-License-Identifier: Apache-2.0

// /proc/PID/maps.

import Testing

@testable import CodeIdentity

@Suite("MemoryMap") struct MemoryMapTests {
    private func map(_ text: String, complete: Bool = true, limit: Int = 100) throws -> MemoryMap {
        try MemoryMap(BoundedText(Array(text.utf8), complete: complete), limit: limit)
    }

    private func object(_ name: String, inode: Int = 9) throws -> ExecutableMapping.Object? {
        try map("400000-401000 r-xp 00000000 fe:00 \(inode) \(name)\n").executable.first?.object
    }

    @Test("Only executable mappings are kept, with range, device and inode")
    func kept() throws {
        let map = try map(
            """
            00400000-0040c000 r--p 00000000 fe:00 253911                     /usr/bin/cat
            0040c000-0040e000 r-xp 00002000 fe:1a 253911                     /usr/bin/cat
            0040e000-0040f000 rwxs 00002000 fe:1a 253912                     /usr/bin/with two  blanks
            7fa6b9cab000-7fa6b9ccd000 rw-p 00000000 00:00 0\u{20}
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]

            """)
        #expect(map.complete)
        #expect(
            map.executable == [
                ExecutableMapping(
                    start: 0x40c000, end: 0x40e000, writable: false, major: 0xfe, minor: 0x1a, inode: 253911,
                    object: .file(path: "/usr/bin/cat", deleted: false)),
                ExecutableMapping(
                    start: 0x40e000, end: 0x40f000, writable: true, major: 0xfe, minor: 0x1a, inode: 253912,
                    object: .file(path: "/usr/bin/with two  blanks", deleted: false)),
                ExecutableMapping(
                    start: 0xffff_ffff_ff60_0000, end: 0xffff_ffff_ff60_1000, writable: false, major: 0, minor: 0,
                    inode: 0, object: .kernel(name: "[vsyscall]")),
            ])
    }

    @Test("Files, memory and the kernel's pages are told apart")
    func objects() throws {
        #expect(try object("/usr/lib/a.so (deleted)") == .file(path: "/usr/lib/a.so", deleted: true))
        #expect(try object("/tmp/a\\012b") == .file(path: "/tmp/a\nb", deleted: false))
        #expect(try object("/tmp/a\\b") == .file(path: "/tmp/a\\b", deleted: false))
        #expect(try object("/memfd:code (deleted)") == .memory(name: "/memfd:code (deleted)"))
        #expect(try object("/SYSV00000000 (deleted)") == .memory(name: "/SYSV00000000 (deleted)"))
        #expect(try object("[heap]", inode: 0) == .memory(name: "[heap]"))
        #expect(try object("", inode: 0) == .memory(name: ""))
        #expect(try object("[vdso]", inode: 0) == .kernel(name: "[vdso]"))
        #expect(try object("[anon:[vdso]]", inode: 0) == .memory(name: "[anon:[vdso]]"))
        #expect(try object("[vdso]", inode: 5) == .memory(name: "[vdso]"))
    }

    @Test(
        "A line that is none is refused with its offset",
        arguments: [
            "x\n", "400000 r-xp 0 fe:00 1 /a\n", "400000-400000 r-xp 0 fe:00 1 /a\n",
            "400000-401000 r-x 0 fe:00 1 /a\n",
            "400000-401000 r-xp 0 fe00 1 /a\n", "400000-401000 r-xp 0 fe:00 z /a\n",
            "400000-10000000000000000 r-xp 0 fe:00 1 /a\n", "400000-401000 r-xp 0 fe:00 18446744073709551616 /a\n",
        ])
    func malformed(_ line: String) {
        let good = "1000-2000 r-xp 0 fe:00 1 /a\n"
        #expect(throws: CodeProblem(.procMalformed, at: 28, "")) { try map(good + line) }
    }

    @Test("A cut text keeps its whole lines and says that it is cut")
    func cut() throws {
        let map = try map("1000-2000 r-xp 0 fe:00 1 /a\n2000-3000 r-xp 0 fe", complete: false)
        #expect(map.executable.count == 1)
        #expect(!map.complete)
        #expect(throws: CodeProblem.self) { try self.map("1000-2000 r-xp 0 fe:00 1 /a\n2000-3000 r-xp 0 fe") }
    }

    @Test("More mappings than the limit are not kept, and that is said")
    func limit() throws {
        let map = try map(String(repeating: "1000-2000 r-xp 0 fe:00 1 /a\n", count: 9), limit: 8)
        #expect(map.executable.count == 8)
        #expect(!map.complete)
    }
}
