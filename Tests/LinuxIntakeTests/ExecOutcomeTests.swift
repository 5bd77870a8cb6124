// SPDX-License-Identifier: Apache-2.0

// What a shell and a person are told of a command's end.

import Glibc
import Testing

@testable import LinuxIntake

@Suite struct ExecOutcomeTests {
    @Test("Each end has the status that a shell gives it and the words that a person needs")
    func words() {
        #expect(ExecOutcome.exited(3).exitStatus == 3)
        #expect(ExecOutcome.exited(3).complaint(command: "x") == nil)
        #expect(ExecOutcome.signalled(SIGINT).exitStatus == 130)
        #expect(ExecOutcome.signalled(SIGINT).complaint(command: "x") == nil)
        #expect(ExecOutcome.notStarted(ENOENT).exitStatus == 127)
        #expect(
            ExecOutcome.notStarted(ENOENT).complaint(command: "nope") == "weir: exec: nope: No such file or directory")
        #expect(ExecOutcome.notStarted(EACCES).exitStatus == 126)
        #expect(ExecOutcome.notStarted(E2BIG).exitStatus == 126)
        #expect(ExecOutcome.lost.exitStatus == 137)
        #expect(ExecOutcome.lost.complaint(command: "x") != nil)
    }
}
