// SPDX-License-Identifier: Apache-2.0

// Whether digits are a JSON number, which must stay one when they are masked.

/// How the bytes around a bare run of digits use it.
struct NumberContext {
    /// It may be a JSON number: masked, it must be one still.
    let isNumber: Bool
    /// It is a JSON number rather than a field of comma-separated text.
    let isValue: Bool

    /// Looks at the bytes beside a range.
    ///
    /// In text that is not known to be JSON, a colon counts after a quoted key only ("card: 4111…" is prose), and
    /// blanks before the number do not reach over line ends.
    init(around range: Range<Int>, in window: Window, isJSON: Bool) throws(Undecided) {
        if let next = try window.byte(range.upperBound), !next.isOne(of: ",]} \t\r\n") {
            (isNumber, isValue) = (false, false)
            return
        }
        var offset = range.lowerBound - 1
        let blanks: StaticString = isJSON ? " \t\r\n" : " \t"
        Self.skip(blanks, from: &offset, floor: range.lowerBound - 64, in: window)
        switch window.behind(offset) {
        case UInt8(ascii: ":"):
            offset -= 1
            Self.skip(blanks, from: &offset, floor: range.lowerBound - 72, in: window)
            isNumber = isJSON || window.behind(offset) == UInt8(ascii: "\"")
            isValue = isNumber
        case UInt8(ascii: "["):
            (isNumber, isValue) = (true, true)
        case UInt8(ascii: ","):
            (isNumber, isValue) = (true, isJSON)
        case nil:
            (isNumber, isValue) = (isJSON, isJSON)
        case .some(let byte):
            // More blanks than one looks at: they are JSON's indentation or nothing at all.
            isNumber = isJSON && byte.isOne(of: " \t\r\n")
            isValue = isNumber
        }
    }

    private static func skip(_ blanks: StaticString, from offset: inout Int, floor: Int, in window: Window) {
        while offset > floor, window.behind(offset)?.isOne(of: blanks) == true { offset -= 1 }
    }
}
