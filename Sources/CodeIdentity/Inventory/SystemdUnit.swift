// SPDX-License-Identifier: Apache-2.0

// Which programs a systemd unit starts (systemd.syntax(7), systemd.service(5)).

/// The parts of a unit file that say what runs.
struct SystemdUnit {
    /// The executables of all `Exec…=` lines and their first argument, in order, without duplicates.
    private(set) var programs: [String] = []
    private(set) var problems: [String] = []

    private static let keys: Set<String> = [
        "ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost",
    ]

    /// Reads a unit file, then its drop-ins in their order.
    ///
    /// An empty assignment takes back what was assigned before, which is how a drop-in replaces the packaged command.
    init(_ files: [[UInt8]]) {
        var commands: [(key: String, program: String)] = []
        for file in files {
            var isService = false
            var held = ""
            for raw in file.split(separator: 0x0a, omittingEmptySubsequences: false) {
                let line = String(decoding: raw, as: UTF8.self)
                let trimmed = Self.trimmed(line)
                if held.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") {
                    // A comment inside a continued line is dropped and the line goes on.
                    if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
                }
                if trimmed.hasSuffix("\\") {
                    held += trimmed.dropLast() + " "
                    continue
                }
                let whole = held + trimmed
                held = ""
                if whole.hasPrefix("[") {
                    isService = whole == "[Service]"
                    continue
                }
                guard isService, let equals = whole.firstIndex(of: "=") else { continue }
                let key = Self.trimmed(String(whole[..<equals]))
                guard Self.keys.contains(key) else { continue }
                let value = Self.trimmed(String(whole[whole.index(after: equals)...]))
                if value.isEmpty {
                    commands.removeAll { $0.key == key }
                } else if let program = program(of: value) {
                    commands.append((key, program))
                }
            }
        }
        for command in commands where !programs.contains(command.program) { programs.append(command.program) }
    }

    /// The executable of a command line: the first word after the prefixes `@`, `-`, `:`, `+`, `!`, `|`.
    private mutating func program(of command: String) -> String? {
        let text = command.drop { "@-:+!|".contains($0) }
        var word = ""
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == " " || character == "\t" {
                break
            } else {
                word.append(character)
            }
        }
        if word.contains("%") || word.contains("$") {
            problems.append("the command \(word) is only known when the unit runs")
            return nil
        }
        if word.hasPrefix("/") { return word }
        // systemd looks a bare name up in a fixed path; which one it finds depends on the system that runs it.
        return word.isEmpty ? nil : "/usr/bin/\(word)"
    }

    private static func trimmed(_ text: String) -> String {
        let spaces: Set<Character> = [" ", "\t", "\r"]
        return String(text.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed())
    }
}
