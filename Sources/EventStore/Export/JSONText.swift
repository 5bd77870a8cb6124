// SPDX-License-Identifier: Apache-2.0

// JSON for the store's columns and lines: keys in a fixed order, nothing that a terminal obeys.

internal import FlowModel

enum JSONText {
    /// A JSON string; control characters, C1 and DEL included, are escaped so that a line is safe to look at.
    static func string(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: json += "\\\""
            case 0x5c: json += "\\\\"
            case 0..<0x20, 0x7f..<0xa0:
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }

    static func string(_ text: String?) -> String { text.map { string($0) } ?? "null" }

    static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

    static func object(_ members: KeyValuePairs<String, String>) -> String {
        "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    static func reason(_ reason: Reason) -> String {
        object(["code": string(clipped(reason.code)), "detail": string(clipped(reason.detail))])
    }

    static func facts(_ facts: [NoticeRecord.Fact]) -> String {
        array(
            facts.prefix(EventStoreLimits.facts.value).map { fact in
                object([
                    "code": string(clipped(fact.code)), "count": String(fact.count),
                    "executable": string(fact.executable.map(clipped)),
                    "proved": string(fact.provedName.map(clipped)),
                ])
            })
    }

    /// At most sixteen notes, which is more than a record should have.
    static func notes(_ notes: [Reason]) -> String { array(notes.prefix(16).map(reason)) }
}
