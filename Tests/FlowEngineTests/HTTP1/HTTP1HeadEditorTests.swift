// SPDX-License-Identifier: Apache-2.0

// Edits change what they name and nothing else.

import NIOCore
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 head editor")
struct HTTP1HeadEditorTests {
    private let text = "\r\nGET /a HTTP/1.1\r\nhOST: \t x \r\nA:1\r\nB:\r\nA: 2\r\n\r\n"

    private func edited(_ edit: (inout HTTP1HeadEditor) throws -> Void) throws -> String {
        var editor = HTTP1HeadEditor(try #require(http1Head(text)))
        try edit(&editor)
        return String(buffer: try editor.finish().raw)
    }

    @Test("Without edits the head is the same")
    func none() throws {
        #expect(try edited { _ in } == text)
    }

    @Test("Target, values, removals and additions, all at once")
    func all() throws {
        let result = try edited { editor in
            let fields = editor.head.fields
            try editor.append("C", "3".utf8)
            try editor.remove(fields[1])
            try editor.replace(fields[3].valueRange, with: "two".utf8)
            try editor.replace(fields[2].valueRange, with: "b".utf8)
            try editor.replaceTarget(with: "/longer/path".utf8)
            try editor.append("D", "".utf8)
        }
        #expect(
            result
                == "\r\nGET /longer/path HTTP/1.1\r\nhOST: \t x \r\nB:b\r\nA: two\r\nC: 3\r\nD: \r\n\r\n")
    }

    @Test("The edited head is parsed anew")
    func parsed() throws {
        var editor = HTTP1HeadEditor(try #require(http1Head(text)))
        try editor.append("Content-Length", "7".utf8)
        let head = try editor.finish()
        #expect(head.text(of: "content-length") == "7")
        #expect(try HTTP1Framing(head) == .length(7))
    }

    @Test("A part of a value can be masked")
    func part() throws {
        let head = try #require(http1Head("HTTP/1.1 200 OK\r\nX: card 4111 end\r\n\r\n", .response))
        var editor = HTTP1HeadEditor(head)
        let value = head.fields[0].valueRange
        try editor.replace(value.lowerBound + 5..<value.lowerBound + 9, with: "****".utf8)
        #expect(String(buffer: try editor.finish().raw) == "HTTP/1.1 200 OK\r\nX: card **** end\r\n\r\n")
    }

    @Test("What would make another message is refused")
    func refused() throws {
        let bad = HTTP1Refusal(.badEdit, .request)
        for value in ["a\r\nX: y", "a\n", "a\0"] {
            #expect(throws: bad) { try edited { try $0.replace($0.head.fields[1].valueRange, with: value.utf8) } }
            #expect(throws: bad) { try edited { try $0.append("X", value.utf8) } }
            #expect(throws: bad) { try edited { try $0.replaceTarget(with: value.utf8) } }
        }
        for target in ["", "/a b", "/a HTTP/1.1", "/#"] {
            #expect(throws: bad) { try edited { try $0.replaceTarget(with: target.utf8) } }
        }
        for name in ["", "a b", "a:", "a\r\nb"] {
            #expect(throws: bad) { try edited { try $0.append(name, "v".utf8) } }
        }
        #expect(throws: bad) { try edited { try $0.replace($0.head.fields[1].nameRange, with: "X".utf8) } }
        #expect(throws: bad) { try edited { try $0.replace($0.head.fields[1].lineRange, with: "X".utf8) } }
        #expect(throws: bad) { try edited { try $0.replace(0..<10_000, with: "X".utf8) } }
    }

    @Test("Edits that overlap are refused")
    func overlap() throws {
        #expect(throws: HTTP1Refusal(.badEdit, .request)) {
            try edited { editor in
                try editor.remove(editor.head.fields[1])
                try editor.replace(editor.head.fields[1].valueRange, with: "X".utf8)
            }
        }
    }

    @Test("A field of another head cannot be removed")
    func foreign() throws {
        let other = try #require(http1Request("GET", "Other: field"))
        #expect(throws: HTTP1Refusal(.badEdit, .request)) { try edited { try $0.remove(other.fields[1]) } }
    }

    static let absoluteForms: [(String, String)] = [
        ("GET http://a/p?q HTTP/1.1\r\nX: 1\r\nHost: a\r\n\r\n", "GET /p?q HTTP/1.1\r\nX: 1\r\nHost: a\r\n\r\n"),
        ("GET http://a/p HTTP/1.1\r\nHost: b\r\n\r\n", "GET /p HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("GET http://A:80/\u{e9} HTTP/1.1\r\nHost:  b \r\n\r\n", "GET /\u{e9} HTTP/1.1\r\nHost:  A:80 \r\n\r\n"),
        ("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("GET http://a?q HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET /?q HTTP/1.1\r\nHost: a:80\r\n\r\n"),
        ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("GET http://a/ HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
        ("GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost:a\r\n\r\n"),
    ]

    @Test("Absolute form becomes origin form with a Host that agrees", arguments: absoluteForms)
    func originForm(before: String, after: String) throws {
        let head = try #require(http1Head(before))
        var editor = HTTP1HeadEditor(head)
        try editor.rewriteToOriginForm(try HTTP1Destination(head, defaultPort: 80))
        #expect(String(buffer: try editor.finish().raw) == after)
    }
}
