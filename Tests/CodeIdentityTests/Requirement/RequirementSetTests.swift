// SPDX-License-Identifier: Apache-2.0

// Sets of requirements.

import FlowModel
import Testing

@testable import CodeIdentity

@Suite("RequirementSet") struct RequirementSetTests {
    private static func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xFF) } }

    /// A set with any index before any bytes.
    private static func set(_ index: [(kind: Int, offset: Int)], _ blobs: [UInt8], magic: Int = 0xFADE_0C01) -> [UInt8]
    {
        word(magic) + word(12 + 8 * index.count + blobs.count) + word(index.count)
            + index.flatMap { word($0.kind) + word($0.offset) } + blobs
    }

    private static let always: [UInt8] = [0xFA, 0xDE, 0x0C, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1]
    private static let never: [UInt8] = always.dropLast() + [0]

    @Test("The sets of real files are read, and print as Apple prints them", arguments: RequirementSamples.sets)
    func samples(_ sample: RequirementSamples.Sample) throws {
        let bytes = try #require(Hexadecimal.bytes(sample.hex.utf8))
        let set = try RequirementSet(blob: bytes)
        #expect(set.problems == [])
        #expect(set.blob == bytes)
        #expect(set.appleText == sample.text)
        #expect(set.text == sample.text)
        #expect(try RequirementSet(text: set.text).text == sample.text)
        #expect(try set.requirement(.designated) != nil)
        #expect(try set.requirement(.host) == nil)
    }

    @Test("A set in text is sorted by kind, and the later of one kind counts")
    func text() throws {
        let set = try RequirementSet(text: "7 => always; library => never 3 => never;; designated => anchor apple")
        #expect(set.entries.map(\.kind) == [3, 4, 7])
        #expect(try set.requirement(.designated)?.expression == .appleAnchor)
        #expect(set.text == "designated => anchor apple\nlibrary => never\n/*unknown type*/ 7 => always\n")
        #expect(try RequirementSet(blob: #require(set.blob)) == set)
        #expect(try RequirementSet(text: set.text) == set)
    }

    @Test("Kinds without a name print as Apple prints them")
    func kinds() throws {
        let set = try RequirementSet(text: "0 => always host => always 4294967295 => always")
        #expect(set.appleText == "invalid => always\nhost => always\n/*unknown type*/ -1 => always\n")
        #expect(set.text == "/*unknown type*/ 0 => always\nhost => always\n/*unknown type*/ 4294967295 => always\n")
        #expect(try RequirementSet(text: set.text) == set)
    }

    @Test(
        "What is no set is refused with its place",
        arguments: [
            ("", "requirement-unexpected-end", 0), ("always", "requirement-set-expected", 0),
            ("host", "requirement-unexpected-end", 4), ("host always", "requirement-unexpected-token", 5),
            ("host => always => never", "requirement-unexpected-token", 15),
            ("host =>", "requirement-unexpected-end", 7),
            ("host => always and", "requirement-unexpected-end", 18),
            ("4294967296 => always", "requirement-integer-range", 0),
            ("-1 => always", "requirement-set-expected", 0),
            ("host => guest => always", "requirement-unexpected-token", 8),
        ])
    func refused(_ text: String, _ code: String, _ offset: UInt64) {
        #expect(throws: CodeProblem(CodeProblem.Code(code), at: offset, "")) { try RequirementSet(text: text) }
    }

    @Test("A set with a term of Linux has no blob")
    func linux() throws {
        let set = try RequirementSet(text: "host => anchor apple designated => package curl")
        #expect(set.blob == nil)
        #expect(
            problemCode { () throws(CodeProblem) in _ = try RequirementSource.set(set).appleBlob() }
                == .requirementNotApple)
    }

    @Test("A library set is a set by another name")
    func librarySet() throws {
        let set = try RequirementSet(blob: Self.set([(0, 20)], Self.always, magic: 0xFADE_0C05))
        #expect(set.entries.count == 1)
        #expect(set.blob?.prefix(4) == [0xFA, 0xDE, 0x0C, 5])
    }

    @Test("An empty set is a set")
    func empty() throws {
        let set = try RequirementSet(blob: Self.set([], []))
        #expect(set.entries.isEmpty && set.text == "")
    }

    @Test("An entry that cannot be read is an entry all the same")
    func unreadable() throws {
        // One that points into the index, one past the end, one at nothing, one that is no requirement, a good one.
        let set = try RequirementSet(
            blob: Self.set([(1, 12), (2, 4_000), (3, 0), (4, 52 + 16), (5, 52)], Self.always + [1, 2, 3, 4]))
        #expect(problemCode { () throws(CodeProblem) in _ = try set.requirement(.host) } == .requirementSetEntry)
        #expect(problemCode { () throws(CodeProblem) in _ = try set.requirement(.guest) } == .requirementSetEntry)
        #expect(problemCode { () throws(CodeProblem) in _ = try set.requirement(.designated) } == .requirementSetEntry)
        #expect(problemCode { () throws(CodeProblem) in _ = try set.requirement(.library) } == .requirementWrongMagic)
        #expect(try set.requirement(.plugin)?.expression == .always)
        #expect(set.text.contains("designated => /* requirement-set-entry */\n"))
        #expect(throws: CodeProblem.self) { try RequirementSet(text: set.text) }
    }

    @Test("The first of two entries of one kind counts, and the second is reported")
    func duplicates() throws {
        let set = try RequirementSet(blob: Self.set([(3, 28), (3, 44)], Self.always + Self.never))
        #expect(try set.requirement(.designated)?.expression == .always)
        #expect(set.problems == [CodeProblem(.requirementSetDuplicate, at: 20, "")])
    }

    @Test("Entries that share bytes are not read")
    func overlap() throws {
        let set = try RequirementSet(blob: Self.set([(3, 28), (4, 28)], Self.always))
        #expect(try set.requirement(.designated)?.expression == .always)
        #expect(problemCode { () throws(CodeProblem) in _ = try set.requirement(.library) } == .requirementSetOverlap)
    }

    @Test("The place of a problem in an entry counts from the start of the set")
    func place() throws {
        let set = try RequirementSet(blob: Self.set([(3, 20)], Self.always.dropLast() + [0x63]))
        #expect(throws: CodeProblem(.requirementUnknownOpcode, at: 32, "")) { try set.requirement(.designated) }
    }

    @Test("Counts and lengths that lie are refused")
    func hostile() {
        let count = CodeIdentityLimits.requirementSetEntries.value + 1
        let many = Self.set(Array(repeating: (kind: 3, offset: 20), count: count), [])
        let short = Self.word(0xFADE_0C01) + Self.word(16) + Self.word(2) + Self.word(3)
        for (bytes, code) in [
            (many, CodeProblem.Code.limit), (short, .requirementCut), (Self.always, .requirementWrongMagic),
            (Self.word(0xFADE_0C01) + Self.word(8), .requirementCut),
        ] {
            #expect(problemCode { () throws(CodeProblem) in _ = try RequirementSet(blob: bytes) } == code)
        }
    }

    @Test("Bytes after the set are reported and do not belong to it")
    func trailing() throws {
        let bytes = Self.set([(3, 20)], Self.always)
        let set = try RequirementSet(blob: bytes + [0])
        #expect(set.problems == [CodeProblem(.requirementTrailingBytes, at: UInt64(bytes.count), "")])
        #expect(set.blob == bytes)
    }

    @Test("Changed bytes are read or refused, and none traps")
    func flips() throws {
        var source = RequirementTreeSource(seed: 5)
        let blobs = RequirementSamples.sets.compactMap { Hexadecimal.bytes($0.hex.utf8) }
        for _ in 0..<10_000 {
            var bytes = source.pick(blobs)
            for _ in 0..<Int.random(in: 1...3, using: &source) {
                bytes[Int.random(in: 0..<bytes.count, using: &source)] = UInt8.random(in: 0...255, using: &source)
            }
            if let set = try? RequirementSet(blob: bytes) { _ = (set.text, set.appleText) }
        }
    }
}
