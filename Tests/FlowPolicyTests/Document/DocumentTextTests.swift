// SPDX-License-Identifier: Apache-2.0

// Text that is refused before it is read, and the bounds of what is.

import FlowModel
import FlowPolicy
import Testing

@Suite("The text of a document")
struct DocumentTextTests {
    private let tail = "version: 1\nrules: [{name: a, then: relay}]\n"

    @Test("A document of the largest size is read, one byte more is refused")
    func size() throws {
        let room = PolicyLimits.documentBytes.value - tail.utf8.count - 2
        let largest = "#" + String(repeating: "x", count: room) + "\n" + tail
        #expect(largest.utf8.count == PolicyLimits.documentBytes.value)
        _ = try Sample.policy(largest)
        #expect(Sample.problems("#" + largest).map(\.code) == [.tooLarge])
    }

    @Test("Nesting is refused at any depth", arguments: ["[", "{a: ", "- ", "? "])
    func nesting(opening: String) {
        for depth in [20, 900, 5_000, 200_000] {
            #expect(!Sample.problems(String(repeating: opening, count: depth)).isEmpty)
        }
    }

    @Test("Conditions are read down to the limit and no deeper")
    func depth() throws {
        func yaml(_ depth: Int) -> String {
            "version: 1\nrules: [{name: a, then: block, when: "
                + String(repeating: "{not: ", count: depth - 1) + "{port: 1}" + String(repeating: "}", count: depth)
                + "]\n"
        }
        _ = try Sample.policy(yaml(PolicyLimits.depth.value))
        #expect(Sample.problems(yaml(PolicyLimits.depth.value + 1)).map(\.code) == [.tooDeep])
    }

    @Test("Aliases that would unfold into a huge tree are refused before they do")
    func bomb() {
        var yaml = "a0: &a0 [x, x]\n"
        for level in 1...60 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(Sample.problems(yaml + "? *a60\n: x\n" + tail).map(\.code) == [.alias])
    }

    @Test("Stars and ampersands in words, quotes and comments are text")
    func noAliases() throws {
        _ = try Sample.policy(
            """
            # &a and b*a
            version: 1
            rules:
              - {name: salt & pepper *all*, when: {to: "*.a.example", executable: "/x/*a"}, then: relay}
            """)
    }

    @Test("A character that YAML does not allow is reported where it stands")
    func control() {
        let problem = Sample.problems("version: 1\nrules: a\u{1}b\n").first
        #expect(problem?.code == .syntax)
        #expect(problem?.line == 2)
        #expect(problem?.column == 9)
    }

    @Test("A star without quotes is explained")
    func star() {
        let problem = Sample.problems("version: 1\nrules: [{name: a, when: {to: *.a.example}, then: relay}]\n").first
        #expect(problem?.message.contains("quotes") == true)
    }

    @Test("Control characters of a document do not reach the terminal through a problem")
    func escape() {
        let problems = Sample.problems("version: 1\nmode: \"\\e[31m\"\nrules: [{name: \"\\u202e\", then: relay}]\n")
        #expect(problems.count == 2)
        #expect(!problems.contains { $0.description.contains("\u{1b}") || $0.description.contains("\u{202e}") })
    }
}
