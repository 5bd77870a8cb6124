// SPDX-License-Identifier: Apache-2.0

// A requirement in plain words.

import CodeIdentity

enum RequirementMeaning {
    /// The tree, one part a line, indented; deep trees are cut.
    static func lines(_ expression: RequirementExpression, depth: Int = 0) -> [String] {
        let indentation = String(repeating: "  ", count: depth)
        guard depth < 32 else { return [indentation + "…"] }
        switch expression {
        case .and, .or:
            let isAnd = if case .and = expression { true } else { false }
            return [indentation + (isAnd ? "all of" : "any of")]
                + operands(expression, isAnd: isAnd).flatMap { lines($0, depth: depth + 1) }
        case .not(let operand): return [indentation + "not"] + lines(operand, depth: depth + 1)
        default: return ["\(indentation)\(RequirementPrinter.text(expression)): \(meaning(expression))"]
        }
    }

    /// The operands of a chain of one operator, as people read it.
    private static func operands(_ expression: RequirementExpression, isAnd: Bool) -> [RequirementExpression] {
        var pending = [expression]
        var operands: [RequirementExpression] = []
        while let next = pending.popLast() {
            switch (next, isAnd) {
            case (.and(let left, let right), true), (.or(let left, let right), false): pending += [right, left]
            default: operands.append(next)
            }
        }
        return operands
    }

    private static func meaning(_ atom: RequirementExpression) -> String {
        switch atom {
        case .never: "no code"
        case .always: "any code"
        case .identifier: "the signing identifier, which the signer chose, is exactly this"
        case .appleAnchor: "Apple's own software: in the trust cache, or signed by Apple's code signing authority"
        case .appleGenericAnchor: "the certificate chain ends at an Apple root: anything that Apple issued"
        case .certificateHash: "this certificate is at that place of the chain"
        case .legacyInfoValue, .info: "the sealed Info.plist says so"
        case .cdhash: "exactly this code"
        case .entitlement: "the signature claims this entitlement"
        case .certificateField: "the certificate's subject says so"
        case .certificateExtension: "the certificate carries this extension"
        case .certificatePolicy: "the certificate carries this policy"
        case .certificateTimestamp: "the date in the certificate's extension"
        case .certificateTrusted, .anchorTrusted: "this Mac's trust settings accept the certificate"
        case .namedAnchor, .namedCode: "a requirement that the system keeps under this name; an error elsewhere"
        case .platform: "the platform number in the code directory, a claim"
        case .notarized: "Apple notarised it, as the system says"
        case .legacyDeveloperID: "signed with a Developer ID before notarisation was asked for"
        case .unknown, .skipped: "not known to Weir: always an error"
        case .osAnchor:
            "an unmodified program of the distribution that only root can change and nothing is injected into"
        case .package: "the package brought it and its content is the package's"
        case .unit: "it runs in this system unit, which is packaged and not changed"
        case .path: "the executable lies there, in folders that only root can write"
        case .digest: "the executable has exactly this content (SHA-256)"
        case .interpreter: "it is an interpreter, which runs what its arguments say"
        case .user: "it runs as this user"
        case .and, .or, .not: ""
        }
    }
}
