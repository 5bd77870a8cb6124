// SPDX-License-Identifier: Apache-2.0

// A Content-Type and what it says about editing.

import FlowModel

/// A parsed Content-Type (RFC 9110 section 8.3).
struct MediaType {
    /// `type/subtype` in lower case.
    let essence: String
    private let parameters: [String: String]

    /// Reads a field value; what cannot be read has an essence that no rule knows.
    init(_ value: some StringProtocol) {
        var rest = Substring(value)
        essence = Self.trimmed(rest.prefix { $0 != ";" }).lowercased()
        rest = rest.drop { $0 != ";" }
        var parameters: [String: String] = [:]
        while rest.first == ";" {
            rest = rest.dropFirst()
            let name = Self.trimmed(rest.prefix { $0 != "=" && $0 != ";" }).lowercased()
            rest = rest.drop { $0 != "=" && $0 != ";" }
            var text = ""
            if rest.first == "=" {
                rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
                if rest.first == "\"" {
                    rest = rest.dropFirst()
                    while let next = rest.popFirst(), next != "\"" { text.append(next == "\\" ? rest.popFirst() ?? next : next) }
                } else {
                    text = String(Self.trimmed(rest.prefix { $0 != ";" }))
                }
                rest = rest.drop { $0 != ";" }
            }
            // Of two equal names parsers take either, so neither can be believed.
            parameters[name] = parameters[name] == nil ? text : ""
        }
        self.parameters = parameters
    }

    subscript(name: String) -> String? { parameters[name] }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}

/// How a body or a part of one is to be treated.
enum BodyKind: Equatable {
    /// Editable as long as its first bytes look like text; `isUTF8` says whether they must be UTF-8.
    case text(isJSON: Bool, isUTF8: Bool)
    case multipart(boundary: String)
    case opaque

    /// Text in what is nearly always UTF-8.
    static let plain = BodyKind.text(isJSON: false, isUTF8: true)

    /// A missing type is text until its bytes say otherwise.
    init(_ value: (some StringProtocol)?) {
        guard let value else {
            self = .plain
            return
        }
        let type = MediaType(value)
        let halves = type.essence.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let first = halves.first, let second = halves.last else {
            self = .opaque
            return
        }
        if first == "multipart" {
            // Signed and encrypted parts are covered by what we cannot recompute (RFC 1847).
            let isBroken = second == "signed" || second == "encrypted"
            self = type["boundary"].flatMap { isBroken ? nil : Self.multipart($0) } ?? .opaque
            return
        }
        let isText =
            first == "text" || second.hasSuffix("+json") || second.hasSuffix("+xml")
            || (first == "application" && Self.applications.contains(second))
        guard isText, let isUTF8 = Self.isUTF8(type["charset"]) else {
            self = .opaque
            return
        }
        self = .text(isJSON: second == "json" || second.hasSuffix("+json"), isUTF8: isUTF8)
    }

    private static func multipart(_ boundary: String) -> BodyKind? {
        let bytes = boundary.utf8
        // Outside this set (RFC 2046 section 5.1.1, and what clients add) peers may cut the body in other places.
        let isSafe = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f || $0 == 0x20 } && bytes.last != 0x20
        return isSafe && (1...ContentLimits.boundary.value).contains(bytes.count) ? .multipart(boundary: boundary) : nil
    }

    private static let applications: Set<Substring> = [
        "json", "x-ndjson", "ndjson", "jsonl", "json-seq", "xml", "xml-dtd", "x-www-form-urlencoded", "javascript",
        "ecmascript", "x-javascript", "graphql", "yaml", "x-yaml", "toml", "sql", "csv", "x-sh",
    ]

    /// Whether a charset is UTF-8; nil for one whose bytes are not those of ASCII where they look so.
    private static func isUTF8(_ charset: String?) -> Bool? {
        guard let name = charset?.lowercased(), !name.isEmpty else { return true }
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(name) { return true }
        let supersets = ["iso-8859-", "windows-125", "latin1", "gb", "big5", "shift_jis", "euc-", "koi8-"]
        return supersets.contains { name.hasPrefix($0) } ? false : nil
    }
}
