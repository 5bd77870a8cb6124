// SPDX-License-Identifier: Apache-2.0

// Tests of the order behind the inequalities.

import Testing

@testable import CodeIdentity

@Suite("NumericComparison") struct NumericComparisonTests {
    @Test(
        "Order",
        arguments: [
            ("10.9", "10.10", .ascending), ("10.10", "10.9", .descending), ("1", "1", .same), ("", "", .same),
            ("", "0", .ascending), ("17.4", "7.4", .descending), ("1.0", "1", .descending), ("1.00", "1.0", .same),
            ("19", "21", .ascending), ("129.9", "131.1", .ascending),
            ("007", "7", .same), ("0", "00", .same), ("0a", "00b", .ascending), ("a10", "a9", .descending),
            ("a10", "b9", .ascending), ("9", "a", .ascending), ("1.2.3", "1.2.3.0", .ascending),
            ("B", "a", .ascending), ("2x", "10", .ascending), ("x2", "x", .descending),
            // Beyond 64 bits, where CFString wraps around.
            ("18446744073709551617", "2", .descending), ("18446744073709551616", "18446744073709551617", .ascending),
            ("99999999999999999999999", "100000000000000000000000", .ascending),
            // UTF-16 puts surrogates before U+E000.
            ("\u{1F600}", "\u{FF01}", .ascending), ("\u{E9}", "\u{1F600}", .ascending),
            ("\u{FF01}", "\u{FF02}", .ascending),
            // Other digits than ASCII's are letters.
            ("\u{0661}\u{0660}", "\u{0669}", .ascending),
        ] as [(String, String, NumericComparison.Order)]) func order(
            a: String, b: String, order: NumericComparison.Order
        )
    {
        #expect(NumericComparison.compare(a.utf8, b.utf8) == order)
        let reverse: NumericComparison.Order =
            switch order {
            case .ascending: .descending
            case .same: .same
            case .descending: .ascending
            }
        #expect(NumericComparison.compare(Array(b.utf8), Array(a.utf8)) == reverse)
    }

    @Test("Inequalities agree with the order, and or-equal means not the opposite") func inequalitiesAgreeWithThe()
        throws
    {
        let code = Synthetic.code(info: ["v": .string("10.10")])
        let rows: [(RequirementMatch, Bool)] = [
            (.less("10.11"), true), (.less("10.10"), false), (.less("10.9"), false), (.greater("10.9"), true),
            (.greater("10.10"), false), (.lessOrEqual("10.10"), true), (.lessOrEqual("10.010"), true),
            (.lessOrEqual("10.9"), false), (.greaterOrEqual("10.10"), true), (.greaterOrEqual("10.11"), false),
            (.greater(""), true), (.less(""), false), (.greaterOrEqual(""), true),
        ]
        for (match, holds) in rows { #expect(try evaluate(.info("v", match), code) == (holds ? .true : .false)) }
    }
}
