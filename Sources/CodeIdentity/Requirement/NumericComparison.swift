// SPDX-License-Identifier: Apache-2.0

// The order of strings in which "10.9" comes before "10.10".

/// The comparison behind `<`, `>`, `<=` and `>=`: CFString's with `kCFCompareNumerically`, without a locale.
///
/// Where both strings stand at an ASCII digit, the two runs of digits compare as numbers and leading zeros count for
/// nothing; everything else compares literally, case-sensitively, in the order of UTF-16 (CFString.c). Numbers of any
/// length compare exactly, where CFString wraps around above 64 bits. An equal beginning leaves the shorter first.
enum NumericComparison {
    enum Order { case ascending, same, descending }

    static func compare(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Order {
        var (i, j) = (a.startIndex, b.startIndex)
        while i < a.endIndex, j < b.endIndex {
            if isDigit(a[i]), isDigit(b[j]) {
                let order = compareNumbers(a, &i, b, &j)
                if order != .same { return order }
                continue
            }
            if a[i] != b[j] { return rank(a[i]) < rank(b[j]) ? .ascending : .descending }
            a.formIndex(after: &i)
            b.formIndex(after: &j)
        }
        if i < a.endIndex { return .descending }
        return j < b.endIndex ? .ascending : .same
    }

    /// Compares the runs of digits at both places and moves behind them.
    private static func compareNumbers<A: Collection<UInt8>, B: Collection<UInt8>>(
        _ a: A, _ i: inout A.Index, _ b: B, _ j: inout B.Index
    ) -> Order {
        while i < a.endIndex, a[i] == 0x30 { a.formIndex(after: &i) }
        while j < b.endIndex, b[j] == 0x30 { b.formIndex(after: &j) }
        var order = Order.same
        while true {
            let more = (i < a.endIndex && isDigit(a[i]), j < b.endIndex && isDigit(b[j]))
            switch more {
            case (false, false): return order
            case (true, false): return .descending
            case (false, true): return .ascending
            case (true, true):
                if order == .same, a[i] != b[j] { order = a[i] < b[j] ? .ascending : .descending }
                a.formIndex(after: &i)
                b.formIndex(after: &j)
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// UTF-8 sorts by code point; UTF-16 puts U+E000 to U+FFFF, whose first bytes are EE and EF, behind all others.
    private static func rank(_ byte: UInt8) -> Int { byte == 0xEE || byte == 0xEF ? 0x100 + Int(byte) : Int(byte) }
}
