// SPDX-License-Identifier: Apache-2.0

// weir requirement check and evaluate: does this code meet these requirements?

import ArgumentParser
import CodeIdentity
import EngineAssembly
import Foundation

struct RequirementCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Verify programs and ask them requirements, slice by slice.",
        discussion: """
            A slice that does not verify, or is not signed, is an error for every requirement. A file meets a requirement only \
            if each of its slices does.
            Exit status: 0 when every file meets every requirement, 1 otherwise.
            """)

    @Argument(help: "Program files or bundles.") var paths: [String] = []
    @Option(help: "A running process (Linux).") var pid: [Int32] = []
    @Option(help: "A requirement; may be given several times.") var requirement: [String] = []
    @Option(help: "A file of requirements, one a line; empty lines and lines that begin with # are skipped.")
    var requirements: String?
    @Flag(help: "Say why: the tree of the requirement with what each part saw.") var explain = false
    @Option(help: "text, or json: one line for each slice and requirement.") var format = OutputFormat.text

    struct Line: Encodable {
        let path: String
        let slice: String
        let requirement: String
        let result: String
        /// The result for the whole file.
        let file: String
        let error: ProblemLine?
        let explanation: RequirementExplanation?
    }

    func validate() throws {
        if paths.isEmpty && pid.isEmpty { throw ValidationError("name a program, or a process with --pid") }
        if requirement.isEmpty && requirements == nil {
            throw ValidationError("give --requirement TEXT or --requirements FILE")
        }
    }

    func run() throws {
        let asked = try compiled()
        let programs = ProgramIdentities()
        var output = StandardOutput()
        var allMet = true
        for path in paths {
            let subjects: [(name: String, subject: Result<RequirementSubject, CodeProblem>)] =
                switch programs.identity(of: path) {
                case .success(let identity): identity.subjects
                case .failure(let problem): [("file", .failure(problem))]
                }
            for (text, requirement) in asked {
                allMet = try answer(path, subjects, text, requirement, &output) && allMet
            }
        }
        #if os(Linux)
        for pid in pid {
            let subject = programs.linux(pid: pid).map(RequirementSubject.linux)
            for (text, requirement) in asked {
                allMet = try answer("pid \(pid)", [("process", subject)], text, requirement, &output) && allMet
            }
        }
        #else
        if !pid.isEmpty { throw Problem.refused("--pid: processes are examined on Linux only, for now") }
        #endif
        try output.flush()
        if !allMet { throw ExitCode(1) }
    }

    private func compiled() throws -> [(String, CompiledRequirement)] {
        var texts = requirement.map { (name: "--requirement", text: $0) }
        if let path = requirements {
            for (number, line) in try PolicySource.text(of: path).split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                let text = line.trimmingCharacters(in: .whitespaces)
                if !text.isEmpty, !text.hasPrefix("#") { texts.append(("\(path):\(number + 1)", text)) }
            }
        }
        return try texts.map { name, text in
            do throws(CodeProblem) {
                return (text, try CompiledRequirement(Requirement(text: text).expression))
            } catch {
                throw Problem.refused("\(name): \(error)")
            }
        }
    }

    private func answer(
        _ path: String, _ subjects: [(name: String, subject: Result<RequirementSubject, CodeProblem>)],
        _ text: String, _ requirement: CompiledRequirement, _ output: inout StandardOutput
    ) throws -> Bool {
        let file = Self.conclusion(subjects.map(\.subject), requirement)
        for (name, subject) in subjects {
            var result: RequirementResult
            var explanation: RequirementExplanation?
            switch subject {
            case .success(let subject):
                result = requirement.evaluate(subject)
                if explain { explanation = requirement.explain(subject) }
            case .failure(let problem): result = .error(problem)
            }
            let problem: CodeProblem? = if case .error(let problem) = result { problem } else { nil }
            if format == .json {
                let line = Line(
                    path: path, slice: name, requirement: text, result: result.name, file: file.name,
                    error: problem.map(ProblemLine.init), explanation: explanation)
                try output.line(JSONLine.text(line))
            } else {
                let reason = problem.map { ": \($0)" } ?? ""
                try output.line("\(result.name)\t\(path)\t\(name)\t\(text)\(reason)".terminalSafeTabs)
                if let explanation {
                    for line in explanation.rendered().split(separator: "\n") {
                        try output.line("    " + String(line).terminalSafe)
                    }
                }
            }
        }
        // Where every slice is true by itself, the file can still be an error: slices of two teams.
        if case .error(let problem) = file, format == .text, subjects.count > 1 {
            try output.line("error\t\(path)\tfile\t\(text): \(problem)".terminalSafeTabs)
        }
        return file == .true
    }

    private static func conclusion(
        _ subjects: [Result<RequirementSubject, CodeProblem>], _ requirement: CompiledRequirement
    ) -> RequirementResult {
        if subjects.count == 1, case .success(.linux(let identity)) = subjects[0] {
            return requirement.evaluate(identity)
        }
        let slices = subjects.compactMap { subject -> AllSlicesEvaluation.Slice? in
            switch subject {
            case .success(.apple(let code)): .code(code)
            case .success(.linux): nil
            case .failure(let problem): .unusable(problem)
            }
        }
        return AllSlicesEvaluation(requirement, slices: slices).result
    }
}

struct RequirementEvaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Ask requirements of code that is described in JSON.",
        discussion: """
            Each line of standard input is {"text" or "hex": …, "code": {"identifier", "cdhash", "team", "platform", \
            "certificates" (DER in base64, leaf first), "entitlements", "info", "flags", "trustCache", "notarized", \
            "secureTimestamp"}}; each line of output {"result": "true|false|error", …}.
            """)

    @Flag(help: "Lines of JSON on standard input; the only form there is.") var jsonLines = false
    @Flag(help: "Add the tree of the requirement with what each part saw.") var explain = false

    func run() throws {
        guard jsonLines else { throw Problem.usage("evaluate reads standard input: give --json-lines") }
        try RequirementBatch.run { request throws(CodeProblem) in
            guard let code = request.code else { throw CodeProblem(.invalidRequest, "`code` is missing") }
            guard case .requirement(let requirement) = try request.source() else {
                throw CodeProblem(.invalidRequest, "one requirement is evaluated, not a set")
            }
            let compiled = try CompiledRequirement(requirement.expression)
            let subject = RequirementSubject.apple(try code.subject())
            let result = compiled.evaluate(subject)
            let problem: CodeProblem? = if case .error(let problem) = result { problem } else { nil }
            return RequirementAnswer(
                result: result.name,
                explanation: explain ? compiled.explain(subject) : nil,
                error: problem.map(ProblemLine.init))
        }
    }
}

extension RequirementResult {
    /// `true`, `false` or `error`.
    fileprivate var name: String {
        switch self {
        case .true: "true"
        case .false: "false"
        case .error: "error"
        }
    }
}

extension String {
    /// Safe for a terminal, column by column.
    fileprivate var terminalSafeTabs: String {
        split(separator: "\t", omittingEmptySubsequences: false).map { String($0).terminalSafe }.joined(separator: "\t")
    }
}
