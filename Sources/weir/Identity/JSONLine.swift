// SPDX-License-Identifier: Apache-2.0

// Stable JSON for programs: one object a line, keys in alphabetical order.

import CodeIdentity
import Foundation

enum JSONLine {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A problem as output has it.
struct ProblemLine: Encodable {
    let code: String
    let message: String
    let offset: UInt64?

    init(_ problem: CodeProblem) {
        code = problem.code.rawValue
        message = problem.detail
        offset = problem.offset
    }
}
