// SPDX-License-Identifier: Apache-2.0

// Lists of variables and their C form.

import Testing

@testable import LinuxIntake

@Suite struct CommandEnvironmentTests {
    @Test("A variable is read, replaced and removed by its whole name")
    func subscripts() {
        var environment = CommandEnvironment(["A=1", "AB=2", "A=3", "NOVALUE", "=odd"])
        #expect(environment["A"] == "1")
        #expect(environment["NOVALUE"] == nil)
        environment["A"] = "x=y"
        #expect(environment["A"] == "x=y")
        #expect(environment["AB"] == "2")
        environment["A"] = nil
        #expect(environment["A"] == nil)
        #expect(environment.entries.count == 3)
    }

    @Test("This process's own environment is taken whole")
    func current() {
        #expect(CommandEnvironment.current()["PATH"] != nil)
    }

    @Test("Strings reach C byte for byte, and one with a NUL does not")
    func cStrings() {
        let strings: [[UInt8]] = [[0xff, 0x41], [], Array("é".utf8)]
        let seen = withCStrings(strings) { list -> [[UInt8]] in
            (0..<3).map { index in
                list[index].map { Array(UnsafeBufferPointer(start: $0, count: strings[index].count + 1)) }?
                    .map { UInt8(bitPattern: $0) } ?? []
            }
        }
        #expect(seen == strings.map { $0 + [0] })
        #expect(withCStrings([]) { $0[0] == nil } == true)
        #expect(withCStrings([[1, 0, 2]]) { _ in true } == nil)
    }
}
