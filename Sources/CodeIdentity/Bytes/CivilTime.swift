// SPDX-License-Identifier: Apache-2.0

// Dates of the Gregorian calendar as numbers and back: certificates, requirements and property lists all hold them.

/// A moment of UTC in the calendar, also before the calendar was in use.
struct CivilTime: Equatable {
    /// Seconds from 1970 to 2001, where Apple's dates begin.
    static let appleEpoch: Int64 = 978_307_200
    /// The first and the last second of the years 0000 to 9999, which four digits can write; since 1970.
    static let writable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    let year, month, day, hour, minute, second: Int64

    /// Nil unless every field is in range; a leap second (`60`) is one, the year is 0 to 9999.
    init?(_ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64) {
        guard (0...9_999).contains(year), (1...12).contains(month), day >= 1, day <= Self.length(ofMonth: month, year),
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        (self.year, self.month, self.day, self.hour, self.minute, self.second) = (
            year, month, day, hour, minute, second
        )
    }

    /// The moment that is so many seconds since 1970-01-01 00:00:00; nil outside of `writable`.
    init?(secondsSince1970 seconds: Int64) {
        guard Self.writable.contains(seconds) else { return nil }
        let inDay = (seconds % 86_400 + 86_400) % 86_400
        // A year is counted from March, so that the leap day ends it; 400 years have 146 097 days, and one such cycle is
        // added and taken away again, so that no number is negative. 719 468 days lie between 0000-03-01 and 1970.
        let sinceMarch = (seconds - inDay) / 86_400 + 719_468 + 146_097
        let (cycle, dayOfCycle) = sinceMarch.quotientAndRemainder(dividingBy: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        month = (marchMonth + 2) % 12 + 1
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        year = yearOfCycle + cycle * 400 - 400 + (month <= 2 ? 1 : 0)
        hour = inDay / 3_600
        minute = inDay / 60 % 60
        second = inDay % 60
    }

    /// Seconds since 1970-01-01 00:00:00 UTC; a leap second is the first of the next minute.
    var secondsSince1970: Int64 {
        let marchYear = year + 400 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days =
            marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 146_097 - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// `YYYYMMDDHHMMSSZ`.
    var generalized: String { "\(year.digits(4))\(month.digits(2))\(day.digits(2))\(clock(""))Z" }

    /// `YYYY-MM-DDTHH:MM:SSZ`.
    var iso8601: String { "\(date)T\(clock(":"))Z" }

    /// `YYYY-MM-DD`.
    var date: String { "\(year.digits(4))-\(month.digits(2))-\(day.digits(2))" }

    /// The hour, minute and second.
    func clock(_ separator: String) -> String {
        [hour, minute, second].map { $0.digits(2) }.joined(separator: separator)
    }

    private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    fileprivate func digits(_ width: Int) -> String {
        let text = String(self)
        return String(repeating: "0", count: Swift.max(0, width - text.utf8.count)) + text
    }
}
