// SPDX-License-Identifier: Apache-2.0

// A Content-Type and what it says about editing.

import FlowModel

/// A parsed Content-Type, or another field of that form (RFC 9110 section 8.3).
struct MediaType {
    /// `type` and `subtype` in lower case, or what stands in their places.
    let type: String
    let subtype: String
    private var parameters: [String: String] = [:]

    /// Reads a field value; what cannot be read has names that no rule knows.
    init(_ value: some StringProtocol) {
        var rest = Array(value.utf8)[...]
        type = Self.name(Self.take(from: &rest, upTo: "/;"))
        if rest.popFirst() == UInt8(ascii: "/") {
            subtype = Self.name(Self.take(from: &rest, upTo: ";"))
            rest = rest.dropFirst()
        } else {
            subtype = ""
        }
        while !rest.isEmpty {
            let name = Self.name(Self.take(from: &rest, upTo: "=;"))
            var text: [UInt8] = []
            if rest.popFirst() == UInt8(ascii: "=") {
                rest = rest.drop { $0.isOne(of: " \t") }
                if rest.first == UInt8(ascii: "\"") {
                    rest = rest.dropFirst()
                    while let next = rest.popFirst(), next != UInt8(ascii: "\"") {
                        text.append(next == UInt8(ascii: "\\") ? rest.popFirst() ?? next : next)
                    }
                    _ = Self.take(from: &rest, upTo: ";")
                } else {
                    text = Array(Self.trimmed(Self.take(from: &rest, upTo: ";")))
                }
                rest = rest.dropFirst()
            }
            // Of two equal names parsers take either, so neither is believed: no rule knows an empty value.
            parameters[name] = parameters[name] == nil ? String(decoding: text, as: UTF8.self) : ""
        }
    }

    subscript(name: String) -> String? { parameters[name] }

    private static func take(from rest: inout ArraySlice<UInt8>, upTo ends: StaticString) -> ArraySlice<UInt8> {
        let taken = rest.prefix { !$0.isOne(of: ends) }
        rest = rest[taken.endIndex...]
        return taken
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop { $0.isOne(of: " \t") }
        while text.last?.isOne(of: " \t") == true { text.removeLast() }
        return text
    }

    private static func name(_ text: ArraySlice<UInt8>) -> String {
        String(decoding: trimmed(text).map { $0.isUpper ? $0 | 0x20 : $0 }, as: UTF8.self)
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
        if type.type == "multipart" {
            // Signed and encrypted parts are covered by what we cannot recompute (RFC 1847).
            let isSealed = type.subtype == "signed" || type.subtype == "encrypted"
            self = type["boundary"].flatMap { isSealed ? nil : Self.multipart($0) } ?? .opaque
            return
        }
        // Not `hasSuffix`, which looks for grapheme borders and is slow for it.
        let suffix = String(type.subtype.utf8.suffix(5)) ?? ""
        let isJSON = type.subtype == "json" || suffix == "+json"
        let isText =
            type.type == "text" && !type.subtype.isEmpty || isJSON || suffix.utf8.suffix(4).elementsEqual("+xml".utf8)
            || (type.type == "application" && Self.applications.contains(type.subtype))
        guard isText, let isUTF8 = Self.isUTF8(type["charset"]) else {
            self = .opaque
            return
        }
        self = .text(isJSON: isJSON, isUTF8: isUTF8)
    }

    private static func multipart(_ boundary: String) -> BodyKind? {
        let bytes = boundary.utf8
        // Outside this set (RFC 2046 section 5.1.1, and what clients add) peers may cut the body in other places.
        let isSafe = bytes.allSatisfy { (0x20...0x7e).contains($0) } && bytes.last != 0x20
        return isSafe && (1...ContentLimits.boundary.value).contains(bytes.count) ? .multipart(boundary: boundary) : nil
    }

    private static let applications: Set<String> = [
        "json", "x-ndjson", "ndjson", "jsonl", "json-seq", "xml", "xml-dtd", "x-www-form-urlencoded", "javascript",
        "ecmascript", "x-javascript", "graphql", "yaml", "x-yaml", "toml", "sql", "csv", "x-sh",
    ]

    /// Whether a charset is UTF-8; nil for one whose bytes are not those of ASCII where they look so.
    private static func isUTF8(_ charset: String?) -> Bool? {
        guard let name = charset?.lowercased() else { return true }
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(name) { return true }
        let supersets = ["iso-8859-", "windows-125", "latin1", "gb", "big5", "shift_jis", "euc-", "koi8-"]
        return supersets.contains { name.hasPrefix($0) } ? false : nil
    }
}
