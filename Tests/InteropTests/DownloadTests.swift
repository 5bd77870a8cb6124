// SPDX-License-Identifier: Apache-2.0

// Answers, and everyday HTTP around them.

import TestKit
import Testing

extension Interop {
    @Suite struct Downloads {
        @Test(
            "A download is the same bytes by every route", arguments: [Route.http, .socks5h, .socks5], [true, false])
        func identical(route: Route, secure: Bool) throws {
            try withScene { scene in
                let bytes = Sample.noise(2_000_003, seed: 11)
                try scene.origin.publish(bytes, as: "data.bin")
                let path = "/files/data.bin"
                let answer = try scene.curl(
                    [secure ? scene.origin.secure(path) : scene.origin.plain(path)], route: route)
                #expect(answer.status == 200, "\(answer.errors)")
                expectSame(answer.body, bytes)
            }
        }

        @Test("Text with secrets comes in unchanged: only what goes out is edited")
        func inbound() throws {
            try withScene { scene in
                try scene.origin.publish(Array(Payload.json.utf8), as: "data.json")
                let answer = try scene.curl([scene.origin.secure("/files/data.json")])
                expectSame(answer.body, Array(Payload.json.utf8))
            }
        }

        @Test("A compressed answer arrives compressed and unpacks to the file")
        func compressed() throws {
            try withScene { scene in
                let bytes = Array(Payload.long(100_000).utf8)
                try scene.origin.publish(bytes, as: "data.txt")
                let url = scene.origin.secure("/gzip/data.txt")
                let answer = try scene.curl(["-H", "Accept-Encoding: gzip", url])
                #expect(answer.headers.lowercased().contains("content-encoding: gzip"))
                expectSame(try Program("gzip", ["-dc"]).succeed(input: answer.body).output, bytes)
            }
        }

        @Test("A range is that range")
        func range() throws {
            try withScene { scene in
                let bytes = Sample.noise(100_000, seed: 3)
                try scene.origin.publish(bytes, as: "data.bin")
                let answer = try scene.curl(["--range", "1000-1999", scene.origin.secure("/files/data.bin")])
                #expect(answer.status == 206)
                expectSame(answer.body, Array(bytes[1000..<2000]))
            }
        }

        @Test("An answer to HEAD has a length and no body, and the connection goes on")
        func head() throws {
            try withScene { scene in
                try scene.origin.publish(Sample.noise(5000, seed: 1), as: "data.bin")
                let url = scene.origin.secure("/files/data.bin")
                // `--next` forgets all options but those about the connection pool.
                let again = [
                    "--next", "-s", "--cacert", scene.trust, "--proxy", scene.weir.url, "-o", "/dev/null", url,
                ]
                let answer = try scene.curl(["--head", url] + again)
                #expect(answer.text.contains("Content-Length: 5000\r\n"))
                #expect(answer.exit == 0, "\(answer.errors)")
                let requests = try scene.origin.requests(atLeast: 2)
                #expect(requests.map(\.method) == ["HEAD", "GET"])
            }
        }

        @Test("What has not changed is answered 304, and 204 has no body")
        func noBody() throws {
            try withScene { scene in
                try scene.origin.publish(Array("hello\n".utf8), as: "data.txt")
                let url = scene.origin.secure("/files/data.txt")
                let first = try scene.curl([url])
                let tag = try #require(
                    first.headers.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("etag:") })
                let value = tag.drop { $0 != "\"" }
                let second = try scene.curl(["-H", "If-None-Match: \(value)", url])
                #expect(second.status == 304)
                #expect(second.body.isEmpty)
                let third = try scene.curl([scene.origin.secure("/empty")])
                #expect(third.status == 204)
                #expect(third.exit == 0, "\(third.errors)")
            }
        }

        @Test("Three requests share one connection on both sides", arguments: [true, false])
        func keepAlive(secure: Bool) throws {
            try withScene { scene in
                let url = secure ? scene.origin.secure("/upload") : scene.origin.plain("/upload")
                let answer = try scene.curl(["--data", Payload.form, url, url, url])
                #expect(answer.exit == 0, "\(answer.errors)")
                #expect(answer.connections == 1)
                let requests = try scene.origin.requests(atLeast: 3)
                #expect(Set(requests.map(\.connection)).count == 1)
                for request in requests {
                    expectMasked(Payload.form, request.body, secrets: [Sample.iban, Sample.token])
                }
            }
        }

        @Test("An event stream arrives event by event, not at its end")
        func eventStream() throws {
            try withScene { scene in
                let asked = LockedValue(false)
                let server = try RawServer { peer in
                    _ = try peer.read()
                    try peer.connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
                    // The second event is sent once the test has seen the first.
                    _ = Deadline(seconds: 10).poll { asked.withValue { $0 } ? true : nil }
                    try peer.connection.write("data: two\n\n")
                }
                defer { server.stop() }
                let client = try Program(
                    "curl",
                    [
                        "--disable", "-sN", "--max-time", "30", "-x", scene.weir.url,
                        "http://origin.test:\(server.port)/",
                    ]
                ).start()
                defer { client.kill() }
                let first = Deadline(seconds: 8).poll { client.output == Array("data: one\n\n".utf8) ? true : nil }
                #expect(first == true)
                asked.withValue { $0 = true }
                #expect(client.wait(within: 10) == 0)
                #expect(client.output == Array("data: one\n\ndata: two\n\n".utf8))
            }
        }
    }
}
