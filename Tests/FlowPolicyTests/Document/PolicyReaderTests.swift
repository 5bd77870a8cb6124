// SPDX-License-Identifier: Apache-2.0

// Whole documents: good ones decide as they say, bad ones get all their problems at once.

import FlowModel
import FlowPolicy
import Foundation
import Testing

@Suite("Reading a policy document")
struct PolicyReaderTests {
    @Test("The vectors are there")
    func vectorsExist() {
        #expect(PolicyVector.all("good").count >= 10)
        #expect(PolicyVector.all("bad").count >= 27)
    }

    @Test("A good document is read, and its flows go where it says", arguments: PolicyVector.all("good"))
    func good(vector: PolicyVector) throws {
        let policy = try Sample.policy(vector.yaml)
        let flows = vector.comments("flow")
        #expect(!flows.isEmpty)
        for flow in flows {
            let parts = flow.split(separator: " => ")
            let facts = try Sample.facts(String(parts[0]))
            #expect(Sample.words(policy.admit(facts)) == String(parts[1]), "\(flow)\n\(policy.explain(facts).text)")
        }
    }

    @Test("A bad document gets every problem it has, with its place", arguments: PolicyVector.all("bad"))
    func bad(vector: PolicyVector) {
        let problems = Sample.problems(vector.yaml)
        #expect(
            problems.map { problem in
                let file = problem.file == "test.yaml" ? "" : "\(problem.file):"
                return "\(file)\(problem.line):\(problem.column) \(problem.code.rawValue)"
            } == vector.comments("expect"),
            "\(problems.map(\.description).joined(separator: "\n"))")
    }

    @Test("The example of the documentation is a good document")
    func documentation() throws {
        let text = try #require(PolicyVector.text("docs/policy.md"))
        let examples = text.components(separatedBy: "```yaml\n").dropFirst()
        #expect(!examples.isEmpty)
        for example in examples { _ = try Sample.policy(example.components(separatedBy: "```")[0]) }
    }

    @Test("A problem says file, line, column, what is wrong, what to do and its code")
    func problemText() {
        let problems = Sample.problems("version: 1\nrules:\n  - {name: a, when: {class: os}, then: bypas}\n")
        #expect(
            problems.map(\.description) == [
                "test.yaml:3:40: `then` cannot be `bypas`. Did you mean `bypass`? It can be `bypass`, `relay`, `inspect`, `block`."
                    + " (bad-value)"
            ])
    }

    @Test("Problems beyond the limit are counted, not listed")
    func manyProblems() throws {
        let yaml = "version: 1\nrules:\n" + String(repeating: "  - {name: a}\n", count: 130)
        let error = try #require(throws: PolicyProblems.self) { try Sample.policy(yaml) }
        #expect(error.problems.count == PolicyLimits.problems.value)
        // Each of the rules lacks `then`, and all but the first have a name that is taken.
        #expect(error.unlisted == 130 + 129 - PolicyLimits.problems.value)
        #expect(error.description.hasSuffix("… and \(error.unlisted) more"))
    }

    @Test("More rules than the limit are refused, as many as the limit are read")
    func manyRules() throws {
        func yaml(_ count: Int) -> String {
            "version: 1\nrules:\n" + (1...count).map { "  - {name: r\($0), when: {port: 1}, then: block}\n" }.joined()
        }
        _ = try Sample.policy(yaml(PolicyLimits.rules.value))
        #expect(Sample.problems(yaml(PolicyLimits.rules.value + 1)).map(\.code) == [.tooMany])
    }

    @Test("A document that leaves out the mode observes")
    func defaultMode() throws {
        #expect(try Sample.policy("version: 1\nrules: [{name: a, then: relay}]").mode == .observe)
    }

    @Test("Documents that were cut or damaged anywhere never trap the reader")
    func damaged() throws {
        var dice = Dice(7)
        let documents =
            (PolicyVector.all("good") + PolicyVector.all("bad")).map(\.yaml)
            + Policy.presetNames.compactMap(Policy.presetText)
        let splinters = [
            "*a", "&a ", "? ", "- ", "{", "]", "\"", "\u{0}", "é", "!!x ", "\n", "\t", "<<: ", "|", "%",
            "99999999999999999999",
        ]
        var refused = 0
        for document in documents {
            for _ in 0..<60 {
                var scalars = Array(document.unicodeScalars)
                for _ in 0...dice.roll(3) where !scalars.isEmpty {
                    let place = dice.roll(scalars.count)
                    switch dice.roll(3) {
                    case 0: scalars.removeSubrange(place..<min(scalars.count, place + 1 + dice.roll(9)))
                    case 1: scalars.insert(contentsOf: Array(dice.pick(splinters).unicodeScalars), at: place)
                    default: scalars.removeSubrange(place...)
                    }
                }
                var text = String.UnicodeScalarView()
                text.append(contentsOf: scalars)
                let problems = Sample.problems(String(text))
                refused += problems.isEmpty ? 0 : 1
                #expect(problems.allSatisfy { $0.line >= 1 && $0.column >= 1 })
            }
        }
        #expect(refused > documents.count)
    }
}
