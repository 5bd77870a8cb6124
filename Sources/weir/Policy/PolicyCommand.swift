// SPDX-License-Identifier: Apache-2.0

// weir policy: read, explain, test, compare and sign policies.

import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, explain, test, compare and sign policies.",
        discussion: "A policy is a file, a signed bundle, or a preset by its name: report, redact.",
        subcommands: [
            PolicyCheckCommand.self, PolicyShowCommand.self, PolicyExplainCommand.self, PolicyTestCommand.self,
            PolicyDiffCommand.self, PolicyPlanCommand.self, PolicyCatalogueCommand.self, PolicySchemaCommand.self,
            BundleCommand.self,
        ])
}
