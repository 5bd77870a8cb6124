// SPDX-License-Identifier: Apache-2.0

// weir policy schema: the JSON Schema of policy documents, for editors.

import ArgumentParser
import FlowPolicy

struct PolicySchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of policy documents.",
        discussion: "Editors that know YAML use it to complete and check keys while one writes.")

    func run() throws {
        var output = StandardOutput()
        try output.line(Policy.schema)
        try output.flush()
    }
}
