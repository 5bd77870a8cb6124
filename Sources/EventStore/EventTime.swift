// SPDX-License-Identifier: Apache-2.0

// Times as the store keeps and prints them.

internal import Foundation

/// Milliseconds since 1970-01-01 UTC.
public enum EventTime {
    public static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    /// The time in the form of RFC 3339, in UTC, with milliseconds.
    ///
    /// Not Foundation's formatter: it takes seconds in floating point, and may print the millisecond before.
    public static func text(_ milliseconds: Int64) -> String {
        let day: Int64 = 86_400_000
        let (days, inDay) = milliseconds.floored(by: day)
        // Days to a date of the proleptic Gregorian calendar: years start in March, so that the leap day is the last.
        let (era, dayOfEra) = (days + 719_468).floored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2))"
        let (hour, minute, second) = (inDay / 3_600_000, inDay / 60_000 % 60, inDay / 1_000 % 60)
        return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(inDay % 1_000, 3))Z"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension Int64 {
    /// The quotient rounded down, and the remainder from 0.
    fileprivate func floored(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
