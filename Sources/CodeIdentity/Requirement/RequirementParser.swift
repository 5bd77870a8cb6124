// SPDX-License-Identifier: Apache-2.0

// Requirement text as a tree.

import FlowModel

/// Reads requirement text: Apple's grammar with the terms of Linux.
///
/// ```
/// requirement = expression { ";" } END
/// set         = ( kind "=>" expression { ";" } )+ END
/// kind        = "host" | "guest" | "designated" | "library" | "plugin" | INTEGER
/// expression  = conjunction { "or" conjunction }
/// conjunction = primary { "and" primary }
/// primary     = "!" primary | "(" expression ")" | "(" string ")" | term
/// term        = "always" | "true" | "never" | "false" | "notarized" | "legacy"
///             | "identifier" eq string | "cdhash" eq HASH | "platform" eq INTEGER
///             | "info" key match | "entitlement" key match
///             | "anchor" "apple" [ "generic" | string ] | "anchor" "generic" "apple"
///             | ( "certificate" | "cert" | "anchor" ) "trusted"
///             | ( "certificate" | "cert" ) slot ( certificate | "trusted" ) | "anchor" certificate
///             | linux
/// slot        = INTEGER | "-" INTEGER | "leaf" | "root"
/// certificate = eq HASH | key match
/// key         = "[" string "]"
/// match       = [ "exists" ] | "absent" | ( "=" | "==" ) ( [ "*" ] value [ "*" ] | stamp ) | "~" value
///             | ( "<" | ">" | "<=" | ">=" ) ( value | stamp )
/// stamp       = "timestamp" STRING
/// value       = string | HEXADECIMAL
/// string      = WORD | STRING
/// eq          = [ "=" | "==" ]
///
/// linux       = "anchor" "os" | "package" eq string | "unit" eq string | "path" eq STRING [ "*" ]
///             | "digest" eq HASH | "interpreter" | "user" eq INTEGER
/// ```
///
/// `!` binds closest, then `and`, then `or`; both take their left side first. The Linux words are words like any other
/// except where a term begins and right after `anchor`, places where Apple's grammar has no word; so Apple's texts keep
/// their meaning, and `(unit)` is the named requirement `unit`. A certificate given as a file, which Apple's compiler
/// would read, is refused. So are numbers and times that Apple's compiler cuts or takes for 0.
///
/// Nothing here recurses, and the tree has at most `requirement.depth` levels. Source: Apple's `requirements.grammar`.
struct RequirementParser {
    var lexer: RequirementLexer
    private(set) var current: RequirementToken
    private var ahead: RequirementToken?

    init(_ text: [UInt8]) throws(CodeProblem) {
        let limit = CodeIdentityLimits.requirementText
        guard text.count <= limit.value else {
            throw CodeProblem(.limit, at: UInt64(limit.value), "\(limit.name): a text of \(text.count) bytes")
        }
        lexer = RequirementLexer(text)
        current = try lexer.next()
    }

    // MARK: Whole texts

    /// Whether the text begins like a set; no expression begins so.
    var beginsSet: Bool {
        switch current.kind {
        case .keyword(let keyword): keyword.kind != nil
        case .integer: true
        default: false
        }
    }

    /// One requirement and nothing else.
    mutating func requirement() throws(CodeProblem) -> RequirementExpression {
        guard !beginsSet else {
            throw problem(
                .requirementSetUnexpected, "a single requirement is wanted: leave out the kind and `=>`, or read a set")
        }
        let expression = try element()
        guard case .end = current.kind else { throw unexpected("`and`, `or` or the end") }
        return expression
    }

    /// A set by kind; a later entry of one kind replaces an earlier one, as with Apple's compiler.
    mutating func set() throws(CodeProblem) -> [UInt32: RequirementExpression] {
        guard beginsSet else {
            if case .end = current.kind { throw unexpected("a kind of requirement such as `designated`") }
            throw problem(
                .requirementSetExpected,
                "a set is wanted: begin each requirement with its kind, such as `designated =>`")
        }
        let limit = CodeIdentityLimits.requirementSetEntries
        var entries: [UInt32: RequirementExpression] = [:]
        repeat {
            let kind = try kind()
            guard try take(.arrow) else { throw unexpected("`=>`") }
            entries[kind] = try element()
            guard entries.count <= limit.value else { throw problem(.limit, "\(limit.name): more entries than that") }
        } while beginsSet
        guard case .end = current.kind else { throw unexpected("`and`, `or`, the next kind of requirement or the end") }
        return entries
    }

