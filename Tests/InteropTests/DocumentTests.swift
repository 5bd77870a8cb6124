// SPDX-License-Identifier: Apache-2.0

// Documents that the program itself can print must say what it says.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Documents {
        static let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()

        @Test("docs/limits.md holds the table that `weir limits` prints")
        func limits() throws {
            let document = try String(contentsOf: Self.root.appending(path: "docs/limits.md"), encoding: .utf8)
            let printed = try WeirProgram.run(["limits"])
            #expect(printed.status == 0)
            #expect(document.hasSuffix(printed.text), "run `weir limits` and put its table into docs/limits.md")
        }

        @Test(
            "Every test that a document names stands in the file that it names",
            arguments: [
                ("lessons.md", 30), ("threat-model.md", 40), ("privacy.md", 15), ("three-questions.md", 5),
                ("macos-peers.md", 15),
            ])
        func named(_ name: String, _ atLeast: Int) throws {
            let document = try String(contentsOf: Self.root.appending(path: "docs/\(name)"), encoding: .utf8)
            let tests = Self.root.appending(path: "Tests")
            let walk = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
            let files = walk.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
            var named = 0
            // `File.swift`: “name”, “name”: a title, or the name of a function. Lines are broken anywhere.
            let text = document.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for passage in text.matches(of: /`([A-Za-z0-9\/]+\.swift)`: ((?:“[^”]+”,? ?)+)/) {
                let name = passage.1.split(separator: "/").last.map(String.init) ?? ""
                let sources = try files.filter { $0.lastPathComponent == name }.map {
                    try String(contentsOf: $0, encoding: .utf8)
                }
                for test in passage.2.matches(of: /“([^”]+)”/) {
                    named += 1
                    let forms = ["\"\(test.1)\"", "`\(test.1)`", "func \(test.1)("]
                    #expect(sources.contains { source in forms.contains(where: source.contains) }, "\(name): \(test.1)")
                }
            }
            #expect(named >= atLeast)
        }
    }
}
