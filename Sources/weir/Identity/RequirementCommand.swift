// SPDX-License-Identifier: Apache-2.0

// weir requirement: the code signing requirement language, in text and in Apple's binary form.

import ArgumentParser
import CodeIdentity
import EngineAssembly
import FlowModel
import Foundation

struct RequirementCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requirement", abstract: "Compile, read, check and evaluate code signing requirements.",
        subcommands: [Compile.self, Decompile.self, Explain.self, RequirementCheck.self, RequirementEvaluate.self])

    struct Compile: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "From text to Apple's binary form, in hexadecimal.",
            discussion: """
                With --json-lines each line of standard input is {"text": …, "entry": "requirement|set|either"} and each \
                line of output {"hex": …, "canonical": …} or {"error": {"code": …, "message": …, "offset": …}}.
                """)

        @Argument(help: "The requirement or the set of requirements.") var text: String?
        @Option(help: "requirement, set, or either.") var entry = "either"
        @Option(help: "Write the binary form to this file instead.") var output: String?
        @Flag(help: "Answer lines of JSON on standard input.") var jsonLines = false

        func run() throws {
            if jsonLines {
                return try RequirementBatch.run { request throws(CodeProblem) in
                    let source = try request.source()
                    return RequirementAnswer(hex: try source.hex(), canonical: source.text)
                }
            }
            guard let text else { throw Problem.usage("give a requirement, or --json-lines") }
            guard let entry = RequirementSource.Entry(rawValue: entry) else {
                throw Problem.usage("--entry \(entry): one of requirement, set, either")
            }
            try RequirementText.told {
                let source = try RequirementSource.read(text: text, entry: entry)
                guard let output else { return print(try source.hex()) }
                let blob = Data(try source.appleBlob())
                do { try blob.write(to: URL(filePath: output), options: .atomic) } catch {
                    throw Problem.refused("\(output): cannot be written: \(error.localizedDescription)")
                }
            }
        }
    }

    struct Decompile: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "From Apple's binary form to text.",
            discussion: """
                The text can be read back; with --apple it is what Apple's tool prints, which cannot always.
                With --json-lines each line of standard input is {"hex": …}.
                """)

        @Argument(help: "Hexadecimal digits, or a file that holds the binary form.") var blob: String?
        @Flag(help: "Print as Apple's csreq does.") var apple = false
        @Flag(help: "Answer lines of JSON on standard input.") var jsonLines = false

        func run() throws {
            if jsonLines {
                return try RequirementBatch.run { request throws(CodeProblem) in
                    let source = try request.source()
                    return RequirementAnswer(
                        hex: try source.hex(), canonical: source.text, apple: source.appleText,
                        remarks: source.problems.map(ProblemLine.init))
                }
            }
            guard let blob else { throw Problem.usage("give hexadecimal digits or a file, or --json-lines") }
            try RequirementText.told {
                let bytes = try (try? RequirementHex.bytes(blob)) ?? Self.file(blob)
                let source = try RequirementSource.read(blob: bytes)
                let text = apple ? source.appleText : source.text
                print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
                for problem in source.problems { FileDescriptorText.standardError("weir: note: \(problem)\n") }
            }
        }

        private static func file(_ path: String) throws(CodeProblem) -> [UInt8] {
            let file = try FileBytes(path: path)
            guard file.count <= UInt64(CodeIdentityLimits.requirementBlob.value) else {
                throw CodeProblem(.limit, "\(path) is too long for a requirement")
            }
            return try file.read(at: 0, count: Int(file.count))
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a requirement means, and what is weak about it.")

        @Argument(help: "The requirement.") var text: String

        func run() throws {
            try RequirementText.told {
                let requirement = try Requirement(text: text)
                print(RequirementMeaning.lines(requirement.expression).joined(separator: "\n"))
                for weakness in RequirementWeakness.all(of: requirement.expression) { print("weak: \(weakness)") }
            }
        }
    }
}

enum RequirementText {
    /// Runs it; a problem becomes the one line that the user sees.
    static func told(_ work: () throws -> Void) throws {
        do { try work() } catch let problem as CodeProblem { throw Problem.refused("\(problem)") }
    }
}

extension RequirementSource {
    /// What is odd although it can be read.
    var problems: [CodeProblem] {
        switch self {
        case .requirement(let requirement): requirement.problems
        case .set(let set): set.problems
        }
    }
}
