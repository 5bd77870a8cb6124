// SPDX-License-Identifier: Apache-2.0

// Inventories as files: written whole, read strictly, compared.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Inventories {
        /// A system of a few scripts and its record.
        private final class Sample {
            let folder: TemporaryFolder

            init() throws {
                folder = try TemporaryFolder()
                try script("usr/bin/one", "#!/bin/sh\n")
                try script("usr/bin/two", "#!/usr/bin/env python3\n")
                try folder.write("PRETTY_NAME=\"A system\"\n", to: "root/etc/os-release")
                try folder.write(
                    "[Service]\nExecStart=/usr/bin/one\n", to: "root/usr/lib/systemd/system/one.service")
            }

            deinit { folder.remove() }

            func script(_ path: String, _ text: String) throws {
                let file = try folder.write(text, to: "root/" + path)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            }

            /// Takes a record to a file, and returns the file.
            func take(_ name: String) throws -> String {
                let file = folder(name)
                let result = try WeirProgram.run(["inventory", "take", "--root", folder("root"), "--output", file])
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.errors.isEmpty, "standard error is no terminal: \(result.errors)")
                #expect(result.text.hasPrefix("A system: 2 programs, 1 service, 0 of the OS class\n"))
                return file
            }

            /// Exit status, output and errors of a comparison.
            func diff(_ old: String, _ new: String, json: Bool = false) throws -> ProgramResult {
                try WeirProgram.run(["inventory", "diff", old, new] + (json ? ["--format", "json"] : []))
            }
        }

        @Test("The same system twice gives the same lines and no differences; a change gives exit status 1")
        func compare() throws {
            let sample = try Sample()
            let (old, again) = (try sample.take("old"), try sample.take("again"))
            let same = try sample.diff(old, again)
            #expect(same.status == 0)
            #expect(same.text.hasSuffix("no differences\n"))
            let lines = { (file: String) in
                String(decoding: TemporaryFolder.read(file) ?? [], as: UTF8.self).split(separator: "\n").dropFirst()
            }
            #expect(lines(old) == lines(again))

            try sample.script("usr/bin/two", "#!/usr/bin/python3\n")
            let new = try sample.take("new")
            let text = try sample.diff(old, new)
            #expect(text.status == 1)
            #expect(text.errors.isEmpty)
            #expect(text.text.contains("/usr/bin/two: interpreter /usr/bin/env python3 → /usr/bin/python3"))
            #expect(text.text.hasSuffix("1 another identity; 0 of the OS class\n"))
            let json = try sample.diff(old, new, json: true)
            #expect(json.text.hasPrefix("{\"fields\":[{\"name\":\"interpreter\""))
            #expect(json.text.split(separator: "\n").count == 1)
        }

        @Test("On standard output the record is the same as in a file")
        func standardOutput() throws {
            let sample = try Sample()
            let file = TemporaryFolder.read(try sample.take("file")) ?? []
            let result = try WeirProgram.run(
                ["inventory", "take", "--root", sample.folder("root"), "--format", "json"])
            let newline = UInt8(ascii: "\n")
            #expect(result.output.split(separator: newline).dropFirst() == file.split(separator: newline).dropFirst())
        }

        @Test("A record cut anywhere, or changed, is refused in one line that names the place")
        func damaged() throws {
            let sample = try Sample()
            let file = try sample.take("whole")
            let lines = String(decoding: TemporaryFolder.read(file) ?? [], as: UTF8.self)
                .split(separator: "\n").map(String.init)
            #expect(lines.count == 5)
            func refusal(_ lines: [String]) throws -> String {
                let damaged = try sample.folder.write(lines.map { $0 + "\n" }.joined(), to: "damaged")
                let result = try sample.diff(file, damaged)
                #expect(result.status == 1)
                #expect(result.output.isEmpty)
                #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
                return result.errors
            }
            #expect(try refusal([]).contains("damaged: empty"))
            for count in 1..<lines.count {
                #expect(try refusal(Array(lines.prefix(count))).contains("after line \(count)"))
            }
            #expect(try refusal(Array(lines.dropFirst())).contains("damaged:1: no inventory"))
            #expect(try refusal(Array(lines[0..<3] + lines[4...])).contains("damaged:4: there are other lines"))
            #expect(try refusal(lines + [lines[1]]).contains("damaged:5: there are lines after the end"))
            #expect(try refusal([lines[0], "{\"service\": 1}"]).contains("damaged:2: service is of another type"))
            #expect(try refusal([lines[0], "{}"]).contains("damaged:2: neither"))
            #expect(try refusal([lines[0], String(lines[1].prefix(40))]).contains("damaged:2: no line of JSON"))
            let later = lines[0].replacing("\"version\":1", with: "\"version\":2")
            #expect(try refusal([later]).contains("damaged:1: version 2"))
        }

        @Test("A device, a folder that is not there and a missing record are refused in one line")
        func refused() throws {
            let sample = try Sample()
            for arguments in [
                ["take", "--root", sample.folder("root"), "--output", "/dev/null"],
                ["take", "--root", sample.folder("root"), "nowhere"], ["take", "--root", sample.folder("none")],
                ["diff", sample.folder("none"), sample.folder("none")], ["diff", sample.folder.path, "/dev/null"],
            ] {
                let result = try WeirProgram.run(["inventory"] + arguments)
                #expect(result.status == 1, "\(arguments)")
                #expect(result.errors.hasPrefix("weir: "), "\(result.errors)")
                #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            }
        }
    }
}
