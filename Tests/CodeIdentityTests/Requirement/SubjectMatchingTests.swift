// SPDX-License-Identifier: Apache-2.0

// Tests of the match operators.

import Testing

@testable import CodeIdentity

@Suite("SubjectMatching") struct SubjectMatchingTests {
    static let matches: [RequirementMatch] = [
        .exists, .absent, .equal("1"), .contains("1"), .beginsWith("1"), .endsWith("1"), .less("2"), .greater("0"),
        .lessOrEqual("1"), .greaterOrEqual("1"), .on(1), .before(2), .after(0), .onOrBefore(1), .onOrAfter(1),
        .unknown(code: 99, operand: [0x31]),
    ]

    /// Which of `matches` hold for a value.
    static func holding(_ value: PropertyListValue?) throws -> [Int] {
        let code = Synthetic.code(
            info: value.map { ["k": $0] } ?? [:], entitlements: value.map { ["k": $0] } ?? [:])
        let held = try matches.indices.filter { try evaluate(.info("k", matches[$0]), code) == .true }
        for index in matches.indices {
            let entitlement = try evaluate(.entitlement("k", matches[index]), code)
            #expect(entitlement == (held.contains(index) ? .true : .false))
        }
        return held
    }

    @Test(
        "Each operator takes values of its type only",
        arguments: [
            (nil, [1]), (.string("1"), [0, 2, 3, 4, 5, 6, 7, 8, 9]), (.string(""), [0, 6, 8]),
            (.boolean(false), []), (.boolean(true), [0]), (.integer(1), [0]), (.integer(0), [0]), (.real(1), [0]),
            (.data([0x31]), [0]), (.dictionary(["1": .string("1")]), [0]), (.date(1), [0, 10, 11, 12, 13, 14]),
            (.date(1.5), [0, 11, 12, 14]), (.date(.nan), [0]), (.array([]), [0]), (.array([.boolean(false)]), [0]),
            (.array([.integer(5), .string("1")]), [0, 2, 3, 4, 5, 6, 7, 8, 9]),
            (.array([.array([.array([.string("1")])])]), [0, 2, 3, 4, 5, 6, 7, 8, 9]),
            (.array([.dictionary(["1": .string("1")])]), [0]),
            (.array([.string("1"), .date(1)]), [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ] as [(PropertyListValue?, [Int])]) func eachOperatorTakesValues(
            value: PropertyListValue?, held: [Int]
        ) throws
    {
        #expect(try Self.holding(value) == held)
    }

    @Test(
        "Texts match literally, case by case",
        arguments: [
            (.equal("abc"), true), (.equal("ab"), false), (.equal("abcd"), false), (.equal("ABC"), false),
            (.equal(""), false), (.contains("b"), true), (.contains("abc"), true), (.contains("abcd"), false),
            (.contains("B"), false), (.contains(""), false), (.beginsWith("ab"), true), (.beginsWith("abc"), true),
            (.beginsWith("b"), false), (.beginsWith("abcd"), false), (.beginsWith(""), false), (.endsWith("bc"), true),
            (.endsWith("abc"), true), (.endsWith("b"), false), (.endsWith("0abc"), false), (.endsWith(""), false),
            (.contains("*"), false), (.equal("a*"), false),
        ] as [(RequirementMatch, Bool)]) func textsMatchLiterallyCase(
            match: RequirementMatch, holds: Bool
        ) throws
    {
        let code = Synthetic.code([Synthetic.certificate([("CN", "abc")])], info: ["k": .string("abc")])
        #expect(try evaluate(.info("k", match), code) == (holds ? .true : .false))
        #expect(try evaluate(.field(0, "subject.CN", match), code) == (holds ? .true : .false))
    }

    @Test("Canonically equivalent texts are different texts") func canonicallyEquivalentTextsAre() throws {
        let code = Synthetic.code(info: ["k": .string("caf\u{E9}")])
        #expect(try evaluate(.info("k", .equal("caf\u{E9}")), code) == .true)
        #expect(try evaluate(.info("k", .equal("cafe\u{301}")), code) == .false)
        #expect(try evaluate(.info("k", .contains("e")), code) == .false)
    }

    @Test("Finding agrees with trying every place, for texts that repeat themselves") func findingAgreesWithTrying()
        throws
    {
        var random = SeededRandom(state: 7)
        var found = 0
        for _ in 0..<3000 {
            let text = String(
                (0..<Int.random(in: 0...24, using: &random)).map { _ in "aab".randomElement(using: &random) ?? "a" })
            let part = String(
                (0..<Int.random(in: 1...6, using: &random)).map { _ in "aab".randomElement(using: &random) ?? "a" })
            let (bytes, wanted) = (Array(text.utf8), Array(part.utf8))
            let expected = bytes.indices.contains { bytes[$0...].starts(with: wanted) }
            let code = Synthetic.code(info: ["k": .string(text)])
            #expect(try evaluate(.info("k", .contains(part)), code) == (expected ? .true : .false))
            found += expected ? 1 : 0
        }
        #expect((500...2500).contains(found))
    }

    @Test("Arrays nested too deeply make the evaluation fail, not the match") func arraysNestedTooDeeply() throws {
        func nested(_ depth: Int) -> CodeSubject {
            Synthetic.code(info: ["k": (0..<depth).reduce(.string("v")) { value, _ in .array([value]) }])
        }
        #expect(try evaluate(.info("k", .equal("v")), nested(64)) == .true)
        #expect(try evaluate(.info("k", .equal("v")), nested(65)).code == .limit)
        #expect(try evaluate(.not(.info("k", .equal("w"))), nested(65)).code == .limit)
    }
}
