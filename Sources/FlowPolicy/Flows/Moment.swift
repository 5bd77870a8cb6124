// SPDX-License-Identifier: Apache-2.0

// A moment as ISO 8601 writes it; this room does without Foundation.

/// A moment with the offset of the clock that showed it.
struct Moment: Equatable {
    /// Milliseconds since 1970-01-01 UTC.
    let milliseconds: Int64
    /// Seconds ahead of UTC; nil where the text says `Z`, or is a number, which tell no local time.
    let utcOffset: Int32?

    /// Reads `2026-11-24T15:00:00.250Z` or `2026-11-24T15:00+01:00` (RFC 3339, seconds optional), or a number of
    /// milliseconds since 1970-01-01 UTC; nil for all else.
    init?(_ text: String) {
        if let number = Int64(text), text.utf8.first != UInt8(ascii: "+") {
            (milliseconds, utcOffset) = (number, nil)
            return
        }
        var rest = text.utf8[...]
        func number(_ digits: Int) -> Int? {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return part.reduce(0) { $0 * 10 + Int($1 & 15) }
        }
        func skip(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }
        let (dash, colon) = (UInt8(ascii: "-"), UInt8(ascii: ":"))
        guard let year = number(4), skip(dash), let month = number(2), skip(dash), let day = number(2),
            skip(UInt8(ascii: "T")) || skip(UInt8(ascii: "t")) || skip(UInt8(ascii: " ")), let hour = number(2),
            skip(colon), let minute = number(2), (1...12).contains(month),
            (1...Self.days(in: month, of: year)).contains(day), hour < 24, minute < 60
        else { return nil }
        var (second, thousandths) = (0, 0)
        if skip(colon) {
            guard let read = number(2), read <= 60 else { return nil }
            second = read
            if skip(UInt8(ascii: ".")) {
                let fraction = rest.prefix { (0x30...0x39).contains($0) }
                guard (1...9).contains(fraction.count) else { return nil }
                rest = rest.dropFirst(fraction.count)
                thousandths = (0..<3).reduce(0) { sum, place in
                    let index = fraction.index(fraction.startIndex, offsetBy: place, limitedBy: fraction.endIndex)
                    return sum * 10 + (index.flatMap { $0 < fraction.endIndex ? Int(fraction[$0] & 15) : nil } ?? 0)
                }
            }
        }
        var offset: Int?
        if !(skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z"))) {
            let sign = skip(UInt8(ascii: "+")) ? 1 : skip(dash) ? -1 : 0
            guard sign != 0, let hours = number(2), skip(colon), let minutes = number(2), hours < 24, minutes < 60
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard rest.isEmpty else { return nil }
        let seconds =
            Self.daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - (offset ?? 0)
        milliseconds = Int64(seconds) * 1000 + Int64(thousandths)
        utcOffset = offset.map(Int32.init)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    /// Days in the calendar of Gregory: years begin in March, so that the leap day is the last.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let era = shifted >= 0 ? shifted / 400 : -1
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
