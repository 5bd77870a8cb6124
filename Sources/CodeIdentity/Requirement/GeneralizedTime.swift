// SPDX-License-Identifier: Apache-2.0

// The dates inside Apple's certificate extensions.

/// GeneralizedTime as Apple's extensions hold it: `YYYYMMDDHHMMSSZ`.
enum GeneralizedTime {
    /// Seconds from 1970 to 2001, where Apple's dates begin.
    static let appleEpoch: Int64 = 978_307_200

    /// Seconds since 2001-01-01 UTC of an extension whose content is a UTF8String with such a time; nil for any other.
    ///
    /// Nil for the very first second of 2001 too, which Apple's reader takes for a failure (csutilities.cpp).
    static func seconds(inExtension value: [UInt8]) -> Int64? {
        guard value.count == 17, value[0] == 0x0C, value[1] == 15 else { return nil }
        return seconds(value[2...]).flatMap { $0 == 0 ? nil : $0 }
    }

    /// Seconds since 2001-01-01 UTC; nil unless every field is in range.
    static func seconds(_ text: ArraySlice<UInt8>) -> Int64? {
        guard text.count == 15, text.last == 0x5A else { return nil }
        var fields: [Int64] = []
        var rest = text.dropLast()
        for width in [4, 2, 2, 2, 2, 2] {
            var field: Int64 = 0
            for byte in rest.prefix(width) {
                guard (0x30...0x39).contains(byte) else { return nil }
                field = field * 10 + Int64(byte - 0x30)
            }
            fields.append(field)
            rest = rest.dropFirst(width)
        }
        let (year, month, day) = (fields[0], fields[1], fields[2])
        guard (1...12).contains(month), day >= 1, day <= length(ofMonth: month, year), fields[3] < 24, fields[4] < 60,
            fields[5] < 60
        else { return nil }
        let days = days(year, month, day) - days(2001, 1, 1)
        return ((days * 24 + fields[3]) * 60 + fields[4]) * 60 + fields[5]
    }

    /// The text of a moment; a bare number of seconds outside of the years 0 to 9999.
    static func text(_ seconds: Int64) -> String {
        guard (-63_000_000_000...252_000_000_000).contains(seconds) else { return "\(seconds) s after 2001" }
        let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let time = second < 0 ? second + 86_400 : second
        // Years begin in March, so that the leap day is the last.
        let march = (second < 0 ? day - 1 : day) + days(2001, 1, 1)
        let era = march / 146_097
        let inEra = march % 146_097
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * inYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return pad(year, 4) + pad(month, 2) + pad(inYear - (153 * shifted + 2) / 5 + 1, 2) + pad(time / 3600, 2)
            + pad(time / 60 % 60, 2) + pad(time % 60, 2) + "Z"
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 0000-03-01 of the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? month - 3 : month + 9
        let year = month > 2 ? year : year - 1
        let inYear = (153 * shifted + 2) / 5 + day - 1
        return 365 * year + (year >= 0 ? year / 4 - year / 100 + year / 400 : -1) + inYear
    }
}
