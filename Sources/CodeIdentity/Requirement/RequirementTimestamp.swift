// SPDX-License-Identifier: Apache-2.0

// Times in requirements: GeneralizedTime in text, seconds since 2001 in a tree.

/// Reads and writes the times of `timestamp "…"`.
enum RequirementTimestamp {
    /// Days from 1970-01-01 to 2001-01-01.
    private static let epoch: Int64 = 11_323
    /// The first and the last second of the years 0000 to 9999, which four digits can write.
    private static let writable: ClosedRange<Int64> = -63_145_526_400...252_423_993_599

    /// Whole seconds since 2001-01-01 00:00:00 UTC of `YYYYMMDDHHMMSSZ` or `YYYYMMDDHHMMSS±HHMM`; nil for anything else.
    ///
    /// A leap second (`60`) is accepted, as in Apple's `SecAbsoluteTimeFromDateContent`, which gives 0 where this gives
    /// nil.
    static func seconds(_ text: [UInt8]) -> Int64? {
        guard text.count == 15 || text.count == 19 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            text[range].reduce(Int64?.some(0)) { sum, byte in
                (0x30...0x39).contains(byte) ? sum.map { $0 * 10 + Int64(byte - 0x30) } : nil
            }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(8..<10), let minute = number(10..<12), let second = number(12..<14),
            (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let local = (days(year, month, day) - epoch) * 86_400 + hour * 3_600 + minute * 60 + second
        switch text[14] {
        case UInt8(ascii: "Z") where text.count == 15: return local
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard text.count == 19, let hours = number(15..<17), let minutes = number(17..<19), hours < 24, minutes < 60
            else { return nil }
            let ahead = hours * 3_600 + minutes * 60
            return text[14] == UInt8(ascii: "+") ? local - ahead : local + ahead
        default: return nil
        }
    }

    /// `YYYYMMDDHHMMSSZ`; nil before the year 0000 and after 9999.
    static func text(_ seconds: Int64) -> String? {
        parts(seconds).map { $0.date.joined() + $0.time.joined() + "Z" }
    }

    /// `YYYY-MM-DD HH:MM:SS +0000`, as the Mac describes a date; nil before the year 0000 and after 9999.
    static func description(_ seconds: Int64) -> String? {
        parts(seconds).map { $0.date.joined(separator: "-") + " " + $0.time.joined(separator: ":") + " +0000" }
    }

    private static func parts(_ seconds: Int64) -> (date: [String], time: [String])? {
        guard writable.contains(seconds) else { return nil }
        func padded(_ number: Int64, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let second = ((seconds % 86_400) + 86_400) % 86_400
        let (year, month, day) = date((seconds - second) / 86_400 + epoch)
        return (
            [padded(year, 4), padded(month), padded(day)],
            [padded(second / 3_600), padded(second / 60 % 60), padded(second % 60)]
        )
    }

    // The Gregorian calendar, also before it was in use. A year is counted from March, so that the leap day ends it;
    // 719,468 is the days from 0000-03-01 to 1970-01-01 and 146,097 those of 400 years.

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // 400 years are added and taken away again, so that no number is negative.
        let marchYear = year + 400 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 146_097 - 719_468
    }

    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let sinceMarch = days + 719_468 + 146_097
        let cycle = sinceMarch / 146_097
        let dayOfCycle = sinceMarch % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = (marchMonth + 2) % 12 + 1
        return (
            yearOfCycle + cycle * 400 - 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1
        )
    }
}
