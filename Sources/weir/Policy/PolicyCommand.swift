// SPDX-License-Identifier: Apache-2.0

// weir policy: read, explain, test and compare policies.

import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, explain, test and compare policies.",
        discussion: "A policy is a file, or a preset by its name: report, redact.",
        subcommands: [
            PolicyCheckCommand.self, PolicyShowCommand.self, PolicyExplainCommand.self, PolicyTestCommand.self,
            PolicyDiffCommand.self,
        ])
}
