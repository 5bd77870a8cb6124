// SPDX-License-Identifier: Apache-2.0

// /proc/PID/status.

import Testing

@testable import CodeIdentity

@Suite("ProcessStatus") struct ProcessStatusTests {
    static let text =
        "Name:\tcat\nUmask:\t0022\nTgid:\t5\nTracerPid:\t42\nUid:\t1000\t0\t1000\t1000\nGid:\t7\t8\t9\t9\nThreads:\t3\nNoNewPrivs:\t1\n"

    @Test("The effective user counts, and the tracer is seen")
    func fields() throws {
        let status = try ProcessStatus(Array(Self.text.utf8))
        #expect(status.user == 0)
        #expect(status.tracer == 42)
        #expect(status.process == 5)
        #expect(status.threads == 3)
    }

    @Test("A name with an escaped line feed adds no line")
    func hostileName() throws {
        let text = Self.text.replacing("cat", with: "\\nUid:\\t5\\t5\\t5\\t5")
        #expect(try ProcessStatus(Array(text.utf8)).user == 0)
    }

    @Test(
        "Without its users, its tracer, its process or its threads it is refused",
        arguments: ["Uid", "TracerPid", "Tgid", "Threads"])
    func missing(_ name: String) {
        #expect(throws: CodeProblem(.procMalformed, at: 0, "")) {
            try ProcessStatus(Array(Self.text.replacing(name, with: "Xid").utf8))
        }
    }

    @Test("Every cut is read or refused")
    func truncations() {
        let bytes = Array(Self.text.utf8)
        for length in 0...bytes.count { _ = try? ProcessStatus(Array(bytes[..<length])) }
        #expect((try? ProcessStatus(Array(bytes[..<40]))) == nil)
    }
}
