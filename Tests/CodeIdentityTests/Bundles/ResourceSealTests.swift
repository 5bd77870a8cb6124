// SPDX-License-Identifier: Apache-2.0

// The file of a seal: what is read, and what makes it useless.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("ResourceSeal") struct ResourceSealTests {
    private func read(_ change: (inout SealSample) -> Void) throws -> ResourceSeal {
        var sample = SealSample()
        change(&sample)
        return try ResourceSeal(sample.sealBytes)
    }

    private func refusal(_ change: (inout SealSample) -> Void) -> CodeProblem.Code? {
        do {
            _ = try read(change)
            return nil
        } catch { return (error as? CodeProblem)?.code }
    }

    @Test("Files, links and code are told apart")
    func items() throws {
        let seal = try read { $0.files["old"] = .data([UInt8](repeating: 1, count: 20)) }
        #expect(seal.version == 2 && seal.count == 12)
        #expect(seal.sealed["old"]?.item == .file(hashes: [.sha1: [UInt8](repeating: 1, count: 20)]))
        #expect(seal.sealed["Resources/link"]?.item == .symbolicLink(target: "data.txt"))
        #expect(
            seal.sealed["MacOS/helper"]?.item
                == .code(cdhash: [UInt8](repeating: 7, count: 20), requirement: SealSample.requirement))
        #expect(seal.sealed["Resources/fr.lproj/text.strings"]?.isOptional == true)
        #expect(seal.sealed["Resources/data.txt"]?.isOptional == false)
    }

    @Test(
        "A seal without files or rules is none",
        arguments: [
            "<dict/>", "<array/>", "<dict><key>files2</key><dict/></dict>",
            "<dict><key>files2</key><dict/><key>rules</key><dict/></dict>",
            "<dict><key>files</key><array/><key>rules</key><dict/></dict>",
        ])
    func noSeal(_ xml: String) {
        #expect(throws: CodeProblem(.sealMalformed, "")) { try ResourceSeal(PropertyListWriter.document(xml)) }
    }

    @Test(
        "A path that leaves the bundle is refused",
        arguments: ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a/.", ".."])
    func path(_ path: String) {
        #expect(refusal { $0.files[path] = SealSample.seal("x") } == .sealMalformed)
    }

    @Test("A sealed item is one thing, and whole")
    func malformedItem() {
        let cases: [PropertyListValue] = [
            .boolean(true), .dictionary([:]), .dictionary(["hash": .string("x")]), .dictionary(["hash": .data([1])]),
            .dictionary(["hash2": .data([UInt8](repeating: 0, count: 20))]), .data([1]),
            .dictionary(["symlink": .integer(1)]),
            .dictionary(["symlink": .string("a"), "requirement": .string("b")]),
            .dictionary(["requirement": .boolean(true)]),
            .dictionary(["symlink": .string("a"), "hash": .data([UInt8](repeating: 0, count: 20))]),
            .dictionary(["requirement": .string("a"), "cdhash": .data([1])]),
            .dictionary(["requirement": .string("a"), "cdhash": .string("x")]),
            .dictionary(["hash": .data([UInt8](repeating: 0, count: 20)), "optional": .integer(1)]),
        ]
        for value in cases { #expect(refusal { $0.files["x"] = value } == .sealMalformed, "\(value)") }
        #expect(refusal { $0.files["x"] = .dictionary(["requirement": .string("a")]) } == nil)
    }

    @Test("One rule that is not understood makes the seal useless")
    func badRule() {
        for value in [
            .string("x"), .integer(1), .array([]), .dictionary(["omit": .integer(1)]),
            .dictionary(["weight": .string("1")]),
            .dictionary(["weight": .integer(-1)]), .dictionary(["weight": .real(1e300)]),
            .dictionary(["unknown": .boolean(true)]),
        ] as [PropertyListValue] {
            #expect(refusal { $0.rules["^x"] = value } == .sealRule, "\(value)")
        }
        #expect(refusal { $0.rules["a{2}"] = .boolean(true) } == .sealRule)
    }

    @Test("More rules than the limit are refused")
    func manyRules() {
        #expect(
            refusal { sample in
                for place in 0..<CodeIdentityLimits.sealRules.value { sample.rules["^rule\(place)$"] = .boolean(true) }
            } == .limit)
    }
}
