// SPDX-License-Identifier: Apache-2.0

// Requirement trees as blobs.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("RequirementCompiler") struct RequirementCompilerTests {
    private static func hex(_ expression: RequirementExpression) throws(CodeProblem) -> String {
        Hexadecimal.text(try RequirementCompiler.blob(of: expression))
    }

    /// Opcode and operands of one expression; the header is added.
    private static func blob(_ body: String) -> String {
        let length = String(12 + body.utf8.count / 2, radix: 16)
        return "fade0c00" + String(repeating: "0", count: 8 - length.count) + length + "00000001" + body
    }

    @Test(
        "Each opcode has its number and its operands",
        arguments: [
            (.never, "00000000"), (.always, "00000001"), (.identifier([0x61]), "000000020000000161000000"),
            (.appleAnchor, "00000003"), (.certificateHash(slot: -1, [1, 2, 3, 4]), "00000004ffffffff0000000401020304"),
            (.legacyInfoValue(key: [0x61], value: [0x62]), "0000000500000001610000000000000162000000"),
            (.and(.always, .never), "000000060000000100000000"), (.or(.always, .never), "000000070000000100000000"),
            (.cdhash([]), "0000000800000000"), (.not(.always), "0000000900000001"),
            (.info(key: [0x61], .exists), "0000000a000000016100000000000000"),
            (.certificateField(slot: 1, name: [0x61], .absent), "0000000b0000000100000001610000000000000e"),
            (.certificateTrusted(slot: 0), "0000000c00000000"), (.anchorTrusted, "0000000d"),
            (.certificateExtension(slot: 0, oid: [0x2A], .exists), "0000000e00000000000000012a00000000000000"),
            (.appleGenericAnchor, "0000000f"), (.entitlement(key: [], .exists), "000000100000000000000000"),
            (.certificatePolicy(slot: 0, oid: [0x2A], .exists), "0000001100000000000000012a00000000000000"),
            (.namedAnchor([0x61]), "000000120000000161000000"), (.namedCode([0x61]), "000000130000000161000000"),
            (.platform(-1), "00000014ffffffff"), (.notarized, "00000015"),
            (
                .certificateTimestamp(slot: -2, oid: [0x2A], .on(-1)),
                "00000016fffffffe000000012a00000000000009ffffffffffffffff"
            ), (.legacyDeveloperID, "00000017"),
            (.unknown(opcode: 0x8000_0063, operand: [1, 2, 3]), "8000006300000003010203"),
            (.skipped(opcode: 0x4000_0063, operand: [1], .always), "40000063000000010100000001"),
        ] as [(RequirementExpression, String)])
    func opcodes(_ expression: RequirementExpression, _ body: String) throws {
        #expect(try Self.hex(expression) == Self.blob(body))
    }

    @Test(
        "Each match has its number and its operand",
        arguments: [
            (.exists, "00000000"), (.equal([0x76]), "000000010000000176000000"), (.contains([]), "0000000200000000"),
            (.beginsWith([]), "0000000300000000"), (.endsWith([]), "0000000400000000"), (.less([]), "0000000500000000"),
            (.greater([]), "0000000600000000"), (.lessOrEqual([]), "0000000700000000"),
            (.greaterOrEqual([]), "0000000800000000"), (.on(1), "000000090000000000000001"),
            (.before(-2), "0000000afffffffffffffffe"), (.after(0), "0000000b0000000000000000"),
            (.onOrBefore(1 << 40), "0000000c0000010000000000"), (.onOrAfter(.min), "0000000d8000000000000000"),
            (.absent, "0000000e"), (.unknown(code: 15, operand: [0x76]), "0000000f0000000176000000"),
        ] as [(RequirementMatch, String)])
    func matches(_ match: RequirementMatch, _ suffix: String) throws {
        #expect(try Self.hex(.info(key: [], match)) == Self.blob("0000000a00000000" + suffix))
    }

    @Test("The sets of real files come out as they are, their blobs given in any order")
    func sets() throws {
        for sample in RequirementSamples.sets {
            let bytes = try #require(Hexadecimal.bytes(sample.hex.utf8))
            let entries = try RequirementSet(blob: bytes).entries.map { entry in
                (kind: entry.kind, blob: try #require(try entry.content.get().blob))
            }
            #expect(try RequirementCompiler.set(of: entries.reversed()) == bytes)
            // The later of one kind counts.
            let replaced = [(kind: entries[0].kind, blob: [UInt8]([1]))] + entries
            #expect(try RequirementCompiler.set(of: replaced) == bytes)
        }
        #expect(Hexadecimal.text(try RequirementCompiler.set(of: [])) == "fade0c010000000c00000000")
    }

    @Test(
        "A term of Linux has no binary form, and the problem names it",
        arguments: [
            (.osAnchor, "anchor os"), (.package([]), "package"), (.unit([]), "unit"), (.path(.equal([])), "path"),
            (.digest([]), "digest"), (.interpreter, "interpreter"), (.user(0), "user"),
        ] as [(RequirementExpression, String)])
    func notApple(_ term: RequirementExpression, _ name: String) {
        let problem = #expect(throws: CodeProblem.self) { try Self.hex(.or(.appleAnchor, .not(term))) }
        #expect(problem?.code == .requirementNotApple)
        #expect(problem?.detail.hasPrefix("`\(name)` ") == true)
    }

    @Test("An unknown that a reader would take for something else is not written")
    func notEncodable() {
        let wrong: [RequirementExpression] = [
            .unknown(opcode: 0x63, operand: []), .unknown(opcode: 0x8000_0001, operand: []),
            .unknown(opcode: 0x4000_0063, operand: []), .skipped(opcode: 0xC000_0063, operand: [], .always),
            .info(key: [], .unknown(code: 14, operand: [])),
        ]
        for expression in wrong {
            #expect(
                problemCode { () throws(CodeProblem) in _ = try Self.hex(expression) } == .requirementNotEncodable)
        }
    }

    @Test("What is too large or too deep is not written")
    func limits() {
        let size = CodeIdentityLimits.requirementBlob.value
        let large = RequirementExpression.identifier([UInt8](repeating: 0x61, count: size - 12))
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.hex(large) } == .limit)
        let fits = RequirementExpression.identifier([UInt8](repeating: 0x61, count: size - 20))
        #expect(throws: Never.self) { try Self.hex(fits) }
        var deep = RequirementExpression.interpreter
        for _ in 0..<CodeIdentityLimits.requirementDepth.value { deep = .not(deep) }
        #expect(problemCode { () throws(CodeProblem) in _ = try Self.hex(deep) } == .limit)
        #expect(problemCode { () throws(CodeProblem) in _ = try Requirement(deep) } == .limit)
        let blobs = (0..<3).map { (kind: UInt32($0), blob: [UInt8](repeating: 0, count: size / 2)) }
        #expect(problemCode { () throws(CodeProblem) in _ = try RequirementCompiler.set(of: blobs) } == .limit)
    }
}
