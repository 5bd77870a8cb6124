// SPDX-License-Identifier: Apache-2.0

// The limits of the program itself, and the lines of its standard input.

import EngineAssembly
import FlowModel
import Foundation

/// The limits of the program itself.
enum ProgramLimits {
    static let inputLine = Limit(
        "program.input-line", 4 * 1024 * 1024, .bytes, metric: "limit_input_line_total",
        "A line of JSON on standard input; a subject with its certificates has about 10 KiB. A longer one is an error.")

    static let all: [Limit] = [inputLine, AssemblyLimits.policyFile] + DoctorLimits.all
}

extension InputLines {
    /// Standard input.
    init() { self.init(descriptor: STDIN_FILENO, limit: ProgramLimits.inputLine) }
}
