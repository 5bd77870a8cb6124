// SPDX-License-Identifier: Apache-2.0

// The verbs that ask who, on real files and real processes.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Identity {
        /// The files that `make vectors` brings.
        private static let files = ProcessInfo.processInfo.environment["WEIR_CODESIGN_VECTORS"] ?? ""
        private static let universal =
            files + "/drews-mac-control-mcp-0.2.57-macosx_15_0_arm64/drews_mac_control_mcp-0.2.57.data/purelib/"
            + "drews_mac_control_mcp/resources/MacControlMCP.app.zip.d/MacControlMCP.app/Contents/MacOS/MacControlMCP"
        private static let thin = files + "/uv-0.13.9-macosx_15_0_arm64/uv-0.13.9.data/scripts/uvx"

        private func lines(_ result: ProgramResult) throws -> [[String: Any]] {
            try result.output.split(separator: UInt8(ascii: "\n")).map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            }
        }

        @Test("A Mac program gives one line of JSON for each slice, with what was proved")
        func slices() throws {
            let result = try WeirProgram.run(["identity", "--format", "json", Self.universal, Self.thin])
            let lines = try lines(result)
            #expect(result.status == 0)
            #expect(lines.compactMap { $0["arch"] as? String } == ["x86_64", "arm64", "arm64"])
            for line in lines {
                #expect(line["signing"] as? String == "cms")
                #expect(line["verified"] as? Bool == true)
                let valid = try #require(line["valid"] as? [String: String])
                #expect(Set(valid.keys) == ["structure", "pages", "slots", "signature", "chain", "team"])
                #expect(valid.values.allSatisfy { $0 == "ok" })
                #expect((line["certificates"] as? [Any])?.count == 3)
                #expect((line["problems"] as? [Any])?.isEmpty == true)
            }
            #expect(lines[2]["cdhash"] as? String == "caa308d7766397d2ef0dbbd1ced2fc0c51acbf21")
            #expect(lines[2]["team"] as? String == "2DC432GLL2")
        }

        @Test("A changed byte is named, fails the file and meets no requirement")
        func changed() throws {
            let folder = try TemporaryFolder()
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.thin)))
            bytes[100_000] ^= 1
            let path = try folder.write(bytes, to: "uvx")
            let result = try WeirProgram.run(["identity", "--format", "json", path])
            let line = try #require(try lines(result).first)
            #expect(result.status == 1)
            #expect((line["valid"] as? [String: String])?["pages"] == "failed")
            let problem = try #require((line["problems"] as? [[String: Any]])?.first)
            #expect(problem["code"] as? String == "page-mismatch")
            #expect(problem["offset"] as? Int == 98_304)

            let check = try WeirProgram.run(["requirement", "check", path, "--requirement", "anchor apple generic"])
            #expect(check.status == 1)
            #expect(check.text.hasPrefix("error\t"))
        }

        @Test("A file of requirements gives a line for each slice and requirement, and each can explain itself")
        func check() throws {
            let folder = try TemporaryFolder()
            let rules = try folder.write(
                "# what we trust\nanchor apple generic\n\nanchor apple\nanchor os\n", to: "rules.txt")
            let result = try WeirProgram.run(
                ["requirement", "check", Self.universal, "--requirements", rules, "--explain", "--format", "json"])
            let lines = try lines(result)
            #expect(result.status == 1)
            #expect(
                lines.compactMap { $0["result"] as? String } == ["true", "true", "false", "false", "false", "false"])
            #expect(lines.compactMap { $0["slice"] as? String }.prefix(2) == ["x86_64", "arm64"])
            let explanation = try #require(lines[0]["explanation"] as? [String: Any])
            #expect((explanation["saw"] as? String)?.contains("Apple Root CA") == true)
        }

        @Test("A process is judged by what it is and not by what it says")
        func process() throws {
            let folder = try TemporaryFolder()
            let copy = folder.path + "/sleep"
            try Program("cp", ["/bin/sleep", copy]).succeed()
            let packaged = try Program("/bin/sleep", ["20"]).start()
            defer { packaged.kill() }
            let foreign = try Program(copy, ["20"]).start()
            defer { foreign.kill() }
            let asked = ["requirement", "check", "--requirement", "package coreutils", "--format", "json"]
            // It may still be executing the program when it is first asked.
            let met = try Deadline(seconds: 10).poll {
                try WeirProgram.run(asked + ["--pid", "\(packaged.pid)"]).status == 0 ? true : nil
            }
            #expect(met == true)
            let refused = try WeirProgram.run(asked + ["--pid", "\(foreign.pid)"])
            #expect(refused.status == 1)
            #expect(try lines(refused).first?["result"] as? String == "false")
            let identity = try lines(WeirProgram.run(["identity", "--format", "json", "--pid", "\(foreign.pid)"]))
            #expect(identity.first?["class"] as? String == "unsigned")
            #expect(identity.first?["executable"] as? String == copy)
        }

        @Test("Batches answer line by line, and a bad line is an error of its own")
        func batch() throws {
            let input = """
                {"text": "anchor apple"}
                {"text": "identifier = 10"}
                not json
                {"text": "anchor os"}
                {"text": "host => anchor apple", "entry": "requirement"}
                """
            let compiled = try lines(
                WeirProgram.run(["requirement", "compile", "--json-lines"], input: Array(input.utf8)))
            #expect(compiled.count == 5)
            #expect(compiled[0]["hex"] as? String == "fade0c00000000100000000100000003")
            #expect(compiled[0]["canonical"] as? String == "anchor apple")
            let codes = compiled.dropFirst().map { ($0["error"] as? [String: Any])?["code"] as? String }
            #expect(
                codes == [
                    "requirement-unquoted-number", "invalid-request", "requirement-not-apple",
                    "requirement-set-unexpected",
                ])
            #expect((compiled[1]["error"] as? [String: Any])?["offset"] as? Int == 13)

            let read = try lines(
                WeirProgram.run(
                    ["requirement", "decompile", "--json-lines"],
                    input: Array("{\"hex\": \"fade0c00000000100000000100000003\"}\n{\"hex\": \"0\"}".utf8)))
            #expect(read[0]["canonical"] as? String == "anchor apple")
            #expect((read[1]["error"] as? [String: Any])?["code"] as? String == "invalid-request")
        }

        @Test("A described subject is evaluated without a file")
        func evaluate() throws {
            let input = """
                {"text": "identifier a and platform = 3", "code": {"identifier": "a", "platform": 3}}
                {"text": "info[n] = \\"10\\"", "code": {"identifier": "a", "info": {"n": 10}}}
                {"text": "notarized", "code": {"identifier": "a"}}
                {"hex": "fade0c00000000100000000100000003", "code": {"identifier": "a", "trustCache": "yes"}}
                {"text": "anchor apple"}
                """
            let answers = try lines(
                WeirProgram.run(["requirement", "evaluate", "--json-lines"], input: Array(input.utf8)))
            #expect(
                answers.map { $0["result"] as? String } == ["true", "false", "error", "true", nil])
            #expect((answers[4]["error"] as? [String: Any])?["code"] as? String == "invalid-request")
        }

        @Test(
            "What cannot be read is one clear line and status 1",
            arguments: [
                (["identity", "/nonexistent"], "there is no such file"), (["identity", "/dev/null"], "no plain file"),
                (["identity", "--pid", "4194305"], "process"),
                (["requirement", "compile", "anchor os"], "is a term of Linux"),
                (["requirement", "compile", "anchor apple and"], "line 1, column 17"),
                (["requirement", "decompile", "fade"], "requirement-cut"),
            ])
        func refused(_ arguments: [String], _ wanted: String) throws {
            let result = try WeirProgram.run(arguments)
            #expect(result.status == 1)
            #expect(result.errors.contains(wanted), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }
}
