// SPDX-License-Identifier: Apache-2.0

// A problem of code, as lines of JSON tell it.

import CodeIdentity

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
