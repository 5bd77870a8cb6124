// SPDX-License-Identifier: Apache-2.0

// From the text of a document to its YAML tree.

internal import FlowModel
internal import Yams

/// A place in a document: line and column, both from 1.
struct Place {
    var line = 1
    var column = 1
}

extension Node {
    var place: Place { Place(mark) }
}

extension Place {
    init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}

/// Turns YAML text into a tree without aliases.
///
/// Nesting needs no check here: the YAML library refuses a thousand levels, and conditions are read down to
/// `PolicyLimits.depth`.
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

    /// The root of the only document in a text.
    static func compose(_ yaml: String) throws(Fault) -> Node {
        let limit = PolicyLimits.documentBytes.value
        guard yaml.utf8.count <= limit else {
            throw Fault(
                .tooLarge, Place(), "the document has more than \(limit) bytes: split off what it need not hold")
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
        guard let root else {
            throw Fault(.missingKey, Place(), "the document is empty: it needs `version: 1` and `rules`")
        }
        return root
    }

    /// Sixteen digits of FNV-1a, which needs no library and stays the same on every system and in every run.
    static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
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

/// Text of a document inside a message of ours.
enum Quoted {
    /// At most sixty characters, control characters replaced.
    static func short(_ text: String) -> String {
        let head = String.UnicodeScalarView(text.unicodeScalars.prefix(60).map { isControl($0) ? "\u{fffd}" : $0 })
        return String(head) + (text.unicodeScalars.count > 60 ? "…" : "")
    }

    /// Whether a terminal or a log could take it for more than text.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
        default: return false
        }
    }
}
