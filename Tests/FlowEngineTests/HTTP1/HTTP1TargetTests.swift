// SPDX-License-Identifier: Apache-2.0

// Where a request goes.

import FlowModel
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 target and Host")
struct HTTP1TargetTests {
    private func destination(_ line: String, _ fields: String...) throws -> HTTP1Destination {
        let head = try #require(http1Head(line + "\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"))
        return try HTTP1Destination(head, defaultPort: 80)
    }

    @Test("The four forms are told apart")
    func forms() throws {
        #expect(try destination("GET /a?b HTTP/1.1", "Host: x").target == .origin)
        #expect(try destination("GET //a HTTP/1.1", "Host: x").target == .origin)
        #expect(try destination("OPTIONS * HTTP/1.1", "Host: x").target == .asterisk)
        let tunnel = try #require(Endpoint("x.example:443"))
        #expect(try destination("CONNECT X.example:443 HTTP/1.1", "Host: x.example").target == .authority(tunnel))
        guard case .absolute(let absolute) = try destination("GET HTTPS://x.example/p HTTP/1.1", "Host: x").target
        else {
            Issue.record("not absolute")
            return
        }
        #expect(absolute.scheme == .https)
        #expect(absolute.endpoint == Endpoint("x.example:443"))
    }

    static let hosts: [(String, String)] = [
        ("x.example", "x.example:80"), ("X.Example:8080", "x.example:8080"), ("x.example.", "x.example:80"),
        ("192.0.2.1", "192.0.2.1:80"), ("[2001:db8::1]", "[2001:db8::1]:80"), ("[2001:db8::1]:81", "[2001:db8::1]:81"),
        ("a_b", "a_b:80"),
    ]

    @Test("A good Host is understood", arguments: hosts)
    func goodHost(value: String, endpoint: String) throws {
        #expect(try destination("GET / HTTP/1.1", "Host: \(value)").endpoint == Endpoint(endpoint))
        #expect(try destination("GET http://\(value)/ HTTP/1.1", "Host: \(value)").endpoint == Endpoint(endpoint))
    }

    static let badHosts = [
        "a b", "a,b", "a:b", "a:", "a:0", "a:65536", "a:+80", "a:80:80", "a/b", "a@b", "user:pw@a", "2001:db8::1",
        "abcd::1",
        "[2001:db8::1", "2001:db8::1]", "[192.0.2.1]", "[a]", "[]", "[fe80::1%25eth0]", "[fe80::1%1]", "1.2.3",
        "0x7f.1",
        "127.1", "a..b", ".a", "a%2eb", "\u{e9}", "a\\b", "a;b", "\"a\"", "http://a",
    ]

    @Test("A Host that is not a host and a port is refused", arguments: badHosts)
    func badHost(value: String) {
        #expect(throws: HTTP1Refusal(.badHost, .request)) { try destination("GET / HTTP/1.1", "Host: \(value)") }
    }

    @Test("HTTP/1.1 has exactly one Host, HTTP/1.0 at most one")
    func count() throws {
        #expect(throws: HTTP1Refusal(.noHost, .request)) { try destination("GET / HTTP/1.1") }
        #expect(throws: HTTP1Refusal(.noHost, .request)) { try destination("GET http://a/ HTTP/1.1") }
        #expect(throws: HTTP1Refusal(.hostTwice, .request)) { try destination("GET / HTTP/1.1", "Host: a", "host: a") }
        #expect(throws: HTTP1Refusal(.hostTwice, .request)) { try destination("GET / HTTP/1.0", "Host: a", "Host: b") }
        #expect(throws: HTTP1Refusal(.hostTwice, .request)) { try destination("GET / HTTP/1.1", "Host:", "Host: b") }
        #expect(try destination("GET / HTTP/1.0").endpoint == nil)
        #expect(try destination("GET / HTTP/1.1", "Host:").endpoint == nil)
    }

    static let badTargets: [(String, HTTP1Refusal.Code)] = [
        ("GET * HTTP/1.1", .badTarget), ("GET a HTTP/1.1", .badTarget), ("GET x.example:80 HTTP/1.1", .badTarget),
        ("GET http:/a HTTP/1.1", .badTarget), ("GET http:a HTTP/1.1", .badTarget), ("GET :// HTTP/1.1", .badTarget),
        ("GET ?a HTTP/1.1", .badTarget), ("OPTIONS ** HTTP/1.1", .badTarget),
        ("CONNECT / HTTP/1.1", .badTarget), ("CONNECT a HTTP/1.1", .badTarget), ("CONNECT a: HTTP/1.1", .badTarget),
        ("CONNECT http://a:80 HTTP/1.1", .badTarget), ("CONNECT a:0 HTTP/1.1", .badTarget),
        ("CONNECT u@a:80 HTTP/1.1", .badTarget), ("CONNECT a:80/ HTTP/1.1", .badTarget),
        ("GET ftp://a/ HTTP/1.1", .unsupportedScheme), ("GET ://a/ HTTP/1.1", .unsupportedScheme),
        ("GET http://u@a/ HTTP/1.1", .userinfo), ("GET http://a:80@b/ HTTP/1.1", .userinfo),
        ("GET http:// HTTP/1.1", .badTarget), ("GET http:/// HTTP/1.1", .badHost),
        ("GET http://:80/ HTTP/1.1", .badHost),
        ("GET http://a\\b/ HTTP/1.1", .badHost), ("GET http://a:99999/ HTTP/1.1", .badHost),
    ]

    @Test("A target that has no form, or not one for its method, is refused", arguments: badTargets)
    func badTarget(line: String, code: HTTP1Refusal.Code) {
        #expect(throws: HTTP1Refusal(code, .request)) { try destination(line, "Host: a") }
    }

    @Test("In absolute form the target wins, and a Host that says otherwise is noticed")
    func disagreement() throws {
        for (line, host, disagrees) in [
            ("GET http://a/ HTTP/1.1", "a", false), ("GET http://a/ HTTP/1.1", "A:80", false),
            ("GET http://a:80 HTTP/1.1", "a", false), ("GET https://a/ HTTP/1.1", "a:443", false),
            ("GET https://a/ HTTP/1.1", "a:80", true), ("GET http://a/ HTTP/1.1", "b", true),
            ("GET http://a/ HTTP/1.1", "a:81", true), ("GET http://a/ HTTP/1.1", "", true),
            ("CONNECT a:443 HTTP/1.1", "a", false), ("CONNECT a:443 HTTP/1.1", "a:443", false),
            ("CONNECT a:443 HTTP/1.1", "b:443", true), ("CONNECT a:443 HTTP/1.1", "", false),
        ] {
            let found = try destination(line, "Host: \(host)")
            #expect(found.hostDisagrees == disagrees, "\(line) \(host)")
            #expect(found.endpoint?.host == Host("a"))
        }
        #expect(try destination("GET http://a/ HTTP/1.0").hostDisagrees)
    }

    @Test("A response has no target")
    func response() throws {
        let head = try #require(http1Response(200))
        #expect(throws: HTTP1Refusal.self) { try HTTP1Target(head) }
    }
}
