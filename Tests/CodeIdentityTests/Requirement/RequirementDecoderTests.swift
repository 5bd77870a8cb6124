// SPDX-License-Identifier: Apache-2.0

// Requirement blobs as trees.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("RequirementDecoder") struct RequirementDecoderTests {
    private static func requirement(_ hex: String) throws(CodeProblem) -> Requirement {
        try Requirement(blob: Hexadecimal.bytes(hex.utf8) ?? [])
    }

    /// One expression with its header.
    private static func blob(_ body: String) -> String {
        let length = String(12 + body.utf8.count / 2, radix: 16)
        return "fade0c00" + String(repeating: "0", count: 8 - length.count) + length + "00000001" + body
    }

    private static func code(_ hex: String) -> CodeProblem? {
        do throws(CodeProblem) {
            _ = try requirement(hex)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "The blobs of real files are read, and written again byte for byte", arguments: RequirementSamples.requirements)
    func samples(_ sample: RequirementSamples.Sample) throws {
        let requirement = try Self.requirement(sample.hex)
        #expect(requirement.problems == [])
        #expect(Hexadecimal.text(try RequirementCompiler.blob(of: requirement.expression)) == sample.hex)
    }

    @Test("Flags on a known opcode mean nothing, and are reported")
    func flaggedOpcode() throws {
        let requirement = try Self.requirement(Self.blob("80000009c0000001"))
        #expect(requirement.expression == .not(.always))
        #expect(requirement.problems == [CodeProblem(.requirementFlaggedOpcode, at: 12, "")])
        #expect(requirement.blob.map { Hexadecimal.text($0) } == Self.blob("80000009c0000001"))
    }

    @Test("An unknown opcode is passed over by its flags, and written again byte for byte")
    func unknownOpcode() throws {
        let taken = Self.blob("00000006" + "8000006300000003010203" + "00000001")
        let asFalse = try Self.requirement(taken)
        #expect(
            asFalse.expression == .and(.unknown(opcode: 0x8000_0063, operand: [1, 2, 3]), .always))
        #expect(Hexadecimal.text(try RequirementCompiler.blob(of: asFalse.expression)) == taken)
        let skip = Self.blob("00000006" + "400000630000000101" + "00000001" + "00000000")
        let skipped = try Self.requirement(skip)
        #expect(
            skipped.expression == .and(.skipped(opcode: 0x4000_0063, operand: [1], .always), .never))
        #expect(Hexadecimal.text(try RequirementCompiler.blob(of: skipped.expression)) == skip)
        // With both flags it counts as false.
        let both = try Self.requirement(Self.blob("c000006300000000"))
        #expect(both.expression == .unknown(opcode: 0xC000_0063, operand: []))
        #expect(Self.code(Self.blob("00000009" + "00000018")) == CodeProblem(.requirementUnknownOpcode, at: 16, ""))
        #expect(Self.code(Self.blob("2000006300000000")) == CodeProblem(.requirementUnknownOpcode, at: 12, ""))
    }

    @Test("An unknown match takes one data item")
    func unknownMatch() throws {
        let hex = Self.blob("00000006" + "0000000a000000016b0000000000000f0000000176000000" + "00000001")
        let requirement = try Self.requirement(hex)
        #expect(requirement.expression == .and(.info(key: [0x6B], .unknown(code: 15, operand: [0x76])), .always))
        #expect(Hexadecimal.text(try RequirementCompiler.blob(of: requirement.expression)) == hex)
    }

    @Test("Bytes that nobody reads are reported, and those after the blob do not belong to it")
    func trailing() throws {
        let inside = try Self.requirement(Self.blob("0000000100000000"))
        #expect(inside.problems == [CodeProblem(.requirementTrailingBytes, at: 16, "")])
        let after = try Self.requirement(Self.blob("00000001") + "00")
        #expect(after.problems == [CodeProblem(.requirementTrailingBytes, at: 16, "")])
        #expect(after.blob.map { Hexadecimal.text($0) } == Self.blob("00000001"))
    }

    @Test("Padding that is missing at the end or not zero is reported")
    func padding() throws {
        for (body, offset) in [("000000020000000161", UInt64(21)), ("000000020000000161000001", 21)] {
            let requirement = try Self.requirement(Self.blob(body))
            #expect(requirement.expression == .identifier([0x61]))
            #expect(requirement.problems == [CodeProblem(.requirementPadding, at: offset, "")])
        }
        // Where more follows, it would begin inside the padding: there is nothing to read.
        #expect(Self.code(Self.blob("00000006" + "000000020000000161" + "00"))?.code == .requirementCut)
    }

    @Test("A lightweight requirement is named as what it is")
    func lightweight() {
        #expect(Self.code("fade0c0000000010000000020000000030") == CodeProblem(.requirementLightweight, at: 8, ""))
        #expect(Self.code("fade0c0000000010000000030000000030") == CodeProblem(.requirementUnknownKind, at: 8, ""))
    }

    @Test(
        "Lengths that lie are refused with their place",
        arguments: [
            ("", "requirement-cut", 0), ("fade0c00", "requirement-cut", 4),
            ("fade0c01000000100000000100000001", "requirement-wrong-magic", 0),
            ("fade0c00000000110000000100000001", "requirement-cut", 4),
            ("fade0c000000000b0000000100000001", "requirement-cut", 4),
            ("fade0c000000000c00000001", "requirement-cut", 12),
            ("fade0c00000000000000000100000001", "requirement-cut", 4),
            ("fade0c00ffffffff0000000100000001", "limit", 4),
            ("fade0c00000000140000000100000002ffffffff", "requirement-cut", 20),
            ("fade0c0000000014000000010000000200000001", "requirement-cut", 20),
            ("fade0c00000000140000000180000063ffffffff", "requirement-cut", 20),
            ("fade0c0000000014000000010000000600000001", "requirement-cut", 20),
        ])
    func hostile(_ hex: String, _ code: String, _ offset: UInt64) {
        #expect(Self.code(hex) == CodeProblem(CodeProblem.Code(code), at: offset, ""))
    }

    @Test("A tree of 999 levels is read, one more is not")
    func depth() throws {
        let limit = CodeIdentityLimits.requirementDepth.value
        let fits = String(repeating: "00000009", count: limit - 1) + "00000001"
        #expect(throws: Never.self) { try Self.requirement(Self.blob(fits)) }
        #expect(Self.code(Self.blob("00000009" + fits))?.code == .limit)
        let chain = String(repeating: "00000006", count: limit) + String(repeating: "00000001", count: limit + 1)
        #expect(Self.code(Self.blob(chain))?.code == .limit)
    }

    @Test("Every beginning of a real blob is refused", arguments: RequirementSamples.all)
    func beginnings(_ sample: RequirementSamples.Sample) throws {
        let bytes = try #require(Hexadecimal.bytes(sample.hex.utf8))
        for end in 0..<bytes.count {
            #expect(throws: CodeProblem.self) { try RequirementSource.read(blob: Array(bytes[..<end])) }
        }
    }

    @Test("Changed bytes are read or refused, and what is read without a problem is written again byte for byte")
    func flips() throws {
        var source = RequirementTreeSource(seed: 3)
        let blobs = RequirementSamples.requirements.compactMap { Hexadecimal.bytes($0.hex.utf8) }
        var read = 0
        for _ in 0..<20_000 {
            var bytes = source.pick(blobs)
            for _ in 0..<Int.random(in: 1...3, using: &source) {
                let index = Int.random(in: 0..<bytes.count, using: &source)
                bytes[index] = source.pick([0, 1, 9, 0x80, UInt8.random(in: 0...255, using: &source)])
            }
            guard let requirement = try? Requirement(blob: bytes) else { continue }
            _ = (requirement.text, requirement.appleText)
            guard requirement.problems.isEmpty else { continue }
            read += 1
            #expect(try RequirementCompiler.blob(of: requirement.expression) == bytes)
        }
        #expect(read > 1_000)
    }

    @Test("Random words after a good header are read or refused, and none traps")
    func noise() {
        var source = RequirementTreeSource(seed: 4)
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 1...24, using: &source)).flatMap { _ in
                [0, 0, 0, UInt8.random(in: 0...25, using: &source)]
            }
            let header: [UInt8] = [0xFA, 0xDE, 0x0C, 0, 0, 0, 0, UInt8(12 + words.count), 0, 0, 0, 1]
            _ = problemCode { () throws(CodeProblem) in _ = try Requirement(blob: header + words) }
            _ = problemCode { () throws(CodeProblem) in _ = try RequirementSource.read(blob: source.bytes(0...64)) }
        }
    }
}