    private mutating func kind() throws(CodeProblem) -> UInt32 {
        guard case .keyword(let keyword) = current.kind, let kind = keyword.kind else {
            return UInt32(try integer(upTo: UInt64(UInt32.max)))
        }
        try advance()
        return kind.rawValue
    }

    private mutating func element() throws(CodeProblem) -> RequirementExpression {
        let expression = try expression()
        while try take(.semicolon) {}
        return expression
    }

    // MARK: Operators

    /// A tree and how many levels it has.
    private struct Built {
        let expression: RequirementExpression
        let levels: Int
    }

    /// What is open between two parentheses: the parts that wait for their right side.
    private struct Frame {
        var disjunction: Built?
        var conjunction: Built?
        var negations = 0
    }

    private mutating func expression() throws(CodeProblem) -> RequirementExpression {
        var frames: [Frame] = []
        var frame = Frame()
        /// Parentheses and negations that wait for their operand.
        var open = 0
        while true {
            // A primary begins.
            if try take(.not) {
                frame.negations += 1
                open += 1
                try checkDepth(open)
                continue
            }
            var built: Built
            if try take(.leftParenthesis) {
                guard let name = try namedCode() else {
                    frames.append(frame)
                    frame = Frame()
                    open += 1
                    try checkDepth(open)
                    continue
                }
                built = Built(expression: name, levels: 1)
            } else {
                built = Built(expression: try term(), levels: 1)
            }
            // A primary has ended, and with it whatever does not go on.
            while true {
                open -= frame.negations
                for _ in 0..<frame.negations {
                    built = Built(expression: .not(built.expression), levels: built.levels + 1)
                }
                frame.negations = 0
                if let left = frame.conjunction { built = join(left, built) { .and($0, $1) } }
                try checkDepth(built.levels)
                if try take(keyword: .and) {
                    frame.conjunction = built
                    break
                }
                frame.conjunction = nil
                if let left = frame.disjunction { built = join(left, built) { .or($0, $1) } }
                try checkDepth(built.levels)
                if try take(keyword: .or) {
                    frame.disjunction = built
                    break
                }
                guard let outer = frames.popLast() else { return built.expression }
                guard try take(.rightParenthesis) else { throw unexpected("`)`, `and` or `or`") }
                frame = outer
                open -= 1
            }
        }
    }

    private func join(
        _ left: Built, _ right: Built, _ node: (RequirementExpression, RequirementExpression) -> RequirementExpression
    ) -> Built {
        Built(expression: node(left.expression, right.expression), levels: max(left.levels, right.levels) + 1)
    }

    private func checkDepth(_ levels: Int) throws(CodeProblem) {
        let limit = CodeIdentityLimits.requirementDepth
        guard levels <= limit.value else {
            throw problem(
                .limit, "\(limit.name): more than \(limit.value) levels, which Apple's evaluator refuses: split it up")
        }
    }

    /// After `(`: a name and `)`, or nil where an expression begins.
    private mutating func namedCode() throws(CodeProblem) -> RequirementExpression? {
        switch current.kind {
        case .word(let word) where RequirementLinuxWord(word) != nil:
            guard case .symbol(.rightParenthesis) = try following().kind else { return nil }
        case .word, .string: break
        default: return nil
        }
        let name = try string("a name")
        guard try take(.rightParenthesis) else {
            throw unexpected("`)`, as a word or string after `(` is the name of a requirement")
        }
        return .namedCode(name)
    }

    // MARK: Tokens

    mutating func advance() throws(CodeProblem) {
        current = if let next = ahead.take() { next } else { try lexer.next() }
    }

    /// The token after the current one.
    private mutating func following() throws(CodeProblem) -> RequirementToken {
        if let ahead { return ahead }
        let token = try lexer.next()
        ahead = token
        return token
    }

    func problem(_ code: CodeProblem.Code, _ detail: String) -> CodeProblem {
        lexer.problem(code, at: current.offset, detail)
    }

    /// The problem that the current token is not what is wanted.
    func unexpected(_ wanted: String) -> CodeProblem {
        if case .end = current.kind {
            return problem(.requirementUnexpectedEnd, "the text ends where \(wanted) is wanted")
        }
        let advice =
            switch current.kind {
            case .word(let word) where word == Array("not".utf8): "; write `!`"
            case .symbol(.minus), .symbol(.comma): "; a string with such a sign needs quotes"
            case .pathname: "; put it in quotes"
            default: ""
            }
        return problem(.requirementUnexpectedToken, "\(current.name) where \(wanted) is wanted\(advice)")
    }
}
