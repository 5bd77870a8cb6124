// SPDX-License-Identifier: Apache-2.0

// Requirement text as tokens.

import Testing

@testable import CodeIdentity

@Suite("RequirementLexer") struct RequirementLexerTests {
    private static func kinds(_ text: [UInt8]) throws(CodeProblem) -> [RequirementToken.Kind] {
        var lexer = RequirementLexer(text)
        var kinds: [RequirementToken.Kind] = []
        while true {
            let token = try lexer.next()
            if case .end = token.kind { return kinds }
            kinds.append(token.kind)
        }
    }

    private static func kinds(_ text: String) throws(CodeProblem) -> [RequirementToken.Kind] {
        try kinds(Array(text.utf8))
    }

    private static func word(_ text: String) -> RequirementToken.Kind { .word(Array(text.utf8)) }

    @Test("Every sign is one token, and the longer sign wins")
    func symbols() throws {
        let expected: [RequirementToken.Symbol] = [
            .arrow, .semicolon, .leftParenthesis, .rightParenthesis, .leftBracket, .rightBracket, .less, .greater,
            .lessOrEqual, .greaterOrEqual, .comma, .equal, .doubleEqual, .contains, .minus, .not, .star,
        ]
        #expect(try Self.kinds("=>;()[]< ><=>=,= ==~-!*") == expected.map { .symbol($0) })
    }

    @Test("A keyword is a keyword only as the whole word and in lower case")
    func keywords() throws {
        for keyword in RequirementKeyword.allCases {
            #expect(try Self.kinds(keyword.rawValue) == [.keyword(keyword)])
            #expect(try Self.kinds("\(keyword.rawValue).x") == [Self.word("\(keyword.rawValue).x")])
            let capitals = keyword.rawValue.uppercased()
            #expect(try Self.kinds(capitals) == [Self.word(capitals)])
        }
        #expect(try Self.kinds("not unit") == [Self.word("not"), Self.word("unit")])
    }

    @Test("A component that begins with a digit ends with its digits")
    func words() throws {
        #expect(try Self.kinds("A1.b2.33.c") == [Self.word("A1.b2.33.c")])
        #expect(try Self.kinds("a.2fast") == [Self.word("a.2"), Self.word("fast")])
    }

    @Test("A string holds anything, and only a quote is escaped")
    func strings() throws {
        #expect(try Self.kinds("\"a \\\"b\\\" \t\n/* é\"") == [.string(Array("a \"b\" \t\n/* é".utf8))])
        #expect(try Self.kinds([0x22, 0x00, 0x0D, 0x80, 0xF4, 0x22]) == [.string([0x00, 0x0D, 0x80, 0xF4])])
    }

    @Test("Numbers, hashes, hexadecimal values and paths")
    func literals() throws {
        #expect(try Self.kinds("007") == [.integer(digits: Array("007".utf8))])
        #expect(try Self.kinds("H\"00fF\"") == [.hash(digits: Array("00fF".utf8))])
        #expect(try Self.kinds("0x00fF") == [.hexadecimal(digits: Array("00fF".utf8))])
        #expect(try Self.kinds("10x5") == [.integer(digits: Array("10".utf8)), Self.word("x5")])
        #expect(try Self.kinds("/usr/bin9") == [.pathname])
        #expect(try Self.kinds("H") == [Self.word("H")])
    }

    @Test(
        "Comments are white space",
        arguments: ["# x\na", "//\na", "/**/a", "/* a\r\"\\ */a", "/****/a", "/*** **/ ***/a", "a#b", "a//", "\t\n a "])
    func comments(_ text: String) throws { #expect(try Self.kinds(text) == [Self.word("a")]) }

    @Test(
        "What is no token is refused with its place",
        arguments: [
            ("a\r", "requirement-invalid-character", 1), ("\u{FEFF}a", "requirement-invalid-character", 0),
            ("a_b", "requirement-invalid-character", 1), ("a && b", "requirement-invalid-character", 2),
            ("'a'", "requirement-invalid-character", 0), ("“a”", "requirement-invalid-character", 0),
            ("a\u{0}", "requirement-invalid-character", 1), ("a.", "requirement-incomplete-word", 1),
            ("a..b", "requirement-incomplete-word", 1), ("a.-", "requirement-incomplete-word", 1),
            ("\"a", "requirement-unterminated-string", 0), ("\"a\\\"", "requirement-unterminated-string", 0),
            ("\"a\\\\\"", "requirement-invalid-escape", 2), ("\"\\n\"", "requirement-invalid-escape", 1),
            ("\"a\\", "requirement-invalid-escape", 2), ("H\"\"", "requirement-invalid-hash", 0),
            ("H\"0g\"", "requirement-invalid-hash", 0), ("H\"00", "requirement-invalid-hash", 0),
            ("0x", "requirement-invalid-hexadecimal", 0), ("0xg", "requirement-invalid-hexadecimal", 0),
            ("/a", "requirement-invalid-pathname", 0), ("/", "requirement-invalid-pathname", 0),
            ("/a/b/", "requirement-invalid-pathname", 0), ("/a/b//c", "requirement-invalid-pathname", 0),
            ("/5/a", "requirement-invalid-pathname", 0), ("/* a", "requirement-unterminated-comment", 0),
            ("/*/", "requirement-unterminated-comment", 0), ("/***/", "requirement-unterminated-comment", 0),
            ("/* stars **/", "requirement-unterminated-comment", 0),
        ])
    func refused(_ text: String, _ code: String, _ offset: UInt64) {
        #expect(throws: CodeProblem(CodeProblem.Code(code), at: offset, "")) { try Self.kinds(text) }
    }

    @Test("Bytes that are in no UTF-8 text are refused in strings and comments", arguments: [0xC0, 0xC1, 0xF5, 0xFF])
    func invalidBytes(_ byte: UInt8) {
        for text in ["\"", "#", "//", "/*", "/* *"] {
            let problem = CodeProblem(.requirementInvalidByte, at: UInt64(text.utf8.count), "")
            #expect(throws: problem) { try Self.kinds(Array(text.utf8) + [byte]) }
        }
    }

    @Test("A problem gives line and column")
    func place() {
        var lexer = RequirementLexer(Array("# one\n\n  _".utf8))
        let problem = #expect(throws: CodeProblem.self) { try lexer.next() }
        #expect(problem?.detail.hasPrefix("line 3, column 3: ") == true)
        #expect(problem?.offset == 9)
    }
}
