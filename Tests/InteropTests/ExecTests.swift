// SPDX-License-Identifier: Apache-2.0

// `weir exec`: one command through Weir, with no proxy set anywhere.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Exec {
        /// Who runs it.
        enum User: String, Sendable, CaseIterable {
            case root, plain

            var prefix: [String] {
                // A number without a name: nothing of the machine's accounts is touched or needed.
                self == .root ? [] : ["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups"]
            }
        }

        @Test("An upload by curl is masked, and curl trusts Weir without being told", arguments: User.allCases)
        func curl(user: User) throws {
            try withExec(user) { exec, folder, origin in
                let body = try folder.write(Payload.json, to: "body")
                let result = try exec([
                    "curl", "-sS", "--max-time", "20", "-H", "Content-Type: application/json", "--data-binary",
                    "@\(body)",
                    origin.secure("/upload"),
                ]).run()
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.text == "{\"stored\":true}\n")
                expectMasked(Payload.json, try #require(try origin.requests(atLeast: 1).first).body)
            }
        }

        @Test("Node's fetch and Python's requests are masked as well", arguments: ["node", "python3"])
        func languages(runtime: String) throws {
            try withExec(.root) { exec, folder, origin in
                let script = try folder.write(
                    runtime == "node" ? Clients.nodeFetch : Clients.pythonRequests, to: "client")
                let body = try folder.write(Payload.json, to: "body")
                let result = try exec([runtime, script, origin.secure("/upload"), body]).run()
                #expect(result.status == 0, "\(result.errors)")
                expectMasked(Payload.json, try #require(try origin.requests(atLeast: 1).first).body)
            }
        }

        @Test("wget, which reads no variable for authorities, trusts Weir too")
        func wget() throws {
            try withExec(.plain) { exec, folder, origin in
                let body = try folder.write(Payload.json, to: "body")
                let result = try exec([
                    "wget", "-q", "-O", "-", "--tries=1", "--post-file=\(body)", origin.secure("/upload"),
                ]).run()
                #expect(result.status == 0, "\(result.errors)")
                expectMasked(Payload.json, try #require(try origin.requests(atLeast: 1).first).body)
            }
        }

        @Test("Events say who made a flow: a packaged program, a copy of it, an interpreter", arguments: User.allCases)
        func identity(user: User) throws {
            try withExec(user) { exec, folder, origin in
                let copy = folder("curl")
                try FileManager.default.copyItem(atPath: "/usr/bin/curl", toPath: copy)
                let script = try folder.write(Clients.pythonGet, to: "client")
                for command in [["/usr/bin/curl", "-sS"], [copy, "-sS"], ["/usr/bin/python3", script]] {
                    try exec(command + [origin.plain("/empty")]).succeed()
                }
                let makers = try makers(state: folder("state"))
                #expect(makers.map(\.class) == ["platform-interactive", "unsigned", "platform-interactive"])
                #expect(makers.prefix(2).map(\.executable) == ["/usr/bin/curl", copy])
                // The interpreter, by the name of its file.
                #expect(makers.last?.executable?.hasPrefix("/usr/bin/python3") == true)
                let pseudonym = try pseudonym(user == .root ? 0 : 61234, state: folder("state"))
                #expect(makers.allSatisfy { $0.uid == nil && $0.user == pseudonym })
            }
        }

        /// What stands for a user in events, by another program than Weir.
        private func pseudonym(_ user: Int, state: String) throws -> String {
            let key = try #require(TemporaryFolder.read("\(state)/user.key")).map { String(format: "%02x", $0) }
                .joined()
            let digest = try Program("openssl", ["dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:\(key)"])
                .run(input: Array("user:\(user)".utf8))
            // `SHA2-256(stdin)= 0123…`
            return "~" + (digest.text.split(separator: " ").last ?? "").prefix(8)
        }

        /// `identity` of a flow's line.
        private struct Maker: Decodable {
            var `class`: String?
            var executable: String?
            var uid: UInt32?
            var user: String?
        }

        private func makers(state: String) throws -> [Maker] {
            struct Line: Decodable {
                var identity: Maker?
            }
            let listed = try WeirProgram.run(["events", "list", "--state", state, "--format", "json"])
            return try listed.text.split(separator: "\n").compactMap {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8)).identity
            }
        }

        @Test("The command keeps its input, output, errors, folder and exit status", arguments: User.allCases)
        func transparent(user: User) throws {
            try withExec(user) { exec, folder, _ in
                let result = try exec(["sh", "-c", "cat; pwd; echo wrong >&2; exit 7"]).run(input: Array("in\n".utf8))
                #expect(result.status == 7)
                #expect(result.text == "in\n\(folder.path)\n")
                #expect(result.errors.hasSuffix("wrong\n"))
            }
        }

        @Test("What a command sends and ends at once arrives, and is answered")
        func endsAtOnce() throws {
            try withExec(.root) { exec, _, _ in
                let server = try RawServer.answersAfterEnd { Array("got \($0.count)\n".utf8) }
                defer { server.stop() }
                // netcat ends its side of the connection right behind the input.
                let command = "printf 'hello\\0' | nc -N -w 10 \(TestNetwork.address) \(server.port)"
                #expect(try exec(["sh", "-c", command]).run().text == "got 6\n")
            }
        }

        @Test("A command that a signal ends is reported as a shell reports it")
        func signalled() throws {
            try withExec(.root) { exec, _, _ in
                let result = try exec(["sh", "-c", "kill -TERM $$"]).run()
                #expect(result.status == 143)
            }
        }

        @Test("A command that does not exist gives 127 and one line")
        func missing() throws {
            try withExec(.root) { exec, _, _ in
                let result = try exec(["no-such-command"]).run()
                #expect(result.status == 127)
                #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            }
        }

        @Test("When Weir is killed the command does not live on")
        func killed() throws {
            try withExec(.root) { exec, folder, _ in
                let mark = folder("pid")
                let running = try exec(["sh", "-c", "echo $$ > \(mark); exec sleep 300"]).start()
                defer { running.kill() }
                let pid = Deadline(seconds: 10).poll {
                    Int32(String(decoding: TemporaryFolder.read(mark) ?? [], as: UTF8.self).filter(\.isNumber))
                }
                let command = try #require(pid)
                running.signal(SIGKILL)
                let gone = Deadline(seconds: 5).poll {
                    let state = TemporaryFolder.read("/proc/\(command)/cmdline") ?? []
                    return state.isEmpty ? true : nil  // a zombie has none either
                }
                #expect(gone == true)
            }
        }

        /// Gives the test a way to run commands under `weir exec`, a folder that the user owns, and an origin.
        private func withExec(
            _ user: User, _ test: (_ exec: ([String]) throws -> Program, TemporaryFolder, NginxOrigin) throws -> Void
        ) throws {
            try TestNetwork.require()
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let authority = try LocalCA()
            defer { authority.remove() }
            let origin = try NginxOrigin(authority: authority)
            defer { origin.stop() }
            // A copy, because a plain user may not reach the folder that Weir was built in.
            let weir = folder("weir")
            try FileManager.default.copyItem(atPath: try WeirProgram.path(), toPath: weir)
            let upstream = folder("upstream.pem")
            try FileManager.default.copyItem(atPath: authority.root, toPath: upstream)
            if user == .plain { try Program("chown", ["-R", "61234:61234", folder.path]).succeed() }
            let options = ["exec", "--state", folder("state"), "--policy", "redact", "--upstream-ca", upstream, "--"]
            try test(
                { command in
                    let words = user.prefix + [weir] + options + command
                    return Program(
                        words[0], Array(words.dropFirst()), environment: ["HOME": folder.path], folder: folder.path)
                }, folder, origin)
        }
    }
}
