// SPDX-License-Identifier: Apache-2.0

// The tests' own tools, without Weir: what they claim to see is there.

import TestKit
import Testing

extension Interop {
    @Suite struct Kit {
        @Test(
            "A GitHub token's check characters are the ones that detectors expect",
            arguments: [
                ("qhFWCEPyYngFb51yBMWXaSCrUZoL8g", "00LEtf"), ("UzEjfebzJ6sZWdoHIxrXl0gqn87b1P", "46kltO"),
            ])
        func token(random: String, sum: String) {
            #expect(Sample.gitHubToken(random) == "ghp_" + random + sum)
        }

        @Test("Without Weir the origin receives every secret as it was sent, by each kind of framing")
        func origin() throws {
            try TestNetwork.require()
            let authority = try LocalCA()
            defer { authority.remove() }
            let origin = try NginxOrigin(authority: authority)
            defer { origin.stop() }
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let body = try folder.write(Payload.json, to: "body")
            let upload = ["-H", "Content-Type: application/json", "--data-binary", "@\(body)"]
            for arguments in [
                [origin.secure("/upload")], [origin.plain("/upload")], [origin.http2("/upload")],
                [origin.secure("/upload", .rsa), "-H", "Transfer-Encoding: chunked"],
            ] {
                let answer = try curl(upload + arguments, route: .direct, trust: authority.root)
                #expect(answer.status == 200, "\(answer.errors)")
                #expect(answer.text == "{\"stored\":true}\n")
            }
            let requests = try origin.requests(atLeast: 4)
            for request in requests { expectSame(request.body, Array(Payload.json.utf8)) }
            #expect(requests.map(\.alpn) == ["http/1.1", "", "h2", "http/1.1"])
            #expect(requests.last?.transfer == "chunked")
            #expect(origin.hasSeen(Sample.token))
        }

        @Test("Without Weir each bad certificate is refused by curl", arguments: CertificateKind.bad)
        func certificates(kind: CertificateKind) throws {
            try TestNetwork.require()
            let authority = try LocalCA()
            defer { authority.remove() }
            let origin = try NginxOrigin(authority: authority)
            defer { origin.stop() }
            let answer = try curl([origin.secure("/empty", kind)], route: .direct, trust: authority.root)
            #expect(answer.exit != 0)
            let accepted = try curl(
                ["--insecure", "--ciphers", "DEFAULT:@SECLEVEL=0", origin.secure("/empty", kind)],
                route: .direct, trust: authority.root)
            #expect(accepted.status == 204, "only its certificate is bad: \(accepted.errors)")
        }

        @Test("An attempt to connect to the black hole is not answered")
        func blackHole() throws {
            try TestNetwork.require()
            let hole = try BlackHole()
            defer { hole.stop() }
            let result = try Program("curl", ["-sS", "--connect-timeout", "1", "http://origin.test:\(hole.port)/"])
                .run()
            #expect(result.status == 28)
        }

        @Test("A server that resets is seen to reset, after the bytes it sent")
        func reset() throws {
            try TestNetwork.require()
            let server = try RawServer.resets(after: [1, 2, 3])
            defer { server.stop() }
            let connection = try Connection(address: TestNetwork.address, port: server.port)
            defer { connection.close() }
            try connection.write([0])
            #expect(try connection.readAll { $0.count >= 3 } == [1, 2, 3])
            #expect(throws: ConnectionReset.self) { _ = try connection.read() }
        }

        @Test("A program that does not end in time is ended, and what it started with it")
        func deadline() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let mark = folder("pid")
            #expect(throws: TestKitError.self) {
                try Program("sh", ["-c", "sleep 300 & echo $! > \(mark); wait"]).run(within: 0.5)
            }
            let child = try #require(
                Int32(String(decoding: TemporaryFolder.read(mark) ?? [], as: UTF8.self).filter(\.isNumber)))
            let gone = Deadline(seconds: 5).poll {
                (TemporaryFolder.read("/proc/\(child)/cmdline") ?? []).isEmpty ? true : nil
            }
            #expect(gone == true)
        }
    }
}
