// SPDX-License-Identifier: Apache-2.0

// weir policy diff: which flows another policy would decide otherwise.

import ArgumentParser
import EngineAssembly
import FlowPolicy
import Foundation

struct PolicyDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say which recorded flows a new policy would decide otherwise.",
        discussion: """
            Flows are what `weir events list --format json` prints, or descriptions as `weir policy explain` reads \
            them, one JSON object a line. Exit status 1 when a flow would be decided otherwise.
            """)

    @Argument(help: "The policy that was: a file, or a preset.") var old: String
    @Argument(help: "The policy that is to be.") var new: String
    @Option(help: "Lines of JSON, or - for standard input.") var flows: String
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() throws {
        let name = flows == "-" ? "standard input" : flows
        var diff = PolicyDiff(
            from: try PolicySource.load(old), to: try PolicySource.load(new), file: name, PolicySource.context())
        let descriptor = flows == "-" ? STDIN_FILENO : Foundation.open(flows, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Problem.refused("\(flows): cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        guard FileKind(descriptor: descriptor) != .folder else {
            throw Problem.refused("\(name): a folder: name a file of JSON lines, or - for standard input")
        }
        var lines = InputLines(descriptor: descriptor, limit: ProgramLimits.inputLine)
        var number = 0
        while let line = lines.next() {
            number += 1
            switch line {
            case .success(let bytes):
                if bytes.contains(where: { $0 > 0x20 }) {
                    diff.add(line: String(decoding: bytes, as: UTF8.self), number: number)
                }
            case .failure(let problem): diff.skip(line: number, problem.text)
            }
        }
        print(format == .json ? diff.jsonLines : diff.text)
        // Where no line could be used, nothing was compared, and that must not look like no change.
        if diff.changed > 0 || (diff.flows == 0 && diff.unusable > 0) { throw ExitCode(1) }
    }
}
