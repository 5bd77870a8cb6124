// SPDX-License-Identifier: Apache-2.0

// Reads keys, texts, lists and choices out of YAML nodes and notes what is wrong with them.

internal import FlowModel
internal import Yams

/// The problems found so far, and the ways to find more.
///
/// A method that returns nil has noted why, so that its caller can go on with the rest of the document.
struct NodeReading {
    let file: String
    private(set) var problems: [PolicyProblem] = []
    private(set) var unlisted = 0

    init(file: String) { self.file = file }

    /// The keys of a mapping with their values, and where the mapping starts.
    struct Fields {
        let node: Node
        fileprivate(set) var values: [String: (key: Node, value: Node)] = [:]

        subscript(_ key: String) -> Node? { values[key]?.value }
        /// Where a key stands; the mapping itself when it does not.
        func key(_ key: String) -> Node { values[key]?.key ?? node }
    }

    mutating func note(_ code: PolicyProblem.Code, _ place: Place, _ message: String) {
        guard problems.count < PolicyLimits.problems.value else {
            unlisted += 1
            return
        }
        problems.append(
            PolicyProblem(
                code: code, file: file, line: place.line, column: place.column, message: message))
    }

    mutating func note(_ code: PolicyProblem.Code, _ node: Node, _ message: String) { note(code, node.place, message) }

    /// What was probably meant.
    ///
    /// Nothing once nobody will read it: a megabyte of wrong words takes long to compare.
    func hint(_ word: String, among candidates: [String]) -> String {
        problems.count < PolicyLimits.problems.value ? NearMiss.hint(word, among: candidates) : ""
    }

    /// How many problems there are, the unlisted included.
    var count: Int { problems.count + unlisted }

    /// All problems in the order of the document.
    var outcome: PolicyProblems {
        PolicyProblems(
            problems: problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }, unlisted: unlisted)
    }

    /// The fields of a mapping; notes keys that are not among `known`, those in `planned` with a word of their own.
    mutating func fields(
        _ node: Node, _ what: String, known: [String], planned: [String] = []
    ) -> Fields? {
        guard case .mapping(let mapping) = node else {
            note(.wrongType, node, "\(what) must be a mapping of keys to values: \(Self.list(known))")
            return nil
        }
        guard isUntagged(mapping.tag, node) else { return nil }
        var fields = Fields(node: node)
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                note(.wrongType, key, "a key of \(what) must be a word: \(Self.list(known))")
                continue
            }
            if known.contains(scalar.string) {
                fields.values[scalar.string] = (key, value)
            } else if planned.contains(scalar.string) {
                note(.notBuilt, key, "`\(scalar.string)` is planned and not built yet: take it out")
            } else {
                let hint = hint(scalar.string, among: known + planned)
                note(
                    .unknownKey, key,
                    "\(what) has no key `\(Quoted.short(scalar.string))`.\(hint) It has \(Self.list(known)).")
            }
        }
        return fields
    }

    /// The text of a scalar as it is written; `off` and `443` are texts too.
    mutating func text(_ node: Node, _ what: String) -> String? {
        guard case .scalar(let scalar) = node else {
            note(.wrongType, node, "\(what) must be a single value")
            return nil
        }
        guard isUntagged(scalar.tag, node) else { return nil }
        let empty = scalar.string.isEmpty || (scalar.style == .plain && ["~", "null"].contains(scalar.string))
        if empty {
            note(.wrongType, node, "\(what) is empty: give it a value, or leave the key out")
            return nil
        }
        return scalar.string
    }

    /// A text for people of at most `limit` characters on one line.
    mutating func line(_ node: Node, _ what: String, _ limit: Limit) -> String? {
        guard let text = text(node, what) else { return nil }
        guard text.count <= limit.value, !text.unicodeScalars.contains(where: Quoted.isControl) else {
            note(.badValue, node, "\(what) must be one line of at most \(limit.value) printable characters")
            return nil
        }
        return text
    }

    /// The nodes of a sequence, or the node itself when it is a single value.
    mutating func list(_ node: Node, _ what: String) -> [Node] {
        guard case .sequence(let sequence) = node else { return [node] }
        if sequence.isEmpty { note(.wrongType, node, "\(what) is an empty list: list something, or leave the key out") }
        return isUntagged(sequence.tag, node) ? Array(sequence) : []
    }

    /// One of a few words.
    mutating func choice<Choice: RawRepresentable<String>>(
        _ node: Node, _ what: String, of choices: [Choice], planned: [String] = []
    ) -> Choice? {
        guard let text = text(node, what) else { return nil }
        let words = choices.map(\.rawValue)
        if let choice = choices.first(where: { $0.rawValue == text }) { return choice }
        if planned.contains(text) {
            note(.notBuilt, node, "`\(text)` is planned and not built yet: \(what) can be \(Self.list(words))")
        } else {
            let hint = hint(text, among: words + planned)
            note(.badValue, node, "\(what) cannot be `\(Quoted.short(text))`.\(hint) It can be \(Self.list(words)).")
        }
        return nil
    }

    mutating func choices<Choice: RawRepresentable<String>>(
        _ node: Node, _ what: String, of choices: [Choice]
    ) -> [Choice] {
        list(node, what).compactMap { choice($0, what, of: choices) }
    }

    mutating func boolean(_ node: Node, _ what: String) -> Bool? {
        guard let text = text(node, what) else { return nil }
        guard text == "true" || text == "false" else {
            note(.badValue, node, "\(what) must be `true` or `false`")
            return nil
        }
        return text == "true"
    }

    static func list(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }

    /// Refuses tags such as `!include`, which would otherwise be dropped without a word.
    private mutating func isUntagged(_ tag: Tag, _ node: Node) -> Bool {
        let name = tag.description
        if name.isEmpty || name == "!" || name.hasPrefix("tag:yaml.org,2002:") { return true }
        note(.tag, node, "the tag `\(Quoted.short(name))` is not read here: write the value itself")
        return false
    }
}
