// SPDX-License-Identifier: Apache-2.0

// Reads keys, texts, lists and choices out of nodes and notes what is wrong with them.

internal import FlowModel

/// The problems found so far, and the ways to find more.
///
/// A method that returns nil has noted why, so that its caller can go on with the rest of the document.
struct NodeReading {
    var sources: SourceFiles
    private(set) var problems: [(place: Place, problem: PolicyProblem)] = []
    private(set) var unlisted = 0
    /// Whether a file could not be read, so that what seems to be missing may stand there.
    var isIncomplete = false

    init(_ sources: SourceFiles) { self.sources = sources }

    /// A reading of one text that names no other file.
    init(file: String, _ text: String) {
        sources = SourceFiles(nil)
        _ = sources.add(file, path: file, text)
    }

    /// The keys of a mapping with their values, and where the mapping starts.
    struct Fields {
        let node: DocumentNode
        fileprivate(set) var values: [String: DocumentNode.Pair] = [:]

        subscript(_ key: String) -> DocumentNode? { values[key]?.value }
        /// Where a key stands; the mapping itself when it does not.
        func key(_ key: String) -> DocumentNode { values[key]?.key ?? node }
    }

    mutating func note(_ code: PolicyProblem.Code, _ place: Place, _ message: String) {
        guard !isListFull else {
            unlisted += 1
            return
        }
        let problem = PolicyProblem(
            code: code, file: sources.name(place), line: place.line, column: place.column, message: message)
        problems.append((place, problem))
    }

    mutating func note(_ code: PolicyProblem.Code, _ node: DocumentNode, _ message: String) {
        note(code, node.place, message)
    }

    /// Notes that something is not there; silent when it may stand in a file that could not be read.
    mutating func noteMissing(_ code: PolicyProblem.Code, _ node: DocumentNode, _ message: String) {
        if !isIncomplete { note(code, node, message) }
    }

    /// What was probably meant.
    ///
    /// Nothing once nobody will read it: a megabyte of wrong words takes long to compare, and to sort the candidates
    /// for each of them takes longer.
    func hint<Candidates: Sequence<String>>(_ word: String, among candidates: @autoclosure () -> Candidates) -> String {
        isListFull ? "" : NearMiss.hint(word, among: candidates())
    }

    /// Whether further problems are only counted, so that nothing need be found out for their words.
    var isListFull: Bool { problems.count >= PolicyLimits.problems.value }

    /// How many problems there are, the unlisted included.
    var count: Int { problems.count + unlisted }

    /// All problems in the order of the files and of what stands in them.
    var outcome: PolicyProblems {
        let ordered = problems.sorted {
            ($0.place.file, $0.place.line, $0.place.column) < ($1.place.file, $1.place.line, $1.place.column)
        }
        return PolicyProblems(problems: ordered.map(\.problem), unlisted: unlisted)
    }

    /// The fields of a mapping; notes keys that are not among `known`.
    mutating func fields(_ node: DocumentNode, _ what: String, known: [String]) -> Fields? {
        guard let pairs = pairs(node, what, "must be a mapping of keys to values: \(Self.list(known))") else {
            return nil
        }
        var fields = Fields(node: node)
        for (key, value) in pairs {
            guard let word = key.word else {
                note(.wrongType, key, "a key of \(what) must be a word: \(Self.list(known))")
                continue
            }
            if known.contains(word) {
                fields.values[word] = (key, value)
            } else {
                let hint = hint(word, among: known)
                note(
                    .unknownKey, key,
                    "\(what) has no key `\(Quoted.short(word))`.\(hint) It has \(Self.list(known)).")
            }
        }
        return fields
    }

    /// The entries of a mapping from names, which the document chooses, to values.
    mutating func entries(
        _ node: DocumentNode, _ what: String
    ) -> [(name: String, key: DocumentNode, value: DocumentNode)] {
        guard let pairs = pairs(node, what, "must be a mapping of names to values") else { return [] }
        if pairs.isEmpty { note(.wrongType, node, "\(what) is empty: name something, or leave the key out") }
        return pairs.compactMap { key, value in
            line(key, "a name in \(what)", PolicyLimits.nameCharacters).map { ($0, key, value) }
        }
    }

