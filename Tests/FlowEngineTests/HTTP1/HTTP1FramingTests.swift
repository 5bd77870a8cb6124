// SPDX-License-Identifier: Apache-2.0

// Where bodies end: RFC 9112 section 6.3, and every known way to make two readers disagree.

import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 framing")
struct HTTP1FramingTests {
    /// The fields of a request and how its body is framed.
    static let requests: [(String, [String], HTTP1Framing)] = [
        ("GET", [], .none),
        ("POST", [], .none),
        ("POST", ["Content-Length: 0"], .length(0)),
        ("POST", ["content-LENGTH:\t42 "], .length(42)),
        ("GET", ["Content-Length: 7"], .length(7)),
        ("POST", ["Content-Length: 9223372036854775807"], .length(UInt64(Int64.max))),
        ("POST", ["Transfer-Encoding: chunked"], .chunked),
        ("POST", ["Transfer-encoding:CHUNKED"], .chunked),
        ("TRACE", [], .none),
        ("CONNECT", ["Content-Length: 0"], .length(0)),
        ("POST", ["X-Content-Length: 5", "Connection: keep-alive, X-Host"], .none),
    ]

    @Test("A request is framed by what it says", arguments: requests)
    func request(method: String, fields: [String], framing: HTTP1Framing) throws {
        let head = try #require(
            http1Head("\(method) / HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"))
        #expect(try HTTP1Framing(head) == framing)
    }

    /// Fields that must not be believed, and why.
    static let hostileFields: [([String], HTTP1Refusal.Code)] = [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], .bothLengths),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], .bothLengths),
        (["Transfer-Encoding: xchunked", "Content-Length: 5"], .bothLengths),
        (["Content-Length: 5", "Content-Length: 6"], .lengthTwice),
        (["Content-Length: 5", "content-length: 5"], .lengthTwice),
        (["Content-Length: 5, 5"], .badLength),
        (["Content-Length:"], .badLength),
        (["Content-Length: +5"], .badLength),
        (["Content-Length: -5"], .badLength),
        (["Content-Length: 5 5"], .badLength),
        (["Content-Length: 0x5"], .badLength),
        (["Content-Length: 5.0"], .badLength),
        (["Content-Length: 5e0"], .badLength),
        (["Content-Length: 1_0"], .badLength),
        (["Content-Length: 05"], .badLength),
        (["Content-Length: 00"], .badLength),
        (["Content-Length: \"5\""], .badLength),
        (["Content-Length: 5;"], .badLength),
        (["Content-Length: \u{661}"], .badLength),
        (["Content-Length: 9223372036854775808"], .badLength),
        (["Content-Length: 18446744073709551621"], .badLength),
        (["Content-Length: 100000000000000000005"], .badLength),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], .codingTwice),
        (["Transfer-Encoding: gzip", "transfer-encoding: chunked"], .codingTwice),
        (["Transfer-Encoding: gzip, chunked"], .unknownCoding),
        (["Transfer-Encoding: chunked, chunked"], .unknownCoding),
        (["Transfer-Encoding: chunked, identity"], .unknownCoding),
        (["Transfer-Encoding: identity"], .unknownCoding),
        (["Transfer-Encoding: xchunked"], .unknownCoding),
        (["Transfer-Encoding: chunkedx"], .unknownCoding),
        (["Transfer-Encoding: chunked;"], .unknownCoding),
        (["Transfer-Encoding: chunked;q=1"], .unknownCoding),
        (["Transfer-Encoding: \"chunked\""], .unknownCoding),
        (["Transfer-Encoding: ,chunked"], .unknownCoding),
        (["Transfer-Encoding: chunked,"], .unknownCoding),
        (["Transfer-Encoding: : chunked"], .unknownCoding),
        (["Transfer-Encoding: chunked\u{a0}"], .unknownCoding),
        (["Transfer-Encoding: chun\u{212a}ed"], .unknownCoding),
        (["Transfer-Encoding:"], .unknownCoding),
        (["Transfer_Encoding: chunked"], .lookalikeField),
        (["content_length: 5"], .lookalikeField),
        (["Connection: close, Content-Length", "Content-Length: 5"], .connectionOption),
        (["Connection: transfer-encoding"], .connectionOption),
        (["Connection: keep-alive", "Connection:HOST"], .connectionOption),
    ]

    @Test("Fields that readers understand differently are refused in requests and responses", arguments: hostileFields)
    func hostile(fields: [String], code: HTTP1Refusal.Code) throws {
        let lines = fields.map { $0 + "\r\n" }.joined() + "\r\n"
        let request = try #require(http1Head("POST / HTTP/1.1\r\n" + lines))
        #expect(throws: HTTP1Refusal(code, .request)) { try HTTP1Framing(request) }
        let response = try #require(http1Head("HTTP/1.1 200 OK\r\n" + lines, .response))
        #expect(throws: HTTP1Refusal(code, .response)) { try HTTP1Framing(response, answering: "GET") }
    }

    @Test("HTTP/1.0 has no transfer coding")
    func version10() throws {
        let request = try #require(http1Request("POST", "Transfer-Encoding: chunked", version: "HTTP/1.0"))
        #expect(throws: HTTP1Refusal(.codingInHTTP10, .request)) { try HTTP1Framing(request) }
        let response = try #require(http1Response(200, "Transfer-Encoding: chunked", version: "HTTP/1.0"))
        #expect(throws: HTTP1Refusal(.codingInHTTP10, .response)) { try HTTP1Framing(response) }
    }

    @Test("CONNECT and TRACE carry no body", arguments: ["CONNECT", "TRACE"])
    func noBody(method: String) throws {
        for field in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
            let head = try #require(http1Request(method, field))
            #expect(throws: HTTP1Refusal(.bodyNotAllowed, .request)) { try HTTP1Framing(head) }
        }
    }

    /// Method, status, fields of the response, and how its body is framed; nil means refused.
    static let responses: [(String, Int, [String], HTTP1Framing?)] = [
        ("GET", 200, [], .untilClose),
        ("GET", 200, ["Content-Length: 5"], .length(5)),
        ("GET", 200, ["Transfer-Encoding: chunked"], .chunked),
        ("GET", 205, ["Content-Length: 0"], .length(0)),
        ("GET", 500, [], .untilClose),
        ("HEAD", 200, [], HTTP1Framing.none),
        ("HEAD", 200, ["Content-Length: 5"], HTTP1Framing.none),
        ("HEAD", 404, ["Transfer-Encoding: chunked"], HTTP1Framing.none),
        ("HEAD", 200, ["Content-Length: 5", "Transfer-Encoding: chunked"], nil),
        ("GET", 100, [], HTTP1Framing.none),
        ("GET", 101, [], HTTP1Framing.none),
        ("GET", 103, ["Content-Length: 0"], HTTP1Framing.none),
        ("GET", 103, ["Content-Length: 5"], nil),
        ("GET", 204, [], HTTP1Framing.none),
        ("GET", 204, ["Content-Length: 0"], HTTP1Framing.none),
        ("GET", 204, ["Content-Length: 5"], nil),
        ("GET", 204, ["Transfer-Encoding: chunked"], nil),
        ("GET", 304, ["Content-Length: 5"], HTTP1Framing.none),
        ("GET", 304, ["Transfer-Encoding: chunked"], HTTP1Framing.none),
        ("CONNECT", 200, ["Content-Length: 5"], HTTP1Framing.none),
        ("CONNECT", 200, ["Content-Length: 5", "Transfer-Encoding: chunked"], HTTP1Framing.none),
        ("CONNECT", 407, ["Content-Length: 5"], .length(5)),
    ]

    @Test("A response is framed by status, method and fields", arguments: responses)
    func response(method: String, status: Int, fields: [String], framing: HTTP1Framing?) throws {
        let head = try #require(
            http1Head("HTTP/1.1 \(status) X\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n", .response))
        if let framing {
            #expect(try HTTP1Framing(head, answering: method) == framing)
        } else {
            #expect(throws: HTTP1Refusal.self) { try HTTP1Framing(head, answering: method) }
        }
    }

    @Test("A refusal names the line it is about")
    func place() throws {
        let head = try #require(http1Head("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"))
        do throws(HTTP1Refusal) {
            _ = try HTTP1Framing(head)
            Issue.record("accepted")
        } catch {
            #expect(error.offset == 25)
        }
    }
}
