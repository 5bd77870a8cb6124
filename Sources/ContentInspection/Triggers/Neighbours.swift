// SPDX-License-Identifier: Apache-2.0

// What stands beside a candidate: byte classes, escapes, separators.

extension UInt8 {
    var isDigit: Bool { self &- 0x30 <= 9 }
    var isUpper: Bool { self &- 0x41 <= 25 }
    var isLetter: Bool { (self | 0x20) &- 0x61 <= 25 }
    var isAlphanumeric: Bool { isDigit || isLetter }
    /// Letters, digits and the underscore: what makes a longer token of a candidate beside it.
    var isWord: Bool { isAlphanumeric || self == UInt8(ascii: "_") }
    var isHex: Bool { isDigit || (self | 0x20) &- 0x61 <= 5 }
    /// The value of a hexadecimal digit.
    var hexValue: UInt8 { isDigit ? self &- 0x30 : (self | 0x20) &- 0x57 }
    /// The letter of a backslash escape that stands for white space: `\n`, `\r`, `\t`, `\f`, `\b`, `\v`.
    var isSpaceEscape: Bool { isOne(of: "nrtfbv") }

    /// Whether it is one of some ASCII bytes.
    @inline(__always)
    func isOne(of bytes: StaticString) -> Bool {
        for index in 0..<bytes.utf8CodeUnitCount where bytes.utf8Start[index] == self { return true }
        return false
    }
}

extension Window {
    /// Whether a token may begin at an offset: no word byte stands before it that belongs to the same text.
    ///
    /// The last byte of an escape (`\n`, `%3D`) is a letter or a digit only in writing.
    func isBoundary(before offset: Int) -> Bool {
        guard let last = behind(offset - 1), last.isWord else { return true }
        if last.isSpaceEscape, behind(offset - 2) == UInt8(ascii: "\\") { return true }
        if last.isHex, let high = behind(offset - 2), high.isHex, behind(offset - 3) == UInt8(ascii: "%") {
            return !(high.hexValue << 4 | last.hexValue).isWord
        }
        return false
    }

    /// Whether a token that ends at an offset is not continued there.
    func isBoundary(after offset: Int) throws(Undecided) -> Bool {
        guard let next = try byte(offset) else { return true }
        return !next.isWord
    }
}

/// What stands between the groups of a card number or an IBAN.
///
/// One and the same throughout: a plus and `%20` are spaces in a form.
enum Separator: CaseIterable {
    case space, hyphen, plus, percentSpace, noBreakSpace

    var text: StaticString {
        switch self {
        case .space: return " "
        case .hyphen: return "-"
        case .plus: return "+"
        case .percentSpace: return "%20"
        case .noBreakSpace: return "\u{a0}"
        }
    }
    var length: Int { text.utf8CodeUnitCount }

    /// The separator at an offset.
    static func read(at offset: Int, in window: Window) throws(Undecided) -> Separator? {
        for candidate in allCases where try window.matches(candidate.text, at: offset) { return candidate }
        return nil
    }
}
