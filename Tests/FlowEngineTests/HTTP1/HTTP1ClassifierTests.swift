// SPDX-License-Identifier: Apache-2.0

// First bytes: what is HTTP, what is not, and how early that is known.

import FlowModel
import NIOCore
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 classifier")
struct HTTP1ClassifierTests {
    /// The answer for Latin-1 text, and after how many bytes it came when they arrive one by one.
    private func answer(_ text: String) -> (answer: HTTP1Classifier.Answer, bytes: Int) {
        var classifier = HTTP1Classifier()
        var buffer = ByteBuffer()
        for (index, scalar) in text.unicodeScalars.enumerated() {
            buffer.writeInteger(UInt8(clamping: scalar.value))
            let answer = classifier.classify(buffer)
            if answer != .needMore { return (answer, index + 1) }
        }
        return (.needMore, text.unicodeScalars.count)
    }

    private func code(_ answer: HTTP1Classifier.Answer) -> String {
        switch answer {
        case .needMore: return "need-more"
        case .http: return "http"
        case .notHTTP(let reason): return reason.code
        }
    }

    /// First bytes, the answer, and the number of bytes that suffice for it.
    static let cases: [(String, String, Int)] = [
        ("GET / HTTP/1.1\r\n", "http", 12),
        ("GET / HTTP/1.0\r\n", "http", 12),
        ("FROBNICATE /x HTTP/1.1\r\n", "http", 20),
        ("CONNECT a:443 HTTP/1.1\r\n", "http", 20),
        ("OPTIONS * HTTP/1.1\r\n", "http", 16),
        ("\r\nGET / HTTP/1.1\r\n", "http", 14),
        // What lax servers take for HTTP is HTTP, to be refused.
        (" GET / HTTP/1.1\r\n", "http", 13),
        ("GET\t/\tHTTP/1.1\r\n", "http", 12),
        ("GET\u{b}/\u{b}HTTP/1.1\r\n", "http", 12),
        ("GET / http/1.1\n", "http", 12),
        ("get / HTTP/1.1\n", "http", 12),
        ("GET / HTTP/2.0\r\n", "http", 12),
        ("GET /\0 HTTP/1.1\r\n", "http", 13),
        ("GET /a b c HTTP/1.1\r\n", "http", 17),
        ("GET /\r\n", "http", 7),
        ("GET http://a/\n", "http", 14),
        // Other protocols.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2-prior-knowledge", 12),
        ("SSH-2.0-OpenSSH_9.6\r\n", "not-http", 20),
        ("SSH-2.0-OpenSSH_9.6p1 Ubuntu-3\r\n", "not-http", 32),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}", "not-http", 1),
        ("\0\0\0\u{8}", "not-http", 1),
        ("\u{80}", "not-http", 1),
        ("EHLO client.example\r\n", "not-http", 21),
        ("QUIT\r\n", "not-http", 5),
        ("AMQP\0\0\u{9}\u{1}", "not-http", 5),
        ("*1\r\n$4\r\nPING\r\n", "not-http", 3),
        ("SET key value\r\n", "not-http", 15),
        ("GET key\r\n", "not-http", 9),
        ("<?xml version='1.0'?>", "not-http", 1),
        ("{\"jsonrpc\":\"2.0\"}", "not-http", 1),
        ("OPTIONS rtsp://a/ RTSP/1.0\r\n", "not-http", 28),
        ("OPTIONS * RTSP/1.0\r\n", "not-http", 20),
        ("REGISTER sip:a SIP/2.0\r\n", "not-http", 24),
        ("CONNECT {\"verbose\":false}\r\n", "not-http", 27),
        ("CONNECT\naccept-version:1.2\n", "not-http", 8),
        ("0032git-upload-pack /p\0host=a\0", "not-http", 23),
        ("HTTP/1.1 200 OK\r\n", "not-http", 5),
        ("USER a 0 * :HTTP/1.1\r\n", "not-http", 22),
        (String(repeating: "A", count: 33), "not-http", 33),
        // Not enough to tell.
        ("", "need-more", 0),
        ("\r\n", "need-more", 2),
        ("GET", "need-more", 3),
        ("GET / HTTP/", "need-more", 11),
        ("GET /" + String(repeating: "a", count: 9000), "need-more", 9005),
        ("XYZ /" + String(repeating: "a", count: 9000) + " HTTP/1.1", "http", 9012),
    ]

    @Test("First bytes are told apart as early as they can be", arguments: cases)
    func classify(text: String, expected: String, bytes: Int) {
        let found = answer(text)
        #expect(code(found.answer) == expected)
        #expect(found.bytes == bytes)
        var classifier = HTTP1Classifier()
        let whole = classifier.classify(ByteBuffer(bytes: text.unicodeScalars.map { UInt8(clamping: $0.value) }))
        #expect(whole == found.answer)
        #expect(classifier.classify(ByteBuffer()) == whole || whole == .needMore)
    }

    @Test("At the limit a known method is HTTP and anything else is not")
    func limit() {
        let filler = String(repeating: "a", count: HTTP1Limits.classify.value)
        #expect(answer("POST /" + filler).answer == .http)
        #expect(code(answer("XYZ /" + filler).answer) == "not-http")
        #expect(code(answer(String(repeating: "\r\n", count: HTTP1Limits.classify.value)).answer) == "not-http")
        #expect(answer("POST /" + filler).bytes == HTTP1Limits.classify.value)
    }

    @Test("Every request vector is HTTP", arguments: HTTP1Vector.all.filter { $0.side == .request })
    func vectors(vector: HTTP1Vector) {
        var classifier = HTTP1Classifier()
        #expect(classifier.classify(ByteBuffer(bytes: vector.bytes)) == .http)
    }

    @Test("Every hostile request head that has a request line is HTTP, or starts with a byte no method has")
    func hostile() {
        for (text, code) in HTTP1HeadReaderTests.hostileRequests where code != .badMethod && code != .badRequestLine {
            #expect(answer(text).answer == .http, "\(text.debugDescription)")
        }
    }
}
