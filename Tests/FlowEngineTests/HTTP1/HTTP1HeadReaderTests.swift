// SPDX-License-Identifier: Apache-2.0

// Heads: what is accepted leaves as it came, what is hostile is refused with the right code.

import FlowModel
import NIOCore
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 head reader")
struct HTTP1HeadReaderTests {
    @Test("Every vector is accepted and comes out byte for byte, whole and cut anywhere", arguments: HTTP1Vector.all)
    func vectors(vector: HTTP1Vector) {
        let whole = HTTP1Transcript(vector.side, [vector.bytes[...]], answering: vector.method)
        #expect(whole.outcome == .complete)
        #expect(whole.output == vector.bytes)
        #expect(whole.rest.isEmpty)
        for pieces in http1EveryCut(vector.bytes) {
            #expect(HTTP1Transcript(vector.side, pieces, answering: vector.method) == whole)
        }
        #expect(HTTP1Transcript(vector.side, vector.bytes, answering: vector.method, pieceLength: 1) == whole)
    }

    @Test("The vectors are there")
    func vectorsAreThere() {
        #expect(HTTP1Vector.all.filter { $0.side == .request }.count >= 10)
        #expect(HTTP1Vector.all.filter { $0.side == .response }.count >= 10)
    }

    @Test("The parts of a request are views of its bytes")
    func requestParts() throws {
        let head = try #require(http1Head("GET /a?b=c HTTP/1.0\r\nHost:  x \t\r\nX-Empty:\r\nX-Last:y\r\n\r\n"))
        guard case .request(let method, let target, let version) = head.kind else {
            Issue.record("not a request")
            return
        }
        #expect(method == "GET")
        #expect(head.text(target) == "/a?b=c")
        #expect(version == .http10)
        #expect(head.fields.map { head.text($0.nameRange) } == ["Host", "X-Empty", "X-Last"])
        #expect(head.fields.map { head.text($0.valueRange) } == ["x", "", "y"])
        #expect(head.fields.map { head.text($0.lineRange) } == ["Host:  x \t\r\n", "X-Empty:\r\n", "X-Last:y\r\n"])
    }

    @Test("The parts of a response are views of its bytes")
    func responseParts() throws {
        let head = try #require(http1Head("HTTP/1.1 404 Not  Found \r\n\r\n", .response))
        guard case .response(let status, let reason, let version) = head.kind else {
            Issue.record("not a response")
            return
        }
        #expect(status == 404)
        #expect(head.text(reason) == "Not  Found ")
        #expect(version == .http11)
        #expect(head.fields.isEmpty)
    }

    @Test("Pipelined heads come out one by one and bytes behind them stay")
    func pipelined() {
        var reader = HTTP1HeadReader(.request)
        var buffer = ByteBuffer(string: "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\nrest")
        for (target, raw) in [
            ("/1", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"), ("/2", "\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n"),
        ] {
            guard case .head(let head) = reader.feed(&buffer), case .request(_, let range, _) = head.kind else {
                Issue.record("no head")
                return
            }
            #expect(head.text(range) == target)
            #expect(String(buffer: head.raw) == raw)
        }
        #expect(String(buffer: buffer) == "rest")
    }

    @Test("A head works in a buffer that has been read from before")
    func movedBuffer() {
        var reader = HTTP1HeadReader(.response)
        var buffer = ByteBuffer(string: "junkHTTP/1.1 200 OK\r\nA: b\r\n\r\n")
        buffer.moveReaderIndex(forwardBy: 4)
        guard case .head(let head) = reader.feed(&buffer) else {
            Issue.record("no head")
            return
        }
        #expect(head.text(of: "a") == "b")
        #expect(head.raw.readerIndex == 0)
    }

    @Test("Only an idle reader is between messages")
    func betweenMessages() {
        for (text, idle) in [("", true), ("\r\n", true), ("\r", false), ("G", false), ("GET / HTTP/1.1\r\n", false)] {
            var reader = HTTP1HeadReader(.request)
            var buffer = ByteBuffer(string: text)
            _ = reader.feed(&buffer)
            #expect(reader.isBetweenMessages == idle, "\(text.debugDescription)")
            #expect(String(buffer: buffer) == text)
        }
    }

    @Test("A refusal stays")
    func sticky() {
        var reader = HTTP1HeadReader(.request)
        for text in ["GET /\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
            var buffer = ByteBuffer(string: text)
            guard case .refused(let refusal) = reader.feed(&buffer) else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.code == .badRequestLine)
            #expect(String(buffer: buffer) == text)
        }
        #expect(reader.isBetweenMessages == false)
    }