    private mutating func pairs(_ node: DocumentNode, _ what: String, _ advice: String) -> [DocumentNode.Pair]? {
        if case .mapping(let pairs) = node.content { return pairs }
        if isUntagged(node) { note(.wrongType, node, "\(what) \(advice)") }
        return nil
    }

    /// The text of a single value as it is written; `off` and `443` are texts too.
    mutating func text(_ node: DocumentNode, _ what: String) -> String? {
        guard isUntagged(node) else { return nil }
        guard let text = node.word else {
            note(.wrongType, node, "\(what) must be a single value")
            return nil
        }
        guard !text.isEmpty, !node.isNull else {
            note(.wrongType, node, "\(what) is empty: give it a value, or leave the key out")
            return nil
        }
        return text
    }

    /// A text for people of at most `limit` characters on one line.
    mutating func line(_ node: DocumentNode, _ what: String, _ limit: Limit) -> String? {
        guard let text = text(node, what) else { return nil }
        guard text.count <= limit.value, !text.unicodeScalars.contains(where: Quoted.isControl) else {
            note(.badValue, node, "\(what) must be one line of at most \(limit.value) printable characters")
            return nil
        }
        return text
    }

    /// The nodes of a list, or the node itself when it is a single value.
    mutating func list(_ node: DocumentNode, _ what: String) -> [DocumentNode] {
        guard case .list(let items) = node.content else { return [node] }
        if items.isEmpty { note(.wrongType, node, "\(what) is an empty list: list something, or leave the key out") }
        return items
    }

    /// One of a few words.
    mutating func choice<Choice: RawRepresentable<String>>(
        _ node: DocumentNode, _ what: String, of choices: [Choice], planned: [String] = []
    ) -> Choice? {
        guard let text = word(node, what, of: choices.map(\.rawValue), planned: planned) else { return nil }
        return choices.first { $0.rawValue == text }
    }

    /// One of a few words, as text.
    mutating func word(
        _ node: DocumentNode, _ what: String, of words: [String], planned: [String] = []
    ) -> String? {
        guard let text = text(node, what) else { return nil }
        if words.contains(text) { return text }
        if planned.contains(text) {
            note(.notBuilt, node, "`\(text)` is planned and not built yet: \(what) can be \(Self.list(words))")
        } else {
            let hint = hint(text, among: words + planned)
            note(.badValue, node, "\(what) cannot be `\(Quoted.short(text))`.\(hint) It can be \(Self.list(words)).")
        }
        return nil
    }

    mutating func choices<Choice: RawRepresentable<String>>(
        _ node: DocumentNode, _ what: String, of choices: [Choice]
    ) -> [Choice] {
        list(node, what).compactMap { choice($0, what, of: choices) }
    }

    mutating func boolean(_ node: DocumentNode, _ what: String) -> Bool? {
        guard let text = text(node, what) else { return nil }
        guard text == "true" || text == "false" else {
            note(.badValue, node, "\(what) must be `true` or `false`")
            return nil
        }
        return text == "true"
    }

    /// A whole number with a unit behind it, such as `30d`; the unit may be empty.
    mutating func number(
        _ node: DocumentNode, _ what: String, units: [(suffix: String, factor: Int)] = [("", 1)],
        in range: ClosedRange<Int>
    ) -> Int? {
        guard let text = text(node, what) else { return nil }
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let count = Decimal.number(text.dropLast(suffix.count)) else { continue }
            let (value, overflow) = count.multipliedReportingOverflow(by: factor)
            if !overflow, range.contains(value) { return value }
        }
        let written = units.map {
            "\(range.lowerBound / $0.factor)\($0.suffix) to \(range.upperBound / $0.factor)\($0.suffix)"
        }
        note(
            .badValue, node,
            "\(what) cannot be `\(Quoted.short(text))`: write a whole number, \(written.joined(separator: " or "))")
        return nil
    }

    static func list(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }

    /// Refuses tags such as `!include`.
    private mutating func isUntagged(_ node: DocumentNode) -> Bool {
        guard case .tagged(let tag) = node.content else { return true }
        note(.tag, node, "the tag `\(Quoted.short(tag))` is not read here: write the value itself")
        return false
    }
}

/// Numbers in decimal digits, and nothing else.
enum Decimal {
    /// Nil for a sign, a space, no digit at all, or a number that is too large.
    static func number<Number: FixedWidthInteger>(_ text: some StringProtocol, as: Number.Type = Int.self) -> Number? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Number(text) : nil
    }
}
