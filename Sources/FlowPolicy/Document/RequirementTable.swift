// SPDX-License-Identifier: Apache-2.0

// The code requirements of a policy: read once, numbered when a rule asks for them.

internal import CodeIdentity
internal import FlowModel

/// Reads the texts of `requirements` and `code`, and numbers those that rules ask.
struct RequirementTable {
    let stamp: UInt64
    /// Those that rules ask, each once.
    private(set) var asked: [PolicyRequirement] = []
    private var named: [String: (requirement: Requirement, entry: PolicyRequirement)?] = [:]
    private var numbers: [Requirement: Int] = [:]
    /// The names that rules ask for.
    private(set) var used: Set<String> = []

    init(stamp: UInt64) { self.stamp = stamp }

    /// Reads the named ones, all of them, so that a bad one is found before a rule asks for it.
    mutating func define(_ node: DocumentNode, _ reading: inout NodeReading) {
        for (name, key, value) in reading.entries(node, "`requirements`") {
            if (try? Requirement(text: name)) != nil {
                reading.note(
                    .badValue, key,
                    "a requirement cannot be called `\(Quoted.short(name))`, which is an expression: "
                        + "give it another name")
            }
            named[name] = .some(read(value, name: name, &reading))
        }
    }

    /// The requirement that a value of `code` means: a name, or an expression.
    mutating func reference(_ node: DocumentNode, _ reading: inout NodeReading) -> RequirementReference? {
        guard let text = reading.text(node, "`code`") else { return nil }
        if let entry = named[text] {
            used.insert(text)
            // A bad one has its problem where it stands.
            return entry.flatMap { number($0, title: text, node, &reading) }
        }
        // One word that is no expression was meant for a name.
        if !text.contains(" "), (try? Requirement(text: text)) == nil {
            let hint = reading.hint(text, among: named.keys.sorted())
            reading.noteMissing(
                .unknownName, node,
                "there is no requirement `\(Quoted.short(text))`.\(hint) Add it under `requirements`, or write an "
                    + "expression.")
            return nil
        }
        guard let entry = read(node, name: nil, &reading) else { return nil }
        return number(entry, title: entry.entry.title, node, &reading)
    }

    private mutating func number(
        _ entry: (requirement: Requirement, entry: PolicyRequirement), title: String, _ node: DocumentNode,
        _ reading: inout NodeReading
    ) -> RequirementReference? {
        if let number = numbers[entry.requirement] {
            return RequirementReference(policy: stamp, number: number, title: title)
        }
        guard asked.count < PolicyLimits.requirements.value else {
            reading.note(
                .tooMany, node,
                "this is more than \(PolicyLimits.requirements.value) requirements in one policy: join some with `or`")
            return nil
        }
        numbers[entry.requirement] = asked.count
        asked.append(entry.entry)
        return RequirementReference(policy: stamp, number: asked.count - 1, title: title)
    }

    private func read(
        _ node: DocumentNode, name: String?, _ reading: inout NodeReading
    ) -> (requirement: Requirement, entry: PolicyRequirement)? {
        guard let text = reading.text(node, name.map { "requirement `\(Quoted.short($0))`" } ?? "`code`") else {
            return nil
        }
        do throws(CodeProblem) {
            let requirement = try Requirement(text: text)
            let place = SourcePlace(
                file: reading.sources.name(node.place), line: node.place.line, column: node.place.column)
            let entry = PolicyRequirement(
                name: name, text: text, compiled: try CompiledRequirement(requirement.expression), place: place)
            return (requirement, entry)
        } catch {
            // To find the place walks the file up to there.
            let place =
                reading.isListFull
                ? nil : error.offset.flatMap { reading.sources.place(in: node, atByte: Int(clamping: $0)) }
            // The detail begins with the line and column within the expression, which the place already says.
            let detail =
                error.detail.hasPrefix("line ") ? error.detail.drop { $0 != ":" }.dropFirst(2) : error.detail[...]
            reading.note(
                .badRequirement, place ?? node.place,
                "this is no code requirement: \(Quoted.short(String(detail), 200)) (\(error.code.rawValue))")
            return nil
        }
    }
}

extension SourceFiles {
    /// Where a byte of a single value stands in its file.
    ///
    /// A value may be quoted, folded or indented, so the text as read is followed through the text as written. Nil when
    /// they part, at an escape that stands for another character.
    func place(in node: DocumentNode, atByte offset: Int) -> Place? {
        guard let value = node.word, texts.indices.contains(node.place.file) else { return nil }
        var place = node.place
        let lines = texts[place.file].unicodeScalars.split(
            maxSplits: place.line - 1, omittingEmptySubsequences: false
        ) { $0 == "\n" }
        guard lines.count == place.line, var written = lines.last?.dropFirst(place.column - 1) else { return nil }
        func step() {
            guard let scalar = written.popFirst() else { return }
            place =
                scalar == "\n"
                ? Place(file: place.file, line: place.line + 1, column: 1)
                : Place(file: place.file, line: place.line, column: place.column + 1)
        }
        if let first = written.first, first == "|" || first == ">" {
            while let next = written.first, next != "\n" { step() }
        }
        var bytes = 0
        for scalar in value.unicodeScalars {
            let isReached = bytes >= offset
            bytes += String(scalar).utf8.count
            if scalar.properties.isWhitespace { continue }
            while let next = written.first, next != scalar,
                next.properties.isWhitespace || "'\"\\".unicodeScalars.contains(next)
            {
                step()
            }
            guard written.first == scalar else { return nil }
            if isReached { return place }
            step()
        }
        return place
    }
}
