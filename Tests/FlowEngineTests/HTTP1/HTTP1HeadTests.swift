// SPDX-License-Identifier: Apache-2.0

// What a head says about its connection.

import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 head")
struct HTTP1HeadTests {
    static let persistence: [(String, [String], Bool)] = [
        ("HTTP/1.1", [], true),
        ("HTTP/1.1", ["Connection: close"], false),
        ("HTTP/1.1", ["Connection: Keep-Alive , CLOSE"], false),
        ("HTTP/1.1", ["Connection: keep-alive", "connection: close"], false),
        ("HTTP/1.1", ["Connection: closed"], true),
        ("HTTP/1.1", ["X-Connection: close"], true),
        ("HTTP/1.0", [], false),
        ("HTTP/1.0", ["Connection: keep-alive"], true),
        ("HTTP/1.0", ["Connection: keep-alive, close"], false),
        ("HTTP/1.0", ["Proxy-Connection: keep-alive"], false),
    ]

    @Test("A connection goes on as RFC 9112 section 9.3 says", arguments: persistence)
    func keepsAlive(version: String, fields: [String], expected: Bool) throws {
        let lines = fields.map { $0 + "\r\n" }.joined()
        let request = try #require(http1Head("GET / \(version)\r\n\(lines)\r\n"))
        #expect(request.keepsAlive == expected)
        let response = try #require(http1Head("\(version) 200 OK\r\n\(lines)\r\n", .response))
        #expect(response.keepsAlive == expected)
    }

    @Test("Only a plain 100-continue is waited for, and HTTP/1.0 waits for nothing")
    func expectsContinue() throws {
        #expect(try #require(http1Request("PUT")).expectsContinue() == false)
        #expect(try #require(http1Request("PUT", "Expect: 100-Continue")).expectsContinue())
        #expect(
            try #require(http1Request("PUT", "Expect: 100-continue", version: "HTTP/1.0")).expectsContinue() == false)
        #expect(try #require(http1Response(200, "Expect: 100-continue")).expectsContinue() == false)
        for head in [
            http1Request("PUT", "Expect: y 100-continue"), http1Request("PUT", "Expect:"),
            http1Request("PUT", "Expect: 100-continue, 100-continue"),
            http1Request("PUT", "Expect: 100-continue", "Expect: 100-continue"),
        ] {
            let head = try #require(head)
            #expect(throws: HTTP1Refusal(.badExpect, .request)) { try head.expectsContinue() }
        }
    }

    @Test("An upgrade needs both Upgrade and Connection")
    func upgrade() throws {
        let both = try #require(
            http1Request("GET", "Upgrade: WebSocket , h2c", "Connection: keep-alive, UPGRADE", "Upgrade: ,x/1"))
        #expect(both.upgradeProtocols == ["websocket", "h2c", "x/1"])
        #expect(try #require(http1Request("GET", "Upgrade: websocket")).upgradeProtocols.isEmpty)
        let old = http1Request("GET", "Upgrade: a", "Connection: upgrade", version: "HTTP/1.0")
        #expect(try #require(old).upgradeProtocols.isEmpty)
    }

    @Test("101 and success of CONNECT leave HTTP")
    func leaves() throws {
        #expect(try #require(http1Response(101)).leavesHTTP(answering: "GET"))
        #expect(try #require(http1Response(200)).leavesHTTP(answering: "CONNECT"))
        #expect(try #require(http1Response(200)).leavesHTTP(answering: "GET") == false)
        #expect(try #require(http1Response(407)).leavesHTTP(answering: "CONNECT") == false)
    }
}
