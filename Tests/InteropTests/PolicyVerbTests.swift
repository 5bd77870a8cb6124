// SPDX-License-Identifier: Apache-2.0

// `weir policy` given what cannot be used: nothing that was not looked at may look like a success.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct PolicyVerbs {
        @Test("A folder in the place of recorded flows is refused, not compared as no flows")
        func diffOfFolder() throws {
            let run = try WeirProgram.run(["policy", "diff", "report", "redact", "--flows", "/"])
            #expect(run.status == 1)
            #expect(run.errors == "weir: /: a folder: name a file of JSON lines, or - for standard input\n")
        }

        @Test("Where no recorded line can be used, the exit status does not say that nothing changes")
        func diffOfNothing() throws {
            let arguments = ["policy", "diff", "report", "redact", "--flows", "-"]
            #expect(try WeirProgram.run(arguments, input: Array("nonsense\n".utf8)).status == 1)
            #expect(try WeirProgram.run(arguments, input: Array("{\"kind\":\"message\"}\n".utf8)).status == 0)
        }

        @Test("A wrong name of a catalogue is answered in a line that can be read")
        func unknownCatalogue() throws {
            let run = try WeirProgram.run(["policy", "catalogue", "privat-life"])
            #expect(run.status == 1)
            #expect(run.errors == "weir: privat-life: no such catalogue; `weir policy catalogue` lists all\n")
        }

        @Test("One finding is one finding")
        func oneFinding() throws {
            #expect(try WeirProgram.run(["policy", "check", "report"]).text.contains("read, with 1 finding: "))
        }
    }
}
