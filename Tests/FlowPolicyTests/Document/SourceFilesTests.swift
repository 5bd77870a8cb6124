// SPDX-License-Identifier: Apache-2.0

// The files of a policy: digest, names, bounds.

import Crypto
import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite("The files of a policy")
struct SourceFilesTests {
    private let text = "version: 1\nrules: [{name: a, then: relay}]\n"
    private let listing = "version: 1\nlists: {l: {file: l.txt}}\nrules: [{name: a, when: {to: list l}, then: relay}]\n"

    private func environment(_ texts: [String: String]) -> PolicyEnvironment {
        PolicyEnvironment(detectors: [], files: MemoryFiles(texts: texts))
    }

    @Test("The digest of a document that stands alone is that of its text, wherever it lies")
    func alone() throws {
        let wanted = SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
        for name in ["a.yaml", "/etc/b.yaml"] {
            #expect(try Policy.read(yaml: text, file: name, environment([:])).digest == wanted)
        }
        #expect(try Policy.read(yaml: text + "#", file: "a.yaml", environment([:])).digest != wanted)
    }

    @Test("The digest covers every file and which is which")
    func several() throws {
        func digest(_ one: String, _ two: String, _ order: String) throws -> String {
            let yaml =
                "version: 1\nlists: {a: {file: 1}, b: {file: 2}}\nrules: [{name: a, when: {to: \(order)}, then: relay}]\n"
            return try Policy.read(yaml: yaml, file: "x", environment(["1": one, "2": two])).digest
        }
        let all = [
            try digest("a.example", "b.example", "list a"), try digest("b.example", "a.example", "list a"),
            try digest("a.example\n", "b.example", "list a"), try digest("a.example", "b.example", "list b"),
            // The same bytes, cut elsewhere.
            try digest("#x\n", "#y", "list a"), try digest("#x", "\n#y", "list a"),
        ]
        #expect(Set(all).count == 6)
        #expect(all.allSatisfy { $0.utf8.count == 64 })
        #expect(try digest("a.example", "b.example", "list a") == all[0])
    }

    @Test("A policy lists its files, the document first")
    func names() throws {
        let policy = try Policy.read(yaml: "version: 1\nextends: base.yaml\n", file: "test.yaml", Sample.environment)
        #expect(policy.files == ["test.yaml", "base.yaml", "definitions.yaml", "more.yaml", "hosts.txt"])
    }

    @Test("Where no file can be named, naming one is refused in words")
    func noDoor() {
        let problems = Sample.problems(listing, PolicyEnvironment(detectors: []))
        #expect(problems.map(\.code) == [.unreadable])
    }

    @Test("A list of the largest size is read, one byte more is refused")
    func listSize() {
        let limit = PolicyLimits.listBytes.value
        let largest = "#" + String(repeating: "x", count: limit - 11) + "\na.example"
        #expect(largest.utf8.count == limit)
        #expect(Sample.problems(listing, environment(["l.txt": largest])).isEmpty)
        #expect(Sample.problems(listing, environment(["l.txt": "#" + largest])).map(\.code) == [.tooLarge])
    }

    @Test("Files are refused beyond their number and their size together")
    func many() {
        func yaml(_ count: Int) -> String {
            "version: 1\nlists:\n" + (1...count).map { "  l\($0): {file: l.txt}\n" }.joined()
                + "rules: [{name: a, then: relay}]\n"
        }
        let files = environment(["l.txt": "a.example"])
        // The document is a file too.
        #expect(Sample.problems(yaml(PolicyLimits.files.value - 1), files).isEmpty)
        #expect(Sample.problems(yaml(PolicyLimits.files.value), files).map(\.code) == [.tooMany])
        let large = environment(["l.txt": "#" + String(repeating: "x", count: PolicyLimits.listBytes.value - 1)])
        #expect(Sample.problems(yaml(5), large).map(\.code) == [.tooLarge, .tooLarge])
    }
}
