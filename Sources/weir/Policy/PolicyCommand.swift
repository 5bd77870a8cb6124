// SPDX-License-Identifier: Apache-2.0

// weir policy: check a policy, show a preset, explain what would happen to a flow.

import ArgumentParser
import FlowModel
import FlowPolicy

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check and explain policies.",
        subcommands: [Check.self, Show.self, Explain.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read a policy and say all that is wrong with it.")

        @Argument(help: "A policy file, or a preset.") var policy: String

        func run() throws {
            let policy = try PolicySource.load(policy)
            print("ok: mode \(policy.mode.rawValue), digest \(policy.digest)")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a preset as a policy file to start from.")

        @Argument(help: "report or redact.") var preset: String

        func run() throws {
            guard let text = Policy.presetText(preset) else {
                throw Problem.refused(
                    "\(preset): no such preset; the presets are \(Policy.presetNames.joined(separator: ", "))")
            }
            print(text, terminator: "")
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say which rule decides a flow, and why every earlier one does not.")

        @Option(help: "A policy file, or a preset.") var policy = "report"
        @Option(help: "Where the flow goes, HOST:PORT.") var to: String
        @Option(help: "The executable, a label.") var executable: String?
        @Option(help: "text or json.") var format = OutputFormat.text

        func run() throws {
            guard let endpoint = Endpoint(to, defaultPort: 443) else {
                throw Problem.usage("--to \(to): give a host and a port, such as api.example.com:443")
            }
            let facts = FlowFacts(
                intake: .exec, destination: endpoint,
                identity: IdentitySummary(.unknown(.notAsked), executable: executable), startedAt: Runtime.now())
            let explanation = try PolicySource.load(policy).explain(facts)
            print(format == .json ? explanation.jsonLines : explanation.text)
        }
    }
}
