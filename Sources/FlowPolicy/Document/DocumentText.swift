// SPDX-License-Identifier: Apache-2.0

// From the text of a document to its YAML tree.

internal import FlowModel
internal import Yams

/// Turns YAML text into a tree without aliases.
///
/// The YAML library itself refuses a thousand levels, so that walking its tree is safe.
enum DocumentText {
    /// What is wrong with the text as a whole, and where.
    struct Fault: Error {
        var code: PolicyProblem.Code
        var place: Place
        var message: String

        init(_ code: PolicyProblem.Code, _ place: Place, _ message: String) {
            self.code = code
            self.place = place
            self.message = message
        }
    }

    /// The root of the only document in a text; `file` is what its places carry.
    static func compose(_ yaml: String, file: Int) throws(Fault) -> DocumentNode {
        let limit = PolicyLimits.documentBytes.value
        guard yaml.utf8.count <= limit else {
            throw Fault(
                .tooLarge, Place(), "the document has more than \(limit) bytes: put its hosts into files under `lists`")
        }
        try refuseAliases(yaml)
        let root: Node?
        do {
            // The default encoding asks the environment, and prints.
            root = try Parser(yaml: yaml, resolver: .basic, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw fault(error)
        } catch {
            throw Fault(.syntax, Place(), "this is not YAML")
        }
        guard let root else { throw Fault(.missingKey, Place(), "the document is empty: it needs `version: 1`") }
        return try tree(root, file, depth: 1)
    }

    private static func tree(_ node: Node, _ file: Int, depth: Int) throws(Fault) -> DocumentNode {
        var place = Place(node.mark)
        place.file = file
        guard depth <= PolicyLimits.nesting.value else {
            throw Fault(
                .tooDeep, place, "values are nested deeper than \(PolicyLimits.nesting.value): nothing needs that")
        }
        let tag = node.tag.description
        guard tag.isEmpty || tag == "!" || tag.hasPrefix("tag:yaml.org,2002:") else {
            return DocumentNode(content: .tagged(tag), place: place)
        }
        switch node {
        case .scalar(let scalar):
            return DocumentNode(content: .text(scalar.string, isPlain: scalar.style == .plain), place: place)
        case .sequence(let sequence):
            var items: [DocumentNode] = []
            items.reserveCapacity(sequence.count)
            for item in sequence { items.append(try tree(item, file, depth: depth + 1)) }
            return DocumentNode(content: .list(items), place: place)
        case .mapping(let mapping):
            var pairs: [DocumentNode.Pair] = []
            for (key, value) in mapping {
                pairs.append((try tree(key, file, depth: depth + 1), try tree(value, file, depth: depth + 1)))
            }
            return DocumentNode(content: .mapping(pairs), place: place)
        case .alias: throw Fault(.alias, place, "an alias is not read here: write the value out")
        }
    }

    /// Refuses `*name` where `&name` stands somewhere too.
    ///
    /// The YAML library puts a copy of the anchored value in the place of each alias, so that a few lines grow into a
    /// tree of any size; it must not see them. A `*` or `&` inside a word is neither, and YAML itself refuses an alias
    /// without an anchor.
    private static func refuseAliases(_ yaml: String) throws(Fault) {
        var anchors: Set<Substring> = []
        var aliases: [(name: Substring, place: Place)] = []
        var place = Place()
        var before = UInt8(ascii: " ")
        let bytes = yaml.utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            let after = bytes.index(after: index)
            if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), !isInsideWord(before) {
                let name = Substring(bytes[after...].prefix(while: isNameByte))
                if !name.isEmpty, byte == UInt8(ascii: "&") { anchors.insert(name) }
                if !name.isEmpty, byte == UInt8(ascii: "*") { aliases.append((name, place)) }
            }
            if byte == UInt8(ascii: "\n") {
                place = Place(line: place.line + 1, column: 1)
            } else if byte & 0xc0 != 0x80 {
                place.column += 1
            }
            before = byte
            index = after
        }
        if let alias = aliases.first(where: { anchors.contains($0.name) }) {
            throw Fault(
                .alias, alias.place, "`*\(alias.name)` repeats an anchor, which is not read here: write the value out")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"): return true
        default: return false
        }
    }

    private static func isInsideWord(_ before: UInt8) -> Bool {
        switch before {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."): return true
        default: return false
        }
    }

    private static func fault(_ error: YamlError) -> Fault {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            if context?.text.contains("scanning an alias") == true {
                return Fault(
                    .syntax, Place(mark), "a value that begins with `*` must stand in quotes: \"*.example.com\"")
            }
            let around = context.map { " \($0.text) from line \($0.mark.line)" } ?? ""
            return Fault(.syntax, Place(mark), "YAML cannot be read here\(around): \(problem)")
        case .composer(let context, let problem, let mark, _):
            let around = context.map { "\($0.text) " } ?? ""
            return Fault(.syntax, Place(mark), "YAML cannot be read here: \(around)\(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.sorted().map { "`\(Quoted.short($0))`" }.joined(separator: ", ")
            return Fault(.duplicateKey, Place(context.mark), "\(keys) stands twice in this mapping: keep one of them")
        case .reader(let problem, let offset, _, let yaml):
            let lines = yaml.prefix(offset ?? 0).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            let place = Place(line: max(1, lines.count), column: (lines.last?.unicodeScalars.count ?? 0) + 1)
            return Fault(.syntax, place, "YAML does not allow this character: \(problem)")
        default:
            return Fault(.syntax, Place(), "this is not YAML")
        }
    }
}

extension Place {
    fileprivate init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}

/// Text of a document inside a message of ours.
enum Quoted {
    /// At most so many characters, control characters replaced.
    static func short(_ text: String, _ count: Int = 60) -> String {
        let head = String.UnicodeScalarView(text.unicodeScalars.prefix(count).map { isControl($0) ? "\u{fffd}" : $0 })
        return String(head) + (text.unicodeScalars.dropFirst(count).isEmpty ? "" : "…")
    }

    /// Whether a terminal or a log could take it for more than text.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
        default: return false
        }
    }
}
