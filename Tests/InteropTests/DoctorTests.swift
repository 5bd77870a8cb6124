// SPDX-License-Identifier: Apache-2.0

// After an update of the system: `weir doctor` against servers of the test's own, and what starts make of its answer.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Doctor {
        /// A system before and after its update, and a network in which all is well.
        private struct Clinic {
            let folder: TemporaryFolder
            let before: String
            let after: String
            let targets: String
            var state: String { folder("state") }

            func doctor(_ arguments: [String] = [], targets: String? = nil, environment: [String: String] = [:]) throws
                -> ProgramResult
            {
                let fixed = ["doctor", "--state", state, "--targets", targets ?? self.targets]
                return try Program(try WeirProgram.path(), fixed + arguments, environment: environment).run()
            }

            /// The answers of the checks by name, and the last line.
            func lines(_ arguments: [String] = [], targets: String? = nil, environment: [String: String] = [:]) throws
                -> (checks: [String: [String: Any]], outcome: [String: Any], status: Int)
            {
                let result = try doctor(arguments + ["--format", "json"], targets: targets, environment: environment)
                #expect(result.errors.isEmpty, "\(result.errors)")
                let objects = try result.text.split(separator: "\n").map {
                    try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
                }
                let checks = objects.dropLast().map { ($0["check"] as? String ?? "", $0) }
                #expect(objects.dropLast().allSatisfy { $0["kind"] as? String == "check" })
                #expect(objects.last?["kind"] as? String == "outcome")
                return (
                    Dictionary(checks) { first, _ in first }, try #require(objects.last), result.status
                )
            }

            func targets(_ changes: [String: Any]) throws -> String {
                let object = try JSONSerialization.jsonObject(with: Data(TemporaryFolder.read(targets) ?? []))
                let merged = try #require(object as? [String: Any]).merging(changes) { _, new in new }
                return try folder.write(Array(try JSONSerialization.data(withJSONObject: merged)), to: "changed.json")
            }
        }

        @Test("A changed system is left alone until the self-test has passed on it")
        func update() throws {
            try withClinic { clinic in
                let authority = try LocalCA()
                defer { authority.remove() }
                let origin = try NginxOrigin(authority: authority)
                defer { origin.stop() }
                var uploads = 0
                /// Uploads under `weir exec`, and gives what arrived and what Weir said.
                func upload(_ system: String) throws -> (body: [UInt8], errors: String) {
                    let options = ["--state", clinic.state, "--policy", "redact", "--upstream-ca", authority.root]
                    let result = try WeirProgram.run(
                        ["exec", "--os-release", system] + options + [
                            "--", "curl", "-sS", "--max-time", "20", "-H", "Content-Type: application/json",
                            "--cacert", clinic.folder("trust.pem"), "--data-binary",
                            "@\(try clinic.folder.write(Payload.json, to: "body"))", origin.secure("/upload"),
                        ])
                    #expect(result.status == 0, "\(result.errors)")
                    uploads += 1
                    return (try #require(try origin.requests(atLeast: uploads).last).body, result.errors)
                }
                // What a client trusts that may meet Weir or the origin itself.
                try clinic.folder.write([], to: "trust.pem")
                _ = try WeirProgram.run(["exec", "--os-release", clinic.before, "--state", clinic.state, "--", "true"])
                let trust = [clinic.state + "/ca.pem", authority.root].flatMap { TemporaryFolder.read($0) ?? [] }
                try clinic.folder.write(trust, to: "trust.pem")

                let first = try upload(clinic.before)
                expectMasked(Payload.json, first.body)
                #expect(first.errors.isEmpty)

                for _ in 0..<2 {
                    let held = try upload(clinic.after)
                    expectSame(held.body, Array(Payload.json.utf8))
                    #expect(held.errors.split(separator: "\n").count == 1, "\(held.errors)")
                    #expect(held.errors.contains("held to decide"))
                    #expect(held.errors.contains("weir doctor --state \(clinic.state)"))
                }
                let event = try #require(try WeirProgram.events(state: clinic.state).last { $0.kind == "flow" })
                #expect(event["verdict"].contains("mode-capped"))
                #expect(event["verdict"].contains("was Before 1"))
                #expect(event["verdict"].contains("is now After 2"))

                let test = try clinic.doctor(["--os-release", clinic.after])
                #expect(test.status == 0, "\(test.text)")
                #expect(test.text.hasSuffix("is recorded as good\n"))
                let again = try upload(clinic.after)
                expectMasked(Payload.json, again.body)
                #expect(again.errors.isEmpty)
                // Whoever starts the old system again finds it as good as before.
                expectMasked(Payload.json, try upload(clinic.before).body)
            }
        }

        @Test("A record that nobody can read holds the policy back, and the self-test makes it anew")
        func damaged() throws {
            try withClinic { clinic in
                for record in ["", "{", "{\"version\":2,\"good\":[]}", "{\"version\":1,\"good\":[]}"] {
                    try clinic.folder.write(record, to: "state/build.json")
                    let start = ["exec", "--os-release", clinic.before, "--state", clinic.state, "--", "true"]
                    let held = try WeirProgram.run(start)
                    #expect(held.errors.contains("record of tested systems cannot be read"))
                    let test = try clinic.lines(["--os-release", clinic.before])
                    #expect(test.status == 0)
                    let free = try WeirProgram.run(start)
                    #expect(free.errors.isEmpty)
                }
            }
        }

        @Test("Dead servers fail the test, by name, and the changed system stays held back")
        func dead() throws {
            try withClinic { clinic in
                _ = try clinic.doctor(["--os-release", clinic.before])
                let port = try TestNetwork.freePort()
                let nobody = "\(TestNetwork.address):\(port)"
                let dead = try clinic.targets([
                    "names": ["nobody.invalid"], "time": [nobody], "push": [nobody], "certificate-status": [nobody],
                    "captive-portal": ["url": "http://\(nobody)/", "expect": "yes"],
                ])
                let (checks, outcome, status) = try clinic.lines(["--os-release", clinic.after], targets: dead)
                #expect(status == 1)
                let failed = ["names", "time", "push", "certificate-status", "captive-portal"]
                #expect(outcome["failed"] as? [String] == failed)
                #expect(outcome["passed"] as? Bool == false)
                #expect(outcome["held_to"] as? String == "decide")
                for name in failed {
                    #expect(checks[name]?["outcome"] as? String == "fail")
                    #expect((checks[name]?["advice"] as? String)?.isEmpty == false)
                    #expect((checks[name]?["seen"] as? String)?.contains(name == "names" ? "nobody" : nobody) == true)
                }
                #expect(checks["build"]?["outcome"] as? String == "warn")
                let text = try clinic.doctor(["--os-release", clinic.after], targets: dead)
                #expect(text.text.contains("5 checks failed: \(failed.joined(separator: ", "))\n"))
                let start = try WeirProgram.run(
                    ["exec", "--os-release", clinic.after, "--state", clinic.state, "--", "true"])
                #expect(start.errors.contains("held to decide"))
                // A system that was good stays so: a machine without a network would fail on any.
                let good = try clinic.lines(["--os-release", clinic.before], targets: dead)
                #expect(good.outcome["held_to"] as? String == "")
            }
        }

        @Test("In a good network every check that can be made is good")
        func good() throws {
            try withClinic { clinic in
                let (checks, outcome, status) = try clinic.lines()
                #expect(status == 0)
                #expect(outcome["passed"] as? Bool == true)
                #expect(
                    Set(checks.keys) == [
                        "build", "known-bad", "policy", "names", "time", "push", "certificate-status",
                        "captive-portal", "packages", "path", "kernel-hooks",
                    ])
                for name in ["build", "known-bad", "policy", "names", "time", "push", "certificate-status"] {
                    #expect(checks[name]?["outcome"] as? String == "ok", "\(checks[name] ?? [:])")
                }
                #expect(checks["captive-portal"]?["outcome"] as? String == "ok")
                #expect(checks["kernel-hooks"]?["outcome"] as? String == "not-in-this-build")
            }
        }

        @Test("A wrong clock, a portal in between, a second way to push and a server that says nothing are told apart")
        func symptoms() throws {
            try withClinic { clinic in
                let clock = try timeServer(ahead: 1_000, clinic.folder)
                defer { clock.program.kill() }
                let portal = try http("HTTP/1.0 302 Found\r\nLocation: http://portal.example/\r\n\r\n")
                defer { portal.stop() }
                let silent = try RawServer.silent()
                defer { silent.stop() }
                let nobody = "\(TestNetwork.address):\(try TestNetwork.freePort())"
                let targets = try clinic.targets([
                    "time": [clock.address], "push": [nobody, "\(TestNetwork.address):\(silent.port)"],
                    "certificate-status": ["\(TestNetwork.address):\(silent.port)"],
                    "captive-portal": ["url": "http://\(TestNetwork.address):\(portal.port)/", "expect": "yes"],
                ])
                let (checks, _, status) = try clinic.lines(["--timeout", "2"], targets: targets)
                func seen(_ name: String) -> String { checks[name]?["seen"] as? String ?? "" }
                func outcome(_ name: String) -> String { checks[name]?["outcome"] as? String ?? "" }
                #expect(status == 1)
                #expect(outcome("time") == "fail")
                #expect(seen("time").contains("behind \(clock.address)"))
                #expect(outcome("push") == "warn")
                #expect(seen("push").contains("refused"))
                #expect(outcome("certificate-status") == "fail")
                #expect(seen("certificate-status").contains("no answer in time"))
                #expect(outcome("captive-portal") == "fail")
                #expect(seen("captive-portal").contains("status 302"))
            }
        }

        @Test("Others in the path are named, and no value of theirs is shown")
        func path() throws {
            try withClinic { clinic in
                let nft = try Program.path(of: "nft")
                try Program(nft, ["add", "table", "ip", "stranger"]).succeed()
                defer { _ = try? Program(nft, ["delete", "table", "ip", "stranger"]).run() }
                try Program(nft, ["add chain ip stranger out { type nat hook output priority 0 ; }"]).succeed()
                try Program(nft, ["add rule ip stranger out tcp dport 9 redirect to :3128"]).succeed()
                let environment = ["https_proxy": "http://user:hunter2@proxy.example:3128"]
                let (checks, _, status) = try clinic.lines(environment: environment)
                let seen = checks["path"]?["seen"] as? String ?? ""
                #expect(status == 0, "it is a warning")
                #expect(checks["path"]?["outcome"] as? String == "warn")
                #expect(seen.contains("https_proxy is set"))
                #expect(seen.contains("table ip stranger"))
                #expect(!seen.contains("hunter2"))
            }
        }

        @Test("What cannot be asked is refused in one line")
        func refused() throws {
            try withClinic { clinic in
                let injected = "{\"captive-portal\": {\"url\": \"http://a\\r\\nX: y/\", \"expect\": \"\"}}"
                let texts = [
                    ("[]", "no JSON object"), ("{\"pusch\": []}", "no key `pusch`"),
                    ("{\"push\": [\"a b\"]}", "`push` takes servers"), ("{\"push\": []}", "`push` takes servers"),
                    ("{\"push\": 1}", "lists of text"), ("{\"names\": [\"-\\n\"]}", "`names` takes host names"),
                    (injected, "plain URL"),
                ]
                func expectRefused(_ arguments: [String], targets: String? = nil, _ reason: String) throws {
                    let result = try clinic.doctor(arguments, targets: targets)
                    #expect(result.status != 0)
                    #expect(result.output.isEmpty)
                    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
                    #expect(result.errors.contains(reason), "\(result.errors)")
                }
                for (text, reason) in texts {
                    try expectRefused([], targets: try clinic.folder.write(text, to: "bad.json"), reason)
                }
                for path in [clinic.folder("none"), "/dev/zero", clinic.folder.path] {
                    try expectRefused([], targets: path, "no file of targets")
                }
                try expectRefused(["--timeout", "0"], "1 to 15 seconds")
                try expectRefused(["--os-release", clinic.folder("none")], "os-release")
            }
        }

        @Test("docs/doctor.md names every check, and its targets are read")
        func document() throws {
            try withClinic { clinic in
                let document = try String(contentsOf: Documents.root.appending(path: "docs/doctor.md"), encoding: .utf8)
                for name in try clinic.lines().checks.keys { #expect(document.contains("| `\(name)` |"), "\(name)") }
                let example = try #require(document.split(separator: "```json\n").last?.split(separator: "```").first)
                let targets = try clinic.folder.write(String(example), to: "example.json")
                let (checks, _, status) = try clinic.lines(["--timeout", "1"], targets: targets)
                #expect(status == 1, "there are no such servers")
                #expect((checks["time"]?["seen"] as? String)?.hasPrefix("ntp.example:123") == true)
            }
        }

        // MARK: A network in which all is well

        private func withClinic(_ test: (Clinic) throws -> Void) throws {
            try TestNetwork.require()
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let clock = try timeServer(ahead: 0, folder)
            defer { clock.program.kill() }
            let server = try http("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nyes\r\n")
            defer { server.stop() }
            let here = "\(TestNetwork.address):\(server.port)"
            let targets: [String: Any] = [
                "names": [TestNetwork.name], "time": [clock.address], "push": [here], "certificate-status": [here],
                "captive-portal": ["url": "http://\(TestNetwork.name):\(server.port)/check", "expect": "yes"],
            ]
            try test(
                Clinic(
                    folder: folder, before: try folder.write("NAME=Before\nVERSION=1\n", to: "before"),
                    after: try folder.write("NAME=After\nVERSION=2\n", to: "after"),
                    targets: try folder.write(
                        Array(try JSONSerialization.data(withJSONObject: targets)), to: "targets.json")))
        }

        /// Gives one answer to every connection, once it has asked, and ends it.
        private func http(_ answer: String) throws -> RawServer {
            try RawServer { peer in
                _ = try peer.read()
                try peer.connection.write(answer)
            }
        }

        /// A time server whose clock is ahead by so many seconds.
        private func timeServer(ahead: Int, _ folder: TemporaryFolder) throws -> (
            program: RunningProgram, address: String
        ) {
            let script = try folder.write(
                """
                import socket, struct, sys, time
                server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                server.bind((sys.argv[1], 0))
                print(server.getsockname()[1], flush=True)
                while True:
                    question, client = server.recvfrom(512)
                    now = time.time() + 2208988800 + float(sys.argv[2])
                    stamp = struct.pack(">II", int(now) % 2**32, int(now % 1 * 2**32))
                    server.sendto(bytes([0x24, 1]) + bytes(22) + question[40:48] + stamp + stamp, client)

                """, to: "clock-\(ahead).py")
            let program = try Program("python3", [script, TestNetwork.address, "\(ahead)"]).start()
            let port = Deadline(seconds: 10).poll {
                let line = String(decoding: program.output, as: UTF8.self)
                return line.hasSuffix("\n") ? UInt16(line.dropLast()) : nil
            }
            guard let port else {
                let said = program.errors
                program.kill()
                throw TestKitError("the time server does not start: \(said)")
            }
            return (program, "\(TestNetwork.address):\(port)")
        }
    }
}
