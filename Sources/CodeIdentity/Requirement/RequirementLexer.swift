// SPDX-License-Identifier: Apache-2.0

// Requirement text as tokens, by the rules of Apple's lexer.

/// Cuts requirement text into tokens, exactly as Apple's lexer does (`requirements.grammar`).
///
/// It works on bytes. White space is space, tab and line feed; `#` and `//` begin a comment to the end of the line and
/// `/*` one to `*/`. Everything else that is no token is an error: a carriage return, a byte order mark, a hyphen or an
/// underscore in a word.
struct RequirementLexer {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The next token; `end` again and again after the last.
    mutating func next() throws(CodeProblem) -> RequirementToken {
        try skipSpaceAndComments()
        let start = position
        return RequirementToken(kind: try kind(), offset: start)
    }

    /// A problem at a byte of the text, its line and column said first.
    ///
    /// Line and column count from 1, the column in bytes.
    func problem(_ code: CodeProblem.Code, at offset: Int, _ detail: String) -> CodeProblem {
        let before = text.prefix(offset)
        let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        let column = offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return CodeProblem(code, at: UInt64(offset), "line \(line), column \(column): \(detail)")
    }

    // MARK: Tokens

    private mutating func kind() throws(CodeProblem) -> RequirementToken.Kind {
        guard let first = byte(0) else { return .end }
        switch first {
        case UInt8(ascii: "H") where byte(1) == UInt8(ascii: "\""): return try hash()
        case _ where Self.isLetter(first): return try word()
        case UInt8(ascii: "0") where byte(1) == UInt8(ascii: "x"): return try hexadecimal()
        case _ where Self.isDigit(first): return .integer(digits: take(while: Self.isDigit))
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "/"): return try pathname()
        default: return .symbol(try symbol(first))
        }
    }

    private mutating func symbol(_ first: UInt8) throws(CodeProblem) -> RequirementToken.Symbol {
        let second = byte(1)
        let symbol: RequirementToken.Symbol
        switch first {
        case UInt8(ascii: "=") where second == UInt8(ascii: ">"): symbol = .arrow
        case UInt8(ascii: "=") where second == UInt8(ascii: "="): symbol = .doubleEqual
        case UInt8(ascii: "<") where second == UInt8(ascii: "="): symbol = .lessOrEqual
        case UInt8(ascii: ">") where second == UInt8(ascii: "="): symbol = .greaterOrEqual
        default:
            guard let single = RequirementToken.Symbol(rawValue: String(UnicodeScalar(first))) else {
                throw invalidCharacter(first)
            }
            symbol = single
        }
        position += symbol.rawValue.utf8.count
        return symbol
    }

    /// Words of letters and digits, or numbers, joined by dots; the first begins with a letter.
    private mutating func word() throws(CodeProblem) -> RequirementToken.Kind {
        var word = take(while: Self.isAlphanumeric)
        while byte(0) == UInt8(ascii: ".") {
            guard let after = byte(1), Self.isAlphanumeric(after) else {
                throw problem(
                    .requirementIncompleteWord, at: position,
                    "a dot with neither letter nor digit after it: put the word in quotes")
            }
            position += 1
            // A component that begins with a digit ends with its digits: `a.2b` is `a.2` and `b`.
            word.append(UInt8(ascii: "."))
            word += take(while: Self.isDigit(after) ? Self.isDigit : Self.isAlphanumeric)
        }
        return RequirementKeyword(rawValue: String(decoding: word, as: UTF8.self)).map { .keyword($0) } ?? .word(word)
    }

    private mutating func string() throws(CodeProblem) -> RequirementToken.Kind {
        let start = position
        position += 1
        var content: [UInt8] = []
        while let byte = byte(0) {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return .string(content)
            case UInt8(ascii: "\\"):
                guard self.byte(1) == UInt8(ascii: "\"") else {
                    throw problem(
                        .requirementInvalidEscape, at: position,
                        "a backslash stands only before a quote: write the value in hexadecimal (0x…)")
                }
                content.append(UInt8(ascii: "\""))
                position += 2
            default:
                try check(byte)
                content.append(byte)
                position += 1
            }
        }
        throw problem(.requirementUnterminatedString, at: start, "a string without its closing quote")
    }

    private mutating func hash() throws(CodeProblem) -> RequirementToken.Kind {
        let start = position
        position += 2
        let digits = take(while: Self.isHexDigit)
        guard !digits.isEmpty, byte(0) == UInt8(ascii: "\"") else {
            throw problem(
                .requirementInvalidHash, at: start, "a hash is H\"…\" with hexadecimal digits only between the quotes")
        }
        position += 1
        return .hash(digits: digits)
    }

    private mutating func hexadecimal() throws(CodeProblem) -> RequirementToken.Kind {
        let start = position
        position += 2
        let digits = take(while: Self.isHexDigit)
        guard !digits.isEmpty else {
            throw problem(.requirementInvalidHexadecimal, at: start, "`0x` without hexadecimal digits after it")
        }
        return .hexadecimal(digits: digits)
    }

    private mutating func pathname() throws(CodeProblem) -> RequirementToken.Kind {
        let start = position
        var components = 0
        while byte(0) == UInt8(ascii: "/"), let first = byte(1), Self.isLetter(first) {
            position += 1
            _ = take(while: Self.isAlphanumeric)
            components += 1
        }
        guard components >= 2, byte(0) != UInt8(ascii: "/") else {
            throw problem(.requirementInvalidPathname, at: start, "a path that cannot stand bare: put it in quotes")
        }
        return .pathname
    }

    // MARK: White space and comments

    private mutating func skipSpaceAndComments() throws(CodeProblem) {
        while let first = byte(0) {
            switch first {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"): position += 1
            case UInt8(ascii: "#"): try skipLine()
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"): try skipLine()
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): try skipBlock()
            default: return
            }
        }
    }

    private mutating func skipLine() throws(CodeProblem) {
        while let byte = byte(0), byte != UInt8(ascii: "\n") {
            try check(byte)
            position += 1
        }
    }

    /// Apple's lexer takes a star together with the byte after it, so `**/` does not end a comment and `***/` does.
    private mutating func skipBlock() throws(CodeProblem) {
        let start = position
        position += 2
        while let first = byte(0) {
            if first == UInt8(ascii: "*"), let second = byte(1) {
                try check(second, ahead: 1)
                position += 2
                if second == UInt8(ascii: "/") { return }
            } else {
                try check(first)
                position += 1
            }
        }
        throw problem(
            .requirementUnterminatedComment, at: start,
            "a comment without its end; stars in pairs before the slash do not end one, as in Apple's lexer")
    }

    // MARK: Bytes

    private func byte(_ ahead: Int) -> UInt8? {
        ahead < text.count - position ? text[position + ahead] : nil
    }

    private mutating func take(while belongs: (UInt8) -> Bool) -> [UInt8] {
        let taken = text[position...].prefix(while: belongs)
        position = taken.endIndex
        return Array(taken)
    }

    /// Refuses the bytes that stand outside Apple's `charVocabulary`.
    private func check(_ byte: UInt8, ahead: Int = 0) throws(CodeProblem) {
        guard byte != 0xC0, byte != 0xC1, byte < 0xF5 else {
            throw problem(
                .requirementInvalidByte, at: position + ahead,
                "the byte \(Hexadecimal.text([byte])) is in no UTF-8 text")
        }
    }

    private func invalidCharacter(_ byte: UInt8) -> CodeProblem {
        let advice =
            switch byte {
            case UInt8(ascii: "\r"): "a carriage return is no white space: end lines with a line feed only"
            case UInt8(ascii: "&"): "write `and`"
            case UInt8(ascii: "|"): "write `or`"
            case UInt8(ascii: "'"): "write double quotes"
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "@"):
                "a bare word has letters, digits and single dots only: put it in quotes"
            case 0xEF where self.byte(1) == 0xBB && self.byte(2) == 0xBF: "save the text without a byte order mark"
            case 0x80...: "other than ASCII stands only in straight double quotes or a comment"
            default: "no term or string begins like this"
            }
        return problem(.requirementInvalidCharacter, at: position, "the byte \(Hexadecimal.text([byte])): \(advice)")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x41...0x46).contains(byte & 0xDF) }

    /// Whether the bytes, standing bare, are one token that is a word and no keyword.
    static func isWord(_ bytes: [UInt8]) -> Bool {
        var lexer = RequirementLexer(bytes)
        guard case .word(let word)? = try? lexer.next().kind else { return false }
        return word.count == bytes.count
    }
}
