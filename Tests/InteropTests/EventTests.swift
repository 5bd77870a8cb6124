// SPDX-License-Identifier: Apache-2.0

// What Weir writes down, and what it must not.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Events {
        @Test("An upload leaves a flow, a message and a finding for each secret, and they belong together")
        func complete() throws {
            try withScene { scene in
                _ = try scene.curl([
                    "-H", "Content-Type: application/json", "--data-binary", Payload.json,
                    scene.origin.secure("/upload"),
                ])
                let findings = try scene.findings(atLeast: 4)
                #expect(findings.filter { $0["action"] == "redact" }.count == 3)
                #expect(findings.filter { $0["action"] == "report" }.count == 1)
                #expect(findings.allSatisfy { $0["host"] == "origin.test" && $0["part"] == "body" })
                #expect(Set(findings.map { $0["type"] }).count == 4)
                let events = try scene.weir.events { $0.kind == "flow" }
                let flows = Set(events.filter { $0.kind == "flow" }.map { $0["flow"] })
                #expect(flows.count == 1)
                #expect(Set(findings.map { $0["flow"] }) == flows)
                #expect(events.contains { $0.kind == "message" && $0["method"] == "POST" && $0["status"] == "200" })
            }
        }

        @Test("No secret stands in the state folder, in events of any format, or in what Weir says")
        func noSecret() throws {
            try withScene { scene in
                let url = scene.origin.secure("/upload?token=\(Sample.token)")
                _ = try scene.curl(["--data-binary", Payload.json, url])
                _ = try scene.findings(atLeast: 3)
                let text = try WeirProgram.run(["events", "list", "--state", scene.weir.state]).text
                let exported = try WeirProgram.run([
                    "events", "export", "--state", scene.weir.state, "--format", "json",
                ]).text
                #expect(scene.weir.terminate() == 0)
                let said = scene.weir.process.errors + String(decoding: scene.weir.process.output, as: UTF8.self)
                for secret in Payload.secrets + [Sample.card.filter(\.isNumber), Sample.email] {
                    #expect(!text.contains(secret))
                    #expect(!exported.contains(secret))
                    #expect(!said.contains(secret))
                    let found = try Program("grep", ["-rlaF", "--", secret, scene.weir.state]).run()
                    #expect(found.status == 1, "in \(found.text)")
                }
            }
        }

        @Test("Equal secrets have equal digests, and different ones different digests")
        func digests() throws {
            try withScene { scene in
                let twice = "first \(Sample.iban) second \(Sample.iban) other \(Sample.token)"
                _ = try scene.curl([
                    "-H", "Content-Type: text/plain", "--data-binary", twice, scene.origin.secure("/upload"),
                ])
                let findings = try scene.findings(atLeast: 3)
                #expect(findings.count == 3)
                #expect(Set(findings.map { $0["digest"] }).count == 2)
            }
        }

        @Test("Events can be chosen by type and by flow")
        func chosen() throws {
            try withScene { scene in
                for _ in 0..<2 {
                    _ = try scene.curl(["--data-binary", Payload.json, scene.origin.secure("/upload")])
                }
                let findings = try scene.findings(atLeast: 8)
                let wanted = try #require(findings.first)
                let list = ["events", "list", "--state", scene.weir.state, "--format", "json"]
                let byType = try WeirProgram.run(list + ["--type", wanted["type"]])
                // A flow and a message come along when they hold a finding of the type.
                let chosen = byType.text.split(separator: "\n").filter { $0.contains("\"finding\"") }
                #expect(chosen.count == 2)
                let byFlow = try WeirProgram.run(list + ["--flow", wanted["flow"]])
                let lines = byFlow.text.split(separator: "\n")
                #expect(lines.filter { $0.contains("\"finding\"") }.count == 4)
                #expect(lines.allSatisfy { $0.contains(wanted["flow"]) })
            }
        }

        @Test("A follower sees a finding while Weir runs")
        func followed() throws {
            try withScene { scene in
                let follower = try Program(
                    try WeirProgram.path(), ["events", "follow", "--state", scene.weir.state, "--format", "json"]
                ).start()
                defer { follower.kill() }
                // Again and again, since nothing tells when the follower has begun.
                let seen = try Deadline(seconds: 20).poll { () throws -> Bool? in
                    _ = try scene.curl(["--data", Payload.form, scene.origin.secure("/upload")])
                    return String(decoding: follower.output, as: UTF8.self).contains("\"finding\"") ? true : nil
                }
                #expect(seen == true)
            }
        }
    }
}
