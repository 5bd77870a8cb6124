// SPDX-License-Identifier: Apache-2.0

// `weir policy`, and a policy that changes under a running proxy.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Policies {
        private static let repository = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
            url.deletingLastPathComponent()
        }.path
        private static let seed = repository + "/examples/policies/seed-scenarios.yaml"

        @Test("The seed scenarios pass, and fail loudly under a policy that looks at everything")
        func seed() throws {
            let passed = try WeirProgram.run(["policy", "test", Self.seed])
            #expect(passed.status == 0, "\(passed.text)\(passed.errors)")
            #expect(passed.text.contains("every rule decided a flow"))
            let failed = try WeirProgram.run(["policy", "test", Self.seed, "--policy", "report", "--format", "json"])
            #expect(failed.status == 1)
            let lines = try failed.text.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(lines.contains { $0["kind"] as? String == "failure" && $0["line"] is Int })
            #expect(lines.last?["kind"] as? String == "test")
        }

        @Test("Flows from standard input are explained, and their problems have places")
        func explain() throws {
            let flows = "{\"to\":\"a.example\"}\n{\"to\":\"b.example\",\"content\":\"private-key\"}\n"
            let good = try WeirProgram.run(
                ["policy", "explain", "--policy", "redact", "--flow", "-"], input: Array(flows.utf8))
            #expect(good.status == 0)
            #expect(good.text.contains("content private-key: block by rule \"no private keys to anybody\""))
            let bad = try WeirProgram.run(["policy", "explain", "--flow", "-"], input: Array("- {too: x}".utf8))
            #expect(bad.status == 1)
            #expect(bad.errors.contains("standard input:1:4: a flow has no key `too`. Did you mean `to`?"))
            #expect(try WeirProgram.run(["policy", "explain"]).status == 2)
        }

        @Test("Events that Weir recorded can be asked what another policy would do")
        func diff() throws {
            try withScene { scene in
                _ = try scene.curl(["--data", "a=b", scene.origin.plain("/upload")])
                _ = try scene.weir.events { $0.kind == "flow" }
                let events = try WeirProgram.run([
                    "events", "list", "--state", scene.weir.state, "--format", "json",
                ])
                let same = try WeirProgram.run(
                    ["policy", "diff", "redact", "preset redact", "--flows", "-"], input: events.output)
                #expect(same.status == 0, "\(same.text)\(same.errors)")
                let other = try WeirProgram.run(
                    ["policy", "diff", "redact", "report", "--flows", "-"], input: events.output)
                #expect(other.status == 1)
                #expect(other.text.contains("inspect (strict) by \"strip the rest\" → inspect (report)"))
                #expect(!other.text.contains("could not be used"), "\(other.text)")
            }
        }

        @Test("A pipe, a folder and what is not UTF-8 are no policies, and say so at once")
        func files() throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            #expect(mkfifo(folder("pipe"), 0o600) == 0)
            let latin = try folder.write([0x23, 0xe9, 0x0a], to: "latin.yaml")
            for (path, word) in [
                (folder("pipe"), "no regular file"), (folder.path, "no regular file"), (latin, "UTF-8"),
            ] {
                let result = try WeirProgram.run(["policy", "check", path])
                #expect(result.status == 1)
                #expect(result.errors.contains(word), "\(result.errors)")
            }
            try FileManager.default.createSymbolicLink(
                atPath: folder("link.yaml"), withDestinationPath: Self.policyFile)
            #expect(try WeirProgram.run(["policy", "check", folder("link.yaml")]).status == 0)
        }

        private static let policyFile = repository + "/examples/policies/seed-policy.yaml"

        @Test(
            "A changed policy is taken over at SIGHUP; a bad one is refused with all its problems, and the last stays")
        func reload() throws {
            let inspect = "version: 1\nmode: enforce\nrules:\n  - {name: pass, then: relay}\n"
            try withScene(.document(inspect)) { scene in
                let file = scene.weir.state + ".policy.yaml"
                func said(_ text: String) -> Bool {
                    Deadline(seconds: 10).poll { scene.weir.process.errors.contains(text) ? true : nil } == true
                }
                func status() throws -> Int {
                    try scene.curl(["--data", "a=b", scene.origin.plain("/upload")]).status
                }
                #expect(try status() == 200)
                try Data(inspect.replacingOccurrences(of: "pass, then: relay", with: "none, then: block").utf8)
                    .write(to: URL(fileURLWithPath: file))
                scene.weir.process.signal(SIGHUP)
                #expect(said("mode enforce, is in force\nweir: "))
                #expect(try status() == 403)
                try Data("version: 1\nmode: enforce\nrules:\n  - {name: x, then: sideways}\n  - {nam: y}\n".utf8)
                    .write(to: URL(fileURLWithPath: file))
                scene.weir.process.signal(SIGHUP)
                #expect(said("stays in force"))
                #expect(said(":4:21: `then` cannot be `sideways`"))
                #expect(said(":5:6: a rule has no key `nam`"))
                #expect(try status() == 403)
                scene.weir.process.signal(SIGUSR1)
                #expect(said("weir_policy_reload_refused_total 1"))
            }
        }

        @Test("A device is named once, for its user's eyes alone")
        func device() throws {
            try withScene { scene in
                let path = scene.weir.state + "/device-id"
                let name = try #require(TemporaryFolder.read(path).map { String(decoding: $0, as: UTF8.self) })
                #expect(name.utf8.count == 16 && name.allSatisfy(\.isHexDigit))
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(mode == 0o600)
            }
        }
    }
}
