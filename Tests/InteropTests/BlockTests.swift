// SPDX-License-Identifier: Apache-2.0

// What must not leave at all.

import TestKit
import Testing

extension Interop {
    @Suite struct Blocks {
        private let key = "name: deploy\n" + Sample.privateKey + "end\n"
        /// A line of the key that stands nowhere else.
        private var secretLine: String {
            Sample.privateKey.split(separator: "\n").dropFirst(2).first.map(String.init) ?? ""
        }

        @Test("A private key is refused with an answer that says so, and nothing of it reaches the origin")
        func plain() throws {
            try withScene { scene in
                let server = try RawServer.answers(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
                defer { server.stop() }
                let body = try scene.folder.write(key, to: "body")
                let url = "http://origin.test:\(server.port)/upload"
                let answer = try scene.curl(["-H", "Content-Type: text/plain", "--data-binary", "@\(body)", url])
                // The head may be on its way when the key is found: then there is no answer left to give but a reset.
                #expect(answer.status == 403 || answer.exit != 0)
                #expect(!server.receivedText.contains(secretLine))
                #expect(!server.receivedText.contains("PRIVATE KEY"))
            }
        }

        @Test(
            "The same holds over TLS, with Content-Length, chunked and compressed",
            arguments: ["length", "chunked", "gzip"])
        func secure(framing: String) throws {
            try withScene { scene in
                var arguments = ["-H", "Content-Type: text/plain"]
                var bytes = Array(key.utf8)
                switch framing {
                case "chunked": arguments += ["-H", "Transfer-Encoding: chunked"]
                case "gzip":
                    arguments += ["-H", "Content-Encoding: gzip"]
                    bytes = try Program("gzip", ["-c"]).succeed(input: bytes).output
                default: break
                }
                let body = try scene.folder.write(bytes, to: "body")
                let answer = try scene.curl(arguments + ["--data-binary", "@\(body)", scene.origin.secure("/upload")])
                #expect(answer.status == 403 || answer.exit != 0)
                #expect(!scene.origin.hasSeen(secretLine))
                let stored = try scene.origin.finishedRequests().filter { $0.status == "200" }
                #expect(stored.isEmpty)
                let findings = try scene.findings(atLeast: 1)
                #expect(findings.contains { $0["action"] == "block" })
                #expect(findings.allSatisfy { finding in !finding.fields.values.contains { $0.contains(secretLine) } })
            }
        }

        @Test("After a refusal the client can go on with a clean request")
        func goesOn() throws {
            try withScene { scene in
                let body = try scene.folder.write(key, to: "body")
                _ = try scene.curl(["--data-binary", "@\(body)", scene.origin.secure("/upload")])
                let answer = try scene.curl(["--data", "clean=1", scene.origin.secure("/upload")])
                #expect(answer.status == 200, "\(answer.errors)")
            }
        }
    }
}
