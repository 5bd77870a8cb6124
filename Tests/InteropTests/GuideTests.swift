// SPDX-License-Identifier: Apache-2.0

// Runs the administrator's guide: its files are written, its commands typed, its answers compared.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Guide {
        @Test("Every command of the administrator's guide answers as the guide says")
        func guide() throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let text = try String(contentsOf: root.appending(path: "docs/administrators-guide.md"), encoding: .utf8)
            let folder = try TemporaryFolder()
            var commands = 0
            for block in GuideBlock.all(in: text) {
                switch block.kind {
                case .file(let name):
                    try folder.write(block.body, to: name)
                case .session:
                    for (command, expected) in block.exchanges {
                        commands += 1
                        let answer = try run(command, in: folder.path)
                        #expect(GuideBlock.matches(answer, expected), "$ \(command)\n\(answer)")
                    }
                }
            }
            #expect(commands >= 15)
        }

        /// What a shell prints, errors included, with the exit status as a last line when it is not 0.
        private func run(_ command: String, in folder: String) throws -> String {
            let weir = URL(filePath: try WeirProgram.path()).deletingLastPathComponent().path
            let script = "cd '\(folder)' && export PATH='\(weir)':$PATH HOME='\(folder)' && { \(command)\n} 2>&1"
            let result = try Program("/bin/sh", ["-c", script]).run(within: 60)
            return result.text + (result.status == 0 ? "" : "(exit status \(result.status))\n")
        }
    }
}

/// A fenced block of the guide that does something.
struct GuideBlock {
    enum Kind {
        /// Fenced as `yaml NAME` and the like: a file to be written.
        case file(String)
        /// Fenced as `console`: commands after `$ `, and what they print.
        case session
    }

    var kind: Kind
    var body: String

    /// The blocks in order; fences without a file name and other than `console` are only for reading.
    static func all(in text: String) -> [GuideBlock] {
        var blocks: [GuideBlock] = []
        var open: (kind: Kind?, lines: [Substring])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let block = open {
                if line == "```" {
                    let body = block.lines.map { $0 + "\n" }.joined()
                    if let kind = block.kind { blocks.append(GuideBlock(kind: kind, body: body)) }
                    open = nil
                } else {
                    open?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                let words = line.dropFirst(3).split(separator: " ")
                let kind: Kind? = words == ["console"] ? .session : words.count == 2 ? .file(String(words[1])) : nil
                open = (kind, [])
            }
        }
        return blocks
    }

    /// The commands of a session, each with what it prints.
    var exchanges: [(command: String, expected: String)] {
        var exchanges: [(command: String, expected: String)] = []
        for line in body.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("$ ") {
                exchanges.append((String(line.dropFirst(2)), ""))
            } else if !exchanges.isEmpty {
                exchanges[exchanges.count - 1].expected += line + "\n"
            }
        }
        return exchanges
    }

    /// Whether an answer is what the guide shows; there `…` stands for any text, and alone on a line for any lines.
    static func matches(_ answer: String, _ expected: String) -> Bool {
        let parts = expected.components(separatedBy: "…")
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return answer == expected }
        guard answer.hasPrefix(first) else { return false }
        var rest = answer.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            guard let found = rest.range(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
