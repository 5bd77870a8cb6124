// SPDX-License-Identifier: Apache-2.0

// A requirement or a set, whichever is there.

import Testing

@testable import CodeIdentity

@Suite("RequirementSource") struct RequirementSourceTests {
    @Test("A text is what its first word says, or what it is asked to be")
    func texts() throws {
        let requirement = RequirementSource.requirement(try Requirement(text: "anchor apple"))
        let set = RequirementSource.set(try RequirementSet(text: "host => anchor apple"))
        #expect(try RequirementSource.read(text: "anchor apple") == requirement)
        #expect(try RequirementSource.read(text: "anchor apple", entry: .requirement) == requirement)
        #expect(try RequirementSource.read(text: "1 => anchor apple") == set)
        #expect(try RequirementSource.read(text: "host => anchor apple", entry: .set) == set)
        #expect(throws: CodeProblem(.requirementSetExpected, at: 0, "")) {
            try RequirementSource.read(text: "anchor apple", entry: .set)
        }
        #expect(throws: CodeProblem(.requirementSetUnexpected, at: 0, "")) {
            try RequirementSource.read(text: "host => anchor apple", entry: .requirement)
        }
    }

    @Test("A blob is what its magic says, and its digits come back", arguments: RequirementSamples.all)
    func blobs(_ sample: RequirementSamples.Sample) throws {
        let source = try RequirementSource.read(blob: #require(Hexadecimal.bytes(sample.hex.utf8)))
        #expect(try source.hex() == sample.hex)
        #expect(source.text == sample.text)
        #expect(source.appleText == sample.text)
    }

    @Test("Digits are wanted of a term of Linux: the problem names it")
    func linux() throws {
        let source = try RequirementSource.read(text: "always or unit x")
        let problem = #expect(throws: CodeProblem.self) { try source.hex() }
        #expect(problem?.code == .requirementNotApple)
        #expect(problem?.detail.hasPrefix("`unit`") == true)
        #expect(source.text == "always or unit x")
    }
}
