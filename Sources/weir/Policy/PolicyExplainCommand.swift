// SPDX-License-Identifier: Apache-2.0

// weir policy explain: what a policy makes of flows that somebody describes, and why.

import ArgumentParser
import EngineAssembly
import FlowModel
import FlowPolicy

struct PolicyExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which rule decides a flow, and why every earlier one does not.",
        discussion: """
            A flow is described in YAML or JSON, one, a list, or one JSON object a line:
            {to: api.example.com:443, identity: {team: AB12CD34EF, identifier: com.example.app}}
            """)

    @Option(help: "A policy file, or a preset.") var policy = "report"
    @Option(help: "Where the flow goes, HOST:PORT.") var to: String?
    @Option(help: "With --to: the executable, a label.") var executable: String?
    @Option(help: "A file of described flows, or - for standard input.") var flow: String?
    @Option(help: "text or json.") var format = OutputFormat.text

    func validate() throws {
        guard (to == nil) != (flow == nil) else { throw ValidationError("give either --to or --flow") }
        guard executable == nil || to != nil else { throw ValidationError("--executable goes with --to") }
    }

    func run() throws {
        let policy = try PolicySource.load(policy)
        var output = StandardOutput()
        if let to {
            guard let endpoint = Endpoint(to, defaultPort: 443), endpoint.port > 0 else {
                throw Problem.usage("--to \(to): give a host and a port, such as api.example.com:443")
            }
            let facts = FlowFacts(
                intake: .exec, destination: endpoint,
                identity: IdentitySummary(.unknown(.notAsked), executable: executable), startedAt: Runtime.now())
            let explanation = policy.explain(facts)
            try output.line(format == .json ? explanation.jsonLines : explanation.text)
        }
        if let flow {
            let (text, name) = try PolicySource.input(flow)
            let flows = try PolicySource.explained {
                try FlowDescription.read(text, file: name, PolicySource.context())
            }
            for (index, flow) in flows.enumerated() {
                if index > 0, format == .text { try output.line("") }
                try output.line(format == .json ? flow.explanationLines(policy) : flow.explanation(policy))
            }
        }
        try output.flush()
    }
}
