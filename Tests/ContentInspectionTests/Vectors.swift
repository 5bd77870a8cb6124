// SPDX-License-Identifier: Apache-2.0

// Reads the fictitious and published examples in Tests/Vectors/content.

import Foundation
import Testing

enum Vectors {
    struct Example: Sendable, CustomTestStringConvertible {
        let text: String
        let isValid: Bool
        var testDescription: String { "\(text) \(isValid)" }
    }

    static func examples(_ id: String) throws -> [Example] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/content/identifier-examples.csv")
        let rows = try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",")
        }
        let examples = rows.filter { $0.count == 3 && $0[0] == id }.map {
            Example(text: String($0[1]), isValid: $0[2] == "true")
        }
        return examples.isEmpty ? try { throw CocoaError(.fileReadNoSuchFile) }() : examples
    }
}
