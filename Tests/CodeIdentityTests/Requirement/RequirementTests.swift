// SPDX-License-Identifier: Apache-2.0

// One requirement: text, tree and blob.

import Testing

@testable import CodeIdentity

@Suite("Requirement") struct RequirementTests {
    @Test("The blobs of real files print as Apple prints them", arguments: RequirementSamples.requirements)
    func samples(_ sample: RequirementSamples.Sample) throws {
        let requirement = try Requirement(blob: #require(Hexadecimal.bytes(sample.hex.utf8)))
        #expect(requirement.appleText == sample.text)
        #expect(requirement.text == sample.text)
        #expect(requirement.description == sample.text)
        // `codesign` nests its own requirements to the right, so their texts give another tree that prints alike.
        let again = try Requirement(text: sample.text)
        #expect(again.expression == requirement.expression.leftNested)
        #expect(again.text == sample.text)
    }

    @Test(
        "Gatekeeper's texts compile to the known bytes",
        arguments: [
            ("anchor apple", "fade0c00000000100000000100000003"),
            (
                "anchor apple generic and certificate leaf[field.1.2.840.113635.100.6.1.9] exists",
                "fade0c000000003000000001000000060000000f0000000e000000000000000a2a864886f76364060109000000000000"
            ),
            (
                "anchor apple generic and certificate 1[field.1.2.840.113635.100.6.2.6] exists and certificate leaf[field.1.2.840.113635.100.6.1.13] exists and notarized",
                "fade0c0000000058000000010000000600000006000000060000000f0000000e000000010000000a2a864886f7636406"
                    + "02060000000000000000000e000000000000000a2a864886f7636406010d00000000000000000015"
            ),
        ])
    func gatekeeper(_ text: String, _ hex: String) throws {
        #expect(try Requirement(text: text).blob.map { Hexadecimal.text($0) } == hex)
    }

    @Test("A requirement with a term of Linux has no blob, whichever way it is made")
    func linux() throws {
        let requirement = try Requirement(text: "package curl or anchor apple")
        #expect(requirement.blob == nil)
        #expect(requirement == (try Requirement(requirement.expression)))
    }

    @Test("Any tree comes back from its blob as it was")
    func blobs() throws {
        var source = RequirementTreeSource(seed: 1)
        for _ in 0..<3_000 {
            let tree = source.tree(depth: 7)
            let blob = try #require(try Requirement(tree).blob)
            let back = try Requirement(blob: blob)
            #expect(back.expression == tree)
            #expect(back.problems == [])
            #expect(back.blob == blob)
        }
    }

    @Test("Any tree that text can say comes back from its text, nested to the left")
    func texts() throws {
        var source = RequirementTreeSource(seed: 2)
        for _ in 0..<3_000 {
            let tree = source.tree(depth: 6, linux: true)
            let text = RequirementPrinter.text(tree)
            let back = try Requirement(text: text)
            #expect(back.expression == tree.leftNested)
            #expect(back.text == text)
            // From here on nothing changes any more: compile, print, compile.
            #expect(try Requirement(text: back.text) == back)
        }
    }
}
