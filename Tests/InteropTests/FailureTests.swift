// SPDX-License-Identifier: Apache-2.0

// What clients and operators see when something does not work.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Failures {
        @Test("An origin that refuses connections gives 502, for CONNECT and absolute form")
        func refused() throws {
            try withScene { scene in
                let port = try TestNetwork.freePort()
                let secure = try scene.curl(["https://origin.test:\(port)/"])
                #expect(secure.exit != 0)
                #expect(secure.connectStatus == 502)
                let plain = try scene.curl(["http://origin.test:\(port)/"])
                #expect(plain.status == 502)
                let socks = try scene.curl(["https://origin.test:\(port)/"], route: .socks5h)
                #expect(socks.exit == 97, "curl says 97 for a SOCKS refusal, here: \(socks.errors)")
            }
        }

        @Test("A name that does not exist gives 502")
        func unknownName() throws {
            try withScene { scene in
                let secure = try scene.curl(["https://nowhere.invalid/"])
                #expect(secure.connectStatus == 502)
                let plain = try scene.curl(["http://nowhere.invalid/"])
                #expect(plain.status == 502)
            }
        }

        @Test("An origin that never answers a connection attempt is given up on, and others are served meanwhile")
        func blackHole() throws {
            try withScene { scene in
                let hole = try BlackHole()
                defer { hole.stop() }
                let waiting = try Program(
                    "curl", ["-sS", "--max-time", "120", "-x", scene.weir.url, "https://origin.test:\(hole.port)/"]
                ).start()
                defer { waiting.kill() }
                let other = try scene.curl(["--data", "x=1", scene.origin.secure("/upload")])
                #expect(other.status == 200, "\(other.errors)")
                let status = waiting.wait(within: 100)
                #expect(status != nil && status != 28, "Weir must give up before curl does")
            }
        }

        @Test("An origin that ends in the middle of its answer leaves the client with an error, not a short file")
        func truncated() throws {
            try withScene { scene in
                let server = try RawServer { peer in
                    _ = try peer.read()
                    try peer.connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
                }
                defer { server.stop() }
                let answer = try scene.curl(["http://origin.test:\(server.port)/"])
                #expect(answer.exit != 0)
            }
        }

        @Test("SIGTERM lets a running download end, takes no new connection, and exits 0")
        func drain() throws {
            try withScene { scene in
                let bytes = Sample.noise(600_000, seed: 12)
                try scene.origin.publish(bytes, as: "data.bin")
                let received = scene.folder("received")
                let client = try Program(
                    "curl",
                    ["--disable", "-sS", "--max-time", "60", "--cacert", scene.trust, "-x", scene.weir.url]
                        + ["--output", received, scene.origin.secure("/slow/data.bin")]
                ).start()
                defer { client.kill() }
                let begun = Deadline(seconds: 15).poll { (TemporaryFolder.read(received) ?? []).isEmpty ? nil : true }
                try #require(begun == true, "the download does not begin: \(client.errors)")
                scene.weir.process.signal(SIGTERM)
                let port = scene.weir.port
                let closed = Deadline(seconds: 5).poll {
                    Connection.canConnect(address: "127.0.0.1", port: port) ? nil : true
                }
                #expect(closed == true)
                #expect(client.wait(within: 60) == 0, "\(client.errors)")
                expectSame(TemporaryFolder.read(received) ?? [], bytes)
                #expect(scene.weir.process.wait(within: 30) == 0)
            }
        }

        @Test("SIGTERM ends an idle Weir at once, with exit status 0")
        func idle() throws {
            try withScene { scene in
                #expect(scene.weir.terminate(within: 5) == 0)
            }
        }

        @Test(
            "After kill -9 it starts again at once with the same port, state and authority, and its events are still there"
        )
        func killed() throws {
            try withScene { scene in
                _ = try scene.curl(["--data", Payload.form, scene.origin.secure("/upload")])
                let before = try scene.findings(atLeast: 2).count
                let authority = TemporaryFolder.read(scene.weir.authority)
                scene.weir.process.signal(SIGKILL)
                #expect(scene.weir.process.wait(within: 5) == 137)
                let again = try WeirProcess(
                    policy: .redact, upstreamCA: scene.authority.root, state: scene.weir.state, port: scene.weir.port)
                defer { again.kill() }
                #expect(TemporaryFolder.read(again.authority) == authority)
                let answer = try scene.curl(["--data", Payload.form, scene.origin.secure("/upload")])
                #expect(answer.status == 200, "\(answer.errors)")
                #expect(try scene.findings(atLeast: before * 2).count == before * 2)
            }
        }
    }

    @Suite struct BadStarts {
        @Test("A port in use is said in one line")
        func portInUse() throws {
            try withScene { scene in
                let address = "127.0.0.1:\(scene.weir.port)"
                let result = try WeirProgram.run(["proxy", "--listen", address, "--state", scene.folder("second")])
                expectOneLine(result, naming: address)
            }
        }

        @Test("A policy with a mistake is said in one line, with the place of it")
        func badPolicy() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let text = "version: 1\nmode: enforce\nruls: []\nrules:\n  - {name: all, then: relay}\n"
            let policy = try folder.write(text, to: "policy.yaml")
            let result = try WeirProgram.run(
                ["proxy", "--listen", "127.0.0.1:0", "--state", folder("state"), "--policy", policy])
            expectOneLine(result, naming: "policy.yaml:3")
        }

        @Test("A policy file that is not there is said in one line")
        func noPolicy() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let result = try WeirProgram.run(
                ["proxy", "--listen", "127.0.0.1:0", "--state", folder("state"), "--policy", folder("absent.yaml")])
            expectOneLine(result, naming: "absent.yaml")
        }

        @Test("An upstream authority that is no certificate is said in one line", arguments: ["", "no certificate\n"])
        func badAuthority(contents: String) throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let file = try folder.write(contents, to: "upstream.pem")
            let result = try WeirProgram.run(
                ["proxy", "--listen", "127.0.0.1:0", "--state", folder("state"), "--upstream-ca", file])
            expectOneLine(result, naming: "upstream.pem")
        }

        @Test("A state folder that cannot be made is said in one line")
        func noPermission() throws {
            let result = try WeirProgram.run(["proxy", "--listen", "127.0.0.1:0", "--state", "/proc/weir"])
            expectOneLine(result, naming: "/proc/weir")
        }

        @Test("A damaged own authority is said in one line and not replaced silently")
        func damagedState() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            try folder.write("broken\n", to: "state/ca.pem")
            let result = try WeirProgram.run(
                ["proxy", "--listen", "127.0.0.1:0", "--state", folder("state")], within: 20)
            expectOneLine(result, naming: "ca.pem")
        }

        @Test(
            "Wrong usage exits with 2",
            arguments: [["proxy", "--nonsense"], ["nonsense"], ["proxy", "--listen", "nowhere"]])
        func usage(arguments: [String]) throws {
            let result = try WeirProgram.run(arguments)
            #expect(result.status == 2)
            #expect(!result.errors.isEmpty)
            #expect(result.output.isEmpty)
        }

        @Test("Help and version exit with 0")
        func help() throws {
            #expect(try WeirProgram.run(["--help"]).status == 0)
            #expect(try WeirProgram.run(["--version"]).status == 0)
        }

        private func expectOneLine(
            _ result: ProgramResult, naming subject: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect([1, 2].contains(result.status), "exit status \(result.status)", sourceLocation: sourceLocation)
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
            #expect(result.errors.hasPrefix("weir: "), "\(result.errors)", sourceLocation: sourceLocation)
            #expect(result.errors.contains(subject), "\(result.errors)", sourceLocation: sourceLocation)
        }
    }
}
