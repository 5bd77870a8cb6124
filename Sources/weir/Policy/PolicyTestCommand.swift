// SPDX-License-Identifier: Apache-2.0

// weir policy test: whether a policy decides a table of flows as its author expects.

import ArgumentParser
import EngineAssembly
import FlowPolicy

struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Check that a policy decides flows as expected, and which rules no flow reaches.",
        discussion: """
            A test is a YAML file:
            policy: corporate.yaml          # beside the test; or: preset redact
            flows:
              - name: the clock is set
                flow: {to: 192.0.2.123:123, transport: udp, identity: {class: os}}
                expect: {lane: bypass}      # and: rule, reason, profile, class, deferred, content
            """)

    @Argument(help: "Tests of a policy.") var files: [String]
    @Option(help: "Test this policy, whatever the files name: a file, or a preset.") var policy: String?
    @Option(help: "text or json.") var format = OutputFormat.text

    func validate() throws {
        if files.isEmpty { throw ValidationError("name at least one file") }
    }

    func run() throws {
        var output = StandardOutput()
        var passed = true
        for file in files {
            let text = try PolicySource.text(of: file)
            let test = try PolicySource.explained {
                try PolicyTest.read(yaml: text, file: file, PolicySource.context())
            }
            let report = test.run(try policyUnderTest(test))
            passed = passed && report.passed
            try output.line(format == .json ? report.jsonLines : report.text)
        }
        try output.flush()
        if !passed { throw ExitCode(1) }
    }

    private func policyUnderTest(_ test: PolicyTest) throws -> Policy {
        if let policy { return try PolicySource.load(policy) }
        guard let named = test.policy else {
            throw Problem.usage("\(test.file): it names no policy: add `policy:` to it, or give --policy")
        }
        let isPreset = PolicySource.presetName(named) != nil
        return try PolicySource.load(isPreset ? named : DiskPolicyFiles.path(of: named, namedBy: test.file))
    }
}
