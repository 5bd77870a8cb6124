// SPDX-License-Identifier: Apache-2.0

// Programs that people use, through Weir.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct EverydayClients {
        @Test("wget uploads masked and downloads whole")
        func wget() throws {
            try withScene { scene in
                let environment = ["https_proxy": scene.weir.url, "http_proxy": scene.weir.url]
                let trust = "--ca-certificate=\(scene.trust)"
                let body = try scene.folder.write(Payload.json, to: "body")
                let url = scene.origin.secure("/upload")
                try Program(
                    "wget", ["-q", "-O", "-", "--tries=1", trust, "--post-file=\(body)", url], environment: environment
                )
                .succeed()
                expectMasked(Payload.json, try #require(try scene.origin.requests(atLeast: 1).first).body)
                let bytes = Sample.noise(500_000, seed: 4)
                try scene.origin.publish(bytes, as: "data.bin")
                let fetched = try Program(
                    "wget", ["-q", "-O", "-", "--tries=1", trust, scene.origin.secure("/files/data.bin")],
                    environment: environment
                ).succeed()
                expectSame(fetched.output, bytes)
            }
        }

        @Test("git clones over https, and the clone is sound")
        func git() throws {
            try withScene { scene in
                let source = scene.folder("source")
                let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
                try Program("git", ["init", "-q", source]).succeed()
                try scene.folder.write(Sample.noise(300_000, seed: 6), to: "source/noise.bin")
                try scene.folder.write(Payload.json, to: "source/orders.json")
                try Program("git", ["-C", source, "add", "."]).succeed()
                try Program("git", ["-C", source] + identity + ["commit", "-q", "-m", "Everything"]).succeed()
                let bare = scene.origin.files + "/project.git"
                try Program("git", ["clone", "-q", "--bare", source, bare]).succeed()
                try Program("git", ["-C", bare, "update-server-info"]).succeed()  // for clients of plain file servers
                let clone = scene.folder("clone")
                let url = scene.origin.secure("/files/project.git")
                try Program(
                    "git", ["clone", "-q", url, clone],
                    environment: [
                        "https_proxy": scene.weir.url, "GIT_SSL_CAINFO": scene.trust, "GIT_TERMINAL_PROMPT": "0",
                    ]
                ).succeed(within: 60)
                try Program("git", ["-C", clone, "fsck", "--full"]).succeed()
                expectSame(
                    TemporaryFolder.read(clone + "/noise.bin") ?? [], TemporaryFolder.read(source + "/noise.bin") ?? [1]
                )
            }
        }

        @Test("pip downloads a package and its digest fits")
        func pip() throws {
            try withScene { scene in
                let script = try scene.folder.write(Clients.packageIndex, to: "index.py")
                try Program("python3", [script, scene.origin.files]).succeed()
                let target = scene.folder("packages")
                try Program(
                    "python3",
                    ["-m", "pip", "download", "--no-cache-dir", "--disable-pip-version-check", "--no-deps", "-q"]
                        + ["--retries", "0", "--proxy", scene.weir.url, "--cert", scene.trust, "-d", target]
                        + ["--index-url", scene.origin.secure("/files/simple/"), "weirdemo"]
                ).succeed(within: 60)
                #expect(FileManager.default.fileExists(atPath: target + "/weirdemo-1.0-py3-none-any.whl"))
            }
        }

        @Test("Python's requests sends two masked uploads on one connection")
        func requests() throws {
            try withScene { scene in
                let script = try scene.folder.write(Clients.pythonRequests, to: "client.py")
                let body = try scene.folder.write(Payload.json, to: "body")
                let result = try Program(
                    "python3", [script, scene.origin.secure("/upload"), body],
                    environment: ["HTTPS_PROXY": scene.weir.url, "REQUESTS_CA_BUNDLE": scene.trust]
                ).succeed()
                #expect(result.text == "200 {\"stored\":true}\n200 {\"stored\":true}\n")
                let received = try scene.origin.requests(atLeast: 2)
                for request in received { expectMasked(Payload.json, request.body) }
                #expect(Set(received.map(\.connection)).count == 1)
            }
        }

        @Test("ssh logs in and copies bytes, through CONNECT and SOCKS5", arguments: ["connect", "5"])
        func ssh(method: String) throws {
            try withScene { scene in
                let server = try SSHServer()
                defer { server.stop() }
                let proxy = try Program.path(of: "nc") + " -X \(method) -x 127.0.0.1:\(scene.weir.port) %h %p"
                let bytes = Sample.noise(400_000, seed: 8)
                let result = try Program(
                    "ssh", server.clientOptions + ["-o", "ProxyCommand=\(proxy)", server.login, "cat"]
                )
                .run(input: bytes)
                #expect(result.status == 0, "\(result.errors)")
                expectSame(result.output, bytes)
            }
        }

        @Test("psql works through a forwarded port, and what it stores comes back unchanged")
        func psql() throws {
            try TestNetwork.require()
            let server = try PostgresServer()
            defer { server.stop() }
            let target = "\(TestNetwork.address):\(server.port)"
            try withScene(options: ["--forward", target]) { scene in
                let query = """
                    create table notes (body text);
                    insert into notes values ('card \(Sample.card)');
                    select body from notes;
                    """
                let result = try Program(
                    "psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", query],
                    environment: [
                        "PGHOST": "127.0.0.1", "PGPORT": "\(scene.weir.port)", "PGUSER": "weir",
                        "PGDATABASE": "postgres",
                        "PGCONNECT_TIMEOUT": "10",
                    ]
                ).succeed()
                #expect(result.text == "card \(Sample.card)\n")
            }
        }
    }
}
