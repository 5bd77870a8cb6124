// SPDX-License-Identifier: Apache-2.0

// Sensitive data in uploads: what the origin receives.

import TestKit
import Testing

extension Interop {
    @Suite struct Uploads {
        /// Every way into Weir, over TLS and in plain.
        static let ways: [(Route, Bool)] = [
            (.http, true), (.http, false), (.socks5h, true), (.socks5h, false), (.socks5, true),
        ]

        @Test("A JSON upload arrives with card, IBAN and token masked in place, by every route", arguments: ways)
        func json(route: Route, secure: Bool) throws {
            try withScene { scene in
                let url = secure ? scene.origin.secure("/upload") : scene.origin.plain("/upload")
                let body = try scene.folder.write(Payload.json, to: "body")
                let answer = try scene.curl(
                    ["-H", "Content-Type: application/json", "--data-binary", "@\(body)", url], route: route)
                #expect(answer.exit == 0, "\(answer.errors)")
                #expect(answer.status == 200)
                #expect(answer.text == "{\"stored\":true}\n")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectMasked(Payload.json, request.body)
                #expect(request.method == "POST")
                #expect(request.type == "application/json")
                #expect(request.length == "\(Payload.json.utf8.count)")
                #expect(request.text.contains(Sample.email), "an e-mail address is reported, not masked")
            }
        }

        @Test("A form of several parts keeps its shape and loses its secrets")
        func multipart() throws {
            try withScene { scene in
                let notes = try scene.folder.write(Payload.json, to: "notes.txt")
                let answer = try scene.curl([
                    "-F", "comment=card \(Sample.card)", "-F", "file=@\(notes);type=text/plain",
                    scene.origin.secure("/upload"),
                ])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                let boundary = try #require(request.type.split(separator: "=").last.map(String.init))
                let start = "--\(boundary)\r\nContent-Disposition: form-data; name="
                let sent =
                    start + "\"comment\"\r\n\r\ncard \(Sample.card)\r\n"
                    + start + "\"file\"; filename=\"notes.txt\"\r\nContent-Type: text/plain\r\n\r\n\(Payload.json)\r\n"
                    + "--\(boundary)--\r\n"
                expectMasked(sent, request.body)
            }
        }

        @Test("A URL-encoded form is masked")
        func urlEncoded() throws {
            try withScene { scene in
                _ = try scene.curl(["--data", Payload.form, scene.origin.secure("/upload")])
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.type == "application/x-www-form-urlencoded")
                expectMasked(Payload.form, request.body, secrets: [Sample.iban, Sample.token])
            }
        }

        @Test("A gzip body arrives as gzip and unpacks to the masked text")
        func gzip() throws {
            try withScene { scene in
                let packed = try Program("gzip", ["-c"]).succeed(input: Array(Payload.json.utf8)).output
                let body = try scene.folder.write(packed, to: "body.gz")
                let answer = try scene.curl([
                    "-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip", "--data-binary", "@\(body)",
                    scene.origin.secure("/upload"),
                ])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.encoding == "gzip")
                let unpacked = try Program("gzip", ["-dc"]).succeed(input: request.body).output
                expectMasked(Payload.json, unpacked)
            }
        }

        @Test("A gzip body without findings arrives as the same bytes")
        func cleanGzip() throws {
            try withScene { scene in
                let text = String(repeating: "Nothing to see here, move along.\n", count: 400)
                let packed = try Program("gzip", ["-c"]).succeed(input: Array(text.utf8)).output
                let body = try scene.folder.write(packed, to: "body.gz")
                _ = try scene.curl([
                    "-H", "Content-Encoding: gzip", "-H", "Content-Type: text/plain", "--data-binary", "@\(body)",
                    scene.origin.secure("/upload"),
                ])
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectSame(request.body, packed)
            }
        }

        @Test("A chunked upload stays chunked, and secrets that straddle its pieces are masked")
        func chunked() throws {
            try withScene { scene in
                let text = Payload.long(300_000)
                let body = try scene.folder.write(text, to: "body")
                let answer = try scene.curl([
                    "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: text/plain", "--data-binary", "@\(body)",
                    scene.origin.secure("/upload"),
                ])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.transfer == "chunked")
                #expect(request.length == "")
                expectMasked(text, request.body)
            }
        }

        @Test("A binary upload arrives as the same bytes")
        func binary() throws {
            try withScene { scene in
                let bytes = Sample.noise(3_000_001, seed: 7)
                let body = try scene.folder.write(bytes, to: "body")
                let answer = try scene.curl([
                    "-H", "Content-Type: application/octet-stream", "-T", body, scene.origin.secure("/upload"),
                ])
                #expect(answer.status == 200, "\(answer.errors)")
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.method == "PUT")
                expectSame(request.body, bytes)
            }
        }

        @Test("A client that waits for 100 Continue gets it")
        func expectContinue() throws {
            try withScene { scene in
                let body = try scene.folder.write(Payload.json, to: "body")
                let answer = try scene.curl([
                    "-H", "Expect: 100-continue", "--expect100-timeout", "30", "-H", "Content-Type: application/json",
                    "--data-binary", "@\(body)", scene.origin.secure("/upload"),
                ])
                #expect(answer.status == 200, "\(answer.errors)")
                #expect(answer.headers.contains(" 100 Continue"))
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectMasked(Payload.json, request.body)
            }
        }

        @Test("The credentials of the request itself are not touched")
        func ownCredentials() throws {
            try withScene { scene in
                _ = try scene.curl([
                    "-H", "Authorization: Bearer \(Sample.token)", "--data", "x=1", scene.origin.secure("/upload"),
                ])
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                #expect(request.authorization == "Bearer \(Sample.token)")
            }
        }

        @Test("The preset report changes no byte and records what it saw")
        func report() throws {
            try withScene(.report) { scene in
                let body = try scene.folder.write(Payload.json, to: "body")
                _ = try scene.curl([
                    "-H", "Content-Type: application/json", "--data-binary", "@\(body)", scene.origin.secure("/upload"),
                ])
                let request = try #require(try scene.origin.requests(atLeast: 1).first)
                expectSame(request.body, Array(Payload.json.utf8))
                let findings = try scene.findings(atLeast: 4)
                #expect(findings.allSatisfy { $0["action"] == "report" })
            }
        }
    }
}
