// SPDX-License-Identifier: Apache-2.0

// Requests that two parsers could read differently never reach an origin.

import TestKit
import Testing

extension Interop {
    @Suite struct HostileHTTP {
        struct Attack: Sendable, CustomStringConvertible {
            let description: String
            /// The header block after the request line, with its end, and the body.
            let rest: String
        }

        static let attacks: [Attack] = [
            Attack(
                description: "both lengths",
                rest: "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
            Attack(description: "two different lengths", rest: "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            Attack(description: "a bare LF", rest: "X-A: 1\nContent-Length: 5\r\n\r\nhello"),
            Attack(description: "a bare CR", rest: "X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n"),
            Attack(description: "a folded line", rest: "X-A: 1\r\n Content-Length: 50\r\nContent-Length: 0\r\n\r\n"),
            Attack(description: "a space before the colon", rest: "Content-Length : 5\r\n\r\nhello"),
            Attack(description: "a signed length", rest: "Content-Length: +5\r\n\r\nhello"),
            Attack(description: "an unknown coding", rest: "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
            Attack(
                description: "a bad chunk size", rest: "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
            Attack(
                description: "a chunk size that overflows",
                rest: "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
            Attack(description: "a NUL in a field", rest: "X-A: a\0b\r\nContent-Length: 0\r\n\r\n"),
            Attack(description: "a huge head", rest: "X-A: \(String(repeating: "a", count: 2 << 20))\r\n\r\n"),
            Attack(
                description: "a hundred thousand fields",
                rest: String(repeating: "X-A: 1\r\n", count: 100_000) + "\r\n"),
        ]

        @Test("It is refused with 4xx in absolute form, and the origin hears nothing", arguments: attacks)
        func absolute(attack: Attack) throws {
            try withScene { scene in
                let server = try RawServer.silent()
                defer { server.stop() }
                let connection = try Connection(address: "127.0.0.1", port: scene.weir.port)
                defer { connection.close() }
                let host = "origin.test:\(server.port)"
                try attempt(connection, "POST http://\(host)/upload HTTP/1.1\r\nHost: \(host)\r\n" + attack.rest)
                expectHeardNothing(server)
            }
        }

        @Test("It is refused with 4xx inside a tunnel, and the origin hears nothing", arguments: attacks)
        func tunnelled(attack: Attack) throws {
            try withScene { scene in
                let server = try RawServer.silent()
                defer { server.stop() }
                let connection = try tunnel(scene, to: server.port, .http)
                defer { connection.close() }
                try attempt(connection, "POST /upload HTTP/1.1\r\nHost: origin.test:\(server.port)\r\n" + attack.rest)
                expectHeardNothing(server)
            }
        }

        @Test("Inside TLS it is refused the same", arguments: attacks.prefix(4))
        func secure(attack: Attack) throws {
            try withScene { scene in
                let request = "POST /upload HTTP/1.1\r\nHost: origin.test\r\n" + attack.rest
                let target = "origin.test:\(scene.origin.port(.ec))"
                let result = try Program(
                    "openssl",
                    ["s_client", "-quiet", "-proxy", "127.0.0.1:\(scene.weir.port)", "-connect", target]
                        + [
                            "-servername", "origin.test", "-CAfile", scene.trust, "-verify_return_error", "-alpn",
                            "http/1.1",
                        ]
                ).run(input: Array(request.utf8))
                #expect(result.text.hasPrefix("HTTP/1.1 4"), "\(result.text.prefix(200))")
                #expect(try scene.origin.finishedRequests().isEmpty)
            }
        }

        @Test(
            "Nonsense sent to the proxy itself is refused or ended, and others are served on",
            arguments: [
                "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n", "CONNECT origin.test HTTP/1.1\r\n\r\n",
                "CONNECT origin.test:99999 HTTP/1.1\r\nHost: origin.test:99999\r\n\r\n", "\u{05}\u{00}",
                "\u{04}\u{01}\u{00}P",
                "GET ftp://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n", "\r\n\r\n\r\n\r\n", "GET",
            ])
        func nonsense(request: String) throws {
            try withScene { scene in
                let connection = try Connection(address: "127.0.0.1", port: scene.weir.port)
                defer { connection.close() }
                try connection.write(request)
                connection.endWriting()
                let answer = String(decoding: (try? connection.readAll()) ?? [], as: UTF8.self)
                #expect(!answer.hasPrefix("HTTP/1.1 2"))
                let after = try scene.curl(["--data", "x=1", scene.origin.secure("/upload")])
                #expect(after.status == 200, "\(after.errors)")
            }
        }

        private func attempt(
            _ connection: Connection, _ request: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            // Weir may refuse before everything is written, and close: then the rest of the write fails.
            try? connection.write(request)
            let answer = (try? connection.readAll { $0.count >= 12 }) ?? []
            let line = String(decoding: answer.prefix(12), as: UTF8.self)
            // 501 is for a transfer coding that nobody knows (RFC 9112 section 6.1).
            let isRefused = line.hasPrefix("HTTP/1.1 4") || line.hasPrefix("HTTP/1.1 501")
            #expect(isRefused, "answered: \(line)", sourceLocation: sourceLocation)
        }

        private func expectHeardNothing(_ server: RawServer, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(server.receivedText == "", sourceLocation: sourceLocation)
        }
    }
}
