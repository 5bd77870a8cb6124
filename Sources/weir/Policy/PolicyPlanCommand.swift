// SPDX-License-Identifier: Apache-2.0

// weir policy plan: what a kernel would be told to hand over under a policy, and what it cannot be told.

import ArgumentParser
import EngineAssembly
import FlowPolicy

struct PolicyPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Print what a kernel would be told for a policy.",
        discussion: """
            The kernel hands over more than the policy asks for, never less; what was lost in translation stands in the \
            plan. Nothing is loaded.
            """)

    @Option(name: .customLong("for"), help: "networkextension, nftables or bpf.", transform: Self.target)
    var target: CapturePlan.Target
    @Argument(help: "A policy file, a bundle, or a preset.") var policy = "report"

    func run() throws {
        // A plan for a Mac may be printed elsewhere.
        let environment = PolicySource.environment(system: target == .networkExtension ? .macos : .linux)
        let plan = try PolicySource.load(policy, environment).capturePlan(for: target)
        var output = StandardOutput()
        switch target {
        case .networkExtension: try output.line(plan.networkExtension.json)
        case .nftables: try output.line(plan.nftables().text)
        case .bpf: for line in plan.bpf.lines.split(separator: "\n") { try output.line(String(line)) }
        }
        try output.flush()
    }

    private static func target(_ word: String) throws -> CapturePlan.Target {
        guard let target = CapturePlan.Target(rawValue: word) else {
            throw ValidationError("--for \(word): give networkextension, nftables or bpf")
        }
        return target
    }
}
