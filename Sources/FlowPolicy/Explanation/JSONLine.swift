// SPDX-License-Identifier: Apache-2.0

// A JSON object on one line; this room does without Foundation.

/// Writes one JSON object (RFC 8259) with its members in the given order.
struct JSONLine {
    enum Value {
        case text(String)
        case texts([String])
        case number(Int)
        case object(JSONLine)
        case objects([JSONLine])
        case null
    }

    let text: String

    init(_ members: [(String, Value)]) {
        let fields = members.map { name, value in "\(Self.quoted(name)):\(Self.written(value))" }
        text = "{" + fields.joined(separator: ",") + "}"
    }

    private static func written(_ value: Value) -> String {
        switch value {
        case .text(let text): return quoted(text)
        case .texts(let texts): return "[" + texts.map(quoted).joined(separator: ",") + "]"
        case .number(let number): return "\(number)"
        case .object(let object): return object.text
        case .objects(let objects): return "[" + objects.map(\.text).joined(separator: ",") + "]"
        case .null: return "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            // U+0085, U+2028 and U+2029 are legal in JSON, and line ends to some readers of lines.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
