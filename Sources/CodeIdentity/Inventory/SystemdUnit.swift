// SPDX-License-Identifier: Apache-2.0

// Which programs a systemd unit starts (systemd.syntax(7), systemd.service(5)).

import FlowModel

/// The parts of a unit file that say what runs.
struct SystemdUnit {
    /// The executables of all `Exec…=` lines, in order, without duplicates.
    ///
    /// A name without a slash is for the service manager to look up.
    private(set) var programs: [String] = []
    private(set) var problems: [String] = []

    private static let keys: Set<String> = [
        "ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost",
    ]

    /// Reads a unit file, then its drop-ins in their order.
    ///
    /// An empty assignment takes back what was assigned before, which is how a drop-in replaces the packaged command.
    init(_ files: [[UInt8]]) {
        var commands: [String: [(place: Int, text: String)]] = [:]
        var place = 0
        for file in files {
            Self.readAssignments(file) { key, value in
                if value.isEmpty {
                    commands[key] = nil
                } else {
                    commands[key, default: []].append((place, value))
                    place += 1
                }
            }
        }
        var seen: Set<String> = []
        for command in commands.values.joined().sorted(by: { $0.place < $1.place }) {
            for program in Self.programs(of: command.text) where seen.insert(program).inserted {
                if program.contains("%") || program.contains("$") {
                    guard problems.count < CodeIdentityLimits.inventoryProblems.value else { continue }
                    problems.append("the command \(program) is only known when the unit runs")
                } else {
                    programs.append(program)
                }
            }
        }
    }

    /// Gives the command lines of the section `[Service]`, and the empty assignments.
    private static func readAssignments(_ file: [UInt8], _ give: (_ key: String, _ value: String) -> Void) {
        var isService = false
        var held = ""
        for raw in file.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let line = trimmed(String(decoding: raw, as: UTF8.self))
            // A comment inside a continued line is dropped and the line goes on; an empty line ends it.
            if line.hasPrefix("#") || line.hasPrefix(";") || (line.isEmpty && held.isEmpty) { continue }
            if line.hasSuffix("\\") {
                held += line.dropLast() + " "
                continue
            }
            let whole = held + line
            held = ""
            if whole.hasPrefix("[") {
                isService = whole == "[Service]"
                continue
            }
            guard isService, let equals = whole.firstIndex(of: "=") else { continue }
            let key = trimmed(String(whole[..<equals]))
            if keys.contains(key) { give(key, trimmed(String(whole[whole.index(after: equals)...]))) }
        }
    }

    /// The executables of a command line: the first word after the prefixes `@`, `-`, `:`, `+`, `!`, `|`, and the one
    /// after each `;` that stands by itself.
    private static func programs(of line: String) -> [String] {
        var programs: [String] = []
        var isFirst = true
        for word in words(of: line) {
            if isFirst {
                let program = word.drop { "@-:+!|".contains($0) }
                if !program.isEmpty { programs.append(String(program)) }
            }
            isFirst = word == ";"
        }
        return programs
    }

    private static func words(of line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == " " || character == "\t" {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    private static func trimmed(_ text: String) -> String {
        let spaces: Set<Character> = [" ", "\t", "\r"]
        return String(text.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed())
    }
}
