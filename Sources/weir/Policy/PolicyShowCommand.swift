// SPDX-License-Identifier: Apache-2.0

// weir policy show: a preset as a file to start from.

import ArgumentParser
import EngineAssembly
import FlowPolicy

struct PolicyShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a preset as a policy file to start from.")

    @Argument(help: "report or redact.") var preset: String

    func run() throws {
        guard let text = Policy.presetText(preset) else {
            throw Problem.refused(
                "\(preset): no such preset; the presets are \(Policy.presetNames.joined(separator: ", "))")
        }
        print(text, terminator: "")
    }
}
