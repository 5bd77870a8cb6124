// SPDX-License-Identifier: Apache-2.0

// /proc/PID/stat.

import Testing

@testable import CodeIdentity

/// Lines from Linux 6.18.
let sampleStat =
    "17823 (sleep) S 17782 17777 12346 0 -1 4194304 76 0 1 0 0 0 0 0 20 0 1 0 1177499 5636096 379 18446744073709551615 94086 94105 140723 0 0 0 0 0 0 1 0 0 17 0 0 0 0 0 0\n"

@Suite("ProcessStat") struct ProcessStatTests {
    @Test("Start time, state and layout are read")
    func fields() throws {
        let stat = try ProcessStat(Array(sampleStat.utf8))
        #expect(stat.command == "sleep")
        #expect(stat.threads == 1)
        #expect(stat.startTicks == 1_177_499)
        #expect(stat.layout == ImageLayout(code: 94086, stack: 140723))
        #expect(!stat.ended && !stat.isKernelThread)
    }

    @Test("A command that looks like the fields behind it changes nothing")
    func hostileCommand() throws {
        let stat = try ProcessStat(Array(sampleStat.replacing("sleep", with: "a) (Z 1 1 1) S (").utf8))
        #expect(stat.command == "a) (Z 1 1 1) S (")
        #expect(stat.startTicks == 1_177_499)
    }

    @Test("A zombie has ended; a kernel thread says so in its flags")
    func states() throws {
        #expect(try ProcessStat(Array(sampleStat.replacing(" S ", with: " Z ").utf8)).ended)
        #expect(try ProcessStat(Array(sampleStat.replacing("4194304", with: "2129984").utf8)).isKernelThread)
    }

    @Test("No cut line is taken for a whole one before its last field")
    func truncations() {
        let bytes = Array(sampleStat.utf8)
        let whole = try? ProcessStat(bytes)
        for length in 0..<bytes.count {
            guard let stat = try? ProcessStat(Array(bytes[..<length])) else { continue }
            // Only the stack's number, the last that is used, may be shorter.
            #expect(stat.startTicks == whole?.startTicks && stat.layout.code == whole?.layout.code)
        }
        #expect(throws: CodeProblem(.procMalformed, at: 0, "")) { try ProcessStat(Array("1 sleep S".utf8)) }
    }
}