    /// Request heads that must be refused, and why.
    static let hostileRequests: [(String, HTTP1Refusal.Code)] = [
        // Line ends and bytes that some readers take for line ends.
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLF),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLF),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLF),
        ("GET / HTTP/1.1\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n", .bareLF),
        ("\nGET / HTTP/1.1\r\n\r\n", .bareLF),
        ("GET / HTTP/1.1\r\nA: b\rTransfer-Encoding: chunked\r\n\r\n", .bareCR),
        ("GET / HTTP/1.1\r\nA: b\r\r\n\r\n", .bareCR),
        ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCR),
        ("GET / HTTP/1.1\r\n\rA: b\r\n\r\n", .bareCR),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", .bareCR),
        ("GET /\rHTTP/1.1\r\nHost: a\r\n\r\n", .bareCR),
        ("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", .nulByte),
        ("GET / HTTP/1.1\r\nA\0: b\r\n\r\n", .nulByte),
        ("GET /\0 HTTP/1.1\r\n\r\n", .nulByte),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: \u{0b}chunked\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nA: \u{7f}\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nA: 12345678\u{1}12345678\r\n\r\n", .controlByte),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", .emptyLines),
        // Request lines.
        ("GET /\r\n", .badRequestLine),
        ("GET\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\n\r\n", .badRequestLine),
        ("GET /  HTTP/1.1\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1 \r\n\r\n", .badRequestLine),
        ("GET /a b HTTP/1.1\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1 HTTP/1.1\r\n\r\n", .badRequestLine),
        ("GET / HTTP/11\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.10\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1,1\r\n\r\n", .badRequestLine),
        ("GET / HTTP /1.1\r\n\r\n", .badRequestLine),
        ("GET / ICE/1.0\r\n\r\n", .badRequestLine),
        ("GET /\tHTTP/1.1\r\n\r\n", .badRequestLine),
        (" GET / HTTP/1.1\r\n\r\n", .badMethod),
        ("G\u{e9}T / HTTP/1.1\r\n\r\n", .badMethod),
        ("GET:/ / HTTP/1.1\r\n\r\n", .badMethod),
        ("GET\t/ HTTP/1.1\r\n\r\n", .badMethod),
        ("(GET) / HTTP/1.1\r\n\r\n", .badMethod),
        ("Head / HTTP/1.1\r\n\r\n", .badMethod),
        ("connect a:1 HTTP/1.1\r\n\r\n", .badMethod),
        (String(repeating: "A", count: 33) + " / HTTP/1.1\r\n\r\n", .badMethod),
        ("GET /#fragment HTTP/1.1\r\n\r\n", .badTarget),
        ("GET /a\tb HTTP/1.1\r\n\r\n", .badTarget),
        ("GET / HTTP/1.2\r\n\r\n", .badVersion),
        ("GET / HTTP/0.9\r\n\r\n", .badVersion),
        ("GET / HTTP/2.0\r\n\r\n", .badVersion),
        ("GET / http/1.1\r\n\r\n", .badVersion),
        ("GET / Http/1.1\r\n\r\n", .badVersion),
        // Field lines.
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", .obsFold),
        ("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n", .obsFold),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsFold),
        ("GET / HTTP/1.1\r\nA: b\r\n \r\n\r\n", .obsFold),
        ("GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nContent-Length\t: 5\r\n\r\n", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\n: b\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nTransfer-Encoding x: chunked\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\"A\": b\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\u{e9}: b\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nA[0]: b\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", .noColon),
        ("GET / HTTP/1.1\r\nHost=a\r\n\r\n", .noColon),
        ("GET / HTTP/1.1\r\nGET / HTTP/1.1\r\n\r\n", .noColon),
    ]

    @Test("A hostile request head is refused with its code, whole and byte by byte", arguments: hostileRequests)
    func hostileRequest(text: String, code: HTTP1Refusal.Code) {
        expectRefusal(.request, text, code)
    }

    /// Response heads that must be refused, and why.
    static let hostileResponses: [(String, HTTP1Refusal.Code)] = [
        ("HTTP/1.1 200 OK\nA: b\r\n\r\n", .bareLF),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\n", .bareLF),
        ("HTTP/1.1 200 O\rK\r\n\r\n", .bareCR),
        ("HTTP/1.1 200 \0\r\n\r\n", .nulByte),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .emptyLines),
        ("HTTP/1.1  200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 +20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200\tOK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1\r\n\r\n", .badStatusLine),
        ("ICY 200 OK now\r\n\r\n", .badStatusLine),
        ("<html>no head at all</html>\r\n", .badStatusLine),
        ("HTTP/2.0 200 OK\r\n\r\n", .badVersion),
        ("http/1.1 200 OK\r\n\r\n", .badVersion),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\n\r\n", .obsFold),
        ("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", .spaceBeforeColon),
    ]

    @Test("A hostile response head is refused with its code, whole and byte by byte", arguments: hostileResponses)
    func hostileResponse(text: String, code: HTTP1Refusal.Code) {
        expectRefusal(.response, text, code)
    }

    /// Heads that are just too large, each beside the same head one byte or field smaller.
    @Test("Each limit holds exactly, however the bytes arrive")
    func limits() {
        let line = "GET / HTTP/1.1\r\n"
        func field(_ bytes: Int) -> String { "A: " + String(repeating: "b", count: bytes - 5) + "\r\n" }
        func request(_ bytes: Int) -> String {
            "GET /" + String(repeating: "b", count: bytes - 16) + " HTTP/1.1\r\n\r\n"
        }
        let lineLimit = HTTP1Limits.line.value
        let full = line + (0..<3).map { _ in field(lineLimit) }.joined()
        let room = HTTP1Limits.head.value - full.utf8.count - 2
        for (good, bad, code) in [
            (request(lineLimit), request(lineLimit + 1), HTTP1Refusal.Code.requestLineTooLong),
            (line + field(lineLimit) + "\r\n", line + field(lineLimit + 1) + "\r\n", .lineTooLong),
            (full + field(room) + "\r\n", full + field(room + 1) + "\r\n", .headTooLarge),
            (
                line + String(repeating: "A: b\r\n", count: HTTP1Limits.fields.value) + "\r\n",
                line + String(repeating: "A: b\r\n", count: HTTP1Limits.fields.value + 1) + "\r\n", .tooManyFields
            ),
        ] {
            let accepted = HTTP1Transcript(.request, Array(good.utf8), pieceLength: 1000)
            #expect(accepted.outcome == .complete)
            #expect(accepted.output == Array(good.utf8))
            for pieceLength in [1, 1000, bad.utf8.count] {
                let refused = HTTP1Transcript(.request, Array(bad.utf8), pieceLength: pieceLength)
                guard case .refused(code, _) = refused.outcome else {
                    Issue.record("\(code) expected, \(refused.outcome) found")
                    continue
                }
            }
        }
    }

    @Test("A line that never ends is refused at the limit, not held for ever")
    func endless() {
        let bytes = [UInt8](repeating: 0x41, count: HTTP1Limits.line.value)
        #expect(HTTP1Transcript(.request, bytes, pieceLength: 999).outcome == .refused(.requestLineTooLong, at: 0))
        #expect(HTTP1Transcript(.response, bytes, pieceLength: 999).outcome == .refused(.lineTooLong, at: 0))
        #expect(HTTP1Transcript(.request, Array(bytes.dropLast()), pieceLength: 999).outcome == .incomplete)
    }

    private func expectRefusal(_ side: HTTP1Side, _ text: String, _ code: HTTP1Refusal.Code) {
        // Latin-1, so that a case may hold single bytes above 0x7f.
        let bytes = text.unicodeScalars.map { UInt8(clamping: $0.value) }
        let whole = HTTP1Transcript(side, bytes, pieceLength: bytes.count)
        guard case .refused(code, _) = whole.outcome else {
            Issue.record("\(code) expected, \(whole.outcome) found")
            return
        }
        #expect(whole.output.isEmpty)
        #expect(whole.rest == bytes)
        #expect(HTTP1Transcript(side, bytes, pieceLength: 1) == whole)
    }
}
