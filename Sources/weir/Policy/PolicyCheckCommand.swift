// SPDX-License-Identifier: Apache-2.0

// weir policy check: whether a policy can be read, what is wrong with it, and what in it nobody can have meant.

import ArgumentParser
import EngineAssembly
import FlowPolicy

struct PolicyCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read a policy and say all that is wrong with it.")

    @Argument(help: "A policy file, a bundle, or a preset.") var policy: String
    @Option(help: "text, json, or sarif for code review.") var format = Format.text

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, sarif }

    func run() throws {
        let read: Policy
        do {
            read = try PolicySource.read(policy, PolicySource.environment())
        } catch let problems as PolicyProblems {
            try tell(problems)
            throw ExitCode(1)
        }
        let findings = PolicyFindings(read.check(now: Runtime.now()))
        var output = StandardOutput()
        switch format {
        case .text:
            if !findings.findings.isEmpty { try output.line(findings.text) }
            let count = findings.findings.count
            let found = count == 0 ? "ok" : "read, with \(count) \(count == 1 ? "finding" : "findings")"
            try output.line("\(found): mode \(read.mode.rawValue), digest \(read.digest)")
        case .json:
            if !findings.findings.isEmpty { try output.line(findings.jsonLines) }
            try output.line(try JSONLine.text(PolicyLine(read)))
        case .sarif: try output.line(findings.sarif(version: Weir.version))
        }
        try output.flush()
        if findings.worst == .error { throw ExitCode(1) }
    }

    /// The problems of a document that cannot be read.
    private func tell(_ problems: PolicyProblems) throws {
        var output = StandardOutput()
        switch format {
        case .text, .sarif: throw PolicySource.refusal(problems)
        case .json:
            for problem in problems.problems { try output.line(try JSONLine.text(PolicyProblemLine(problem))) }
        }
        try output.flush()
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
