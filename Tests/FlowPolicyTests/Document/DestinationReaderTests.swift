// SPDX-License-Identifier: Apache-2.0

// Destinations, lists, and the files that hold them.

import FlowModel
import Testing

@testable import FlowPolicy

@Suite("Destinations in a document")
struct DestinationReaderTests {
    private func environment(_ list: String) -> PolicyEnvironment {
        PolicyEnvironment(
            detectors: Sample.detectors, catalogues: Sample.catalogues, files: MemoryFiles(texts: ["l.txt": list]))
    }

    private static func yaml(_ to: String) -> String {
        "version: 1\nlists: {blocked: {file: l.txt}, own: [c.example]}\n"
            + "rules: [{name: a, when: {to: \(to)}, then: block}]\n"
    }

    @Test("Lists and catalogues keep their titles, and only what stands in the rule is spelt out")
    func titles() throws {
        let policy = try Policy.read(
            yaml: Self.yaml("[list blocked, x.example, 192.0.2.1, catalogue private-life, \"*.y.example\"]"), file: "t",
            environment("a.example\n198.51.100.0/24\n"))
        guard case .to(let destination, _) = try #require(policy.rules.first?.conditions.first) else {
            Issue.record("no destination")
            return
        }
        #expect(
            destination.texts == [
                "list blocked", "x.example", "192.0.2.1", "catalogue private-life", "*.y.example",
            ])
        #expect(destination.count == 8)
        let single = try Policy.read(yaml: Self.yaml("catalogue private-life"), file: "t", environment("a.example"))
        #expect(single.rules.first?.conditions.map(\.text) == ["to catalogue private-life"])
    }

    @Test("A list of a hundred thousand hosts is read, and every one of them decides")
    func large() throws {
        let hosts = (0..<100_000).map { "host\($0).blocked-\($0 % 97).example" }
        let policy = try Policy.read(
            yaml: Self.yaml("list blocked"), file: "t", environment(hosts.joined(separator: "\n")))
        for index in stride(from: 0, to: hosts.count, by: 9_973) {
            #expect(try policy.admit(Sample.facts("\(hosts[index]):443")).verdict.rule == "a")
        }
        #expect(try policy.admit(Sample.facts("host1.blocked-2.example:443")).verdict.rule == nil)
    }

    @Test("A file with more entries than the limit is refused, as many as the limit are read")
    func entries() {
        let limit = PolicyLimits.listEntries.value
        let largest = String(repeating: "a.example\n", count: limit)
        #expect(Sample.problems(Self.yaml("list blocked"), environment(largest)).isEmpty)
        let problems = Sample.problems(Self.yaml("list blocked"), environment(largest + "\n# more\nb.example\n"))
        #expect(problems.map { "\($0.file):\($0.line) \($0.code.rawValue)" } == ["l.txt:\(limit + 3) too-many"])
    }

    @Test("What all rules ask for together is bounded: a list counts once, and its networks wherever it is named")
    func together() {
        func problems(_ list: String, _ rules: Int, lists: Int) -> [PolicyProblem.Code] {
            let yaml =
                "version: 1\nlists: {\((0..<lists).map { "l\($0): {file: l\($0).txt}" }.joined(separator: ", "))}\nrules:\n"
                + (1...rules).map { "  - {name: r\($0), when: {to: [x.example, list l\($0 % lists)]}, then: block}\n" }
                .joined()
            let files = MemoryFiles(texts: .init(uniqueKeysWithValues: (0..<lists).map { ("l\($0).txt", list) }))
            return Sample.problems(
                yaml, PolicyEnvironment(detectors: Sample.detectors, catalogues: Sample.catalogues, files: files)
            ).map(\.code)
        }
        let hosts = (0..<100_000).map { "h\($0).example\n" }.joined()
        #expect(problems(hosts, 11, lists: 1).isEmpty)
        #expect(problems(hosts, 11, lists: 11) == [.tooMany, .tooMany])
        let networks = (0..<60_000).map { "10.\($0 / 256).\($0 % 256).0/24\n" }.joined()
        #expect(problems(networks, 17, lists: 1) == [.tooMany])
    }

    @Test("A file of nothing but mistakes gets the first of them, with lines and columns in characters")
    func hostile() throws {
        let problems = try #require(throws: PolicyProblems.self) {
            try Policy.read(
                yaml: Self.yaml("list blocked"), file: "t",
                environment("a.example\n \u{feff}bücher.example\n" + String(repeating: "*\u{0}\u{1b}[\n", count: 500)))
        }
        #expect(problems.problems.count == PolicyLimits.problems.value)
        #expect(problems.unlisted == 501 - PolicyLimits.problems.value)
        #expect(problems.problems[0].line == 2)
        #expect(problems.problems[0].column == 2)
        #expect(!problems.description.contains("\u{1b}"))
    }

    @Test("Lines end as they may on any system, and an empty file is an empty list")
    func lines() throws {
        let policy = try Policy.read(
            yaml: Self.yaml("list blocked"), file: "t", environment("a.example\r\n\tB.example. # b\r\n"))
        for host in ["a.example", "b.example"] {
            #expect(try policy.admit(Sample.facts("\(host):443")).verdict.rule == "a")
        }
        let empty = try Policy.read(yaml: Self.yaml("list blocked"), file: "t", environment(""))
        #expect(try empty.admit(Sample.facts("a.example:443")).verdict.rule == nil)
    }
}
