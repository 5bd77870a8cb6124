// SPDX-License-Identifier: Apache-2.0

// weir policy check: whether a policy can be read, and what is wrong with it.

import ArgumentParser
import FlowPolicy

struct PolicyCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read a policy and say all that is wrong with it.")

    @Argument(help: "A policy file, or a preset.") var policy: String
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() throws {
        let read: Policy
        do {
            read = try PolicySource.read(policy, PolicySource.environment())
        } catch let problems as PolicyProblems {
            guard format == .json else { throw PolicySource.refusal(problems) }
            var output = StandardOutput()
            for problem in problems.problems { try output.line(try JSONLine.text(PolicyProblemLine(problem))) }
            try output.flush()
            throw ExitCode(1)
        }
        // Here `read.check(now:)` adds what can be read and is still unwise.
        switch format {
        case .text: print("ok: mode \(read.mode.rawValue), digest \(read.digest)")
        case .json: print(try JSONLine.text(PolicyLine(read)))
        }
    }
}

/// A policy as lines of JSON name it.
struct PolicyLine: Encodable {
    let kind = "policy"
    let digest: String
    let files: [String]
    let mode: String

    init(_ policy: Policy) {
        digest = policy.digest
        files = policy.files
        mode = policy.mode.rawValue
    }
}

/// A problem of a document as lines of JSON have it.
struct PolicyProblemLine: Encodable {
    let kind = "problem"
    let code: String
    let column: Int
    let file: String
    let line: Int
    let message: String

    init(_ problem: PolicyProblem) {
        code = problem.code.rawValue
        column = problem.column
        file = problem.file
        line = problem.line
        message = problem.message
    }
}
