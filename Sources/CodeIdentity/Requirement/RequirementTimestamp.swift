// SPDX-License-Identifier: Apache-2.0

// Times in requirements: GeneralizedTime in text and in certificates, seconds since 2001 in a tree.

/// Reads and writes the times of `timestamp "…"` and of the extensions it is compared with.
enum RequirementTimestamp {
    /// Whole seconds since 2001-01-01 00:00:00 UTC of `YYYYMMDDHHMMSSZ` or `YYYYMMDDHHMMSS±HHMM`; nil for anything else.
    ///
    /// A leap second (`60`) is accepted, as in Apple's `SecAbsoluteTimeFromDateContent`, which gives 0 where this gives
    /// nil.
    static func seconds(_ text: some Collection<UInt8>) -> Int64? {
        let text = Array(text.prefix(20))
        guard text.count == 15 || text.count == 19 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            text[range].reduce(Int64?.some(0)) { sum, byte in
                (0x30...0x39).contains(byte) ? sum.map { $0 * 10 + Int64(byte - 0x30) } : nil
            }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(8..<10), let minute = number(10..<12), let second = number(12..<14),
            let time = CivilTime(year, month, day, hour, minute, second)
        else { return nil }
        let local = time.secondsSince1970 - CivilTime.appleEpoch
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

    /// Seconds since 2001-01-01 UTC of an extension whose content is a UTF8String with such a time; nil for any other.
    ///
    /// Nil for the very first second of 2001 too, which Apple's reader takes for a failure (csutilities.cpp).
    static func seconds(inExtension value: [UInt8]) -> Int64? {
        guard value.count >= 2, value[0] == 0x0C, Int(value[1]) == value.count - 2 else { return nil }
        return seconds(value[2...]).flatMap { $0 == 0 ? nil : $0 }
    }

    /// `YYYYMMDDHHMMSSZ`; nil before the year 0000 and after 9999.
    static func text(_ seconds: Int64) -> String? { time(seconds)?.generalized }

    /// `YYYY-MM-DD HH:MM:SS +0000`, as the Mac describes a date; nil before the year 0000 and after 9999.
    static func description(_ seconds: Int64) -> String? { time(seconds).map { "\($0.date) \($0.clock(":")) +0000" } }

    private static func time(_ seconds: Int64) -> CivilTime? {
        let (sum, overflow) = seconds.addingReportingOverflow(CivilTime.appleEpoch)
        return overflow ? nil : CivilTime(secondsSince1970: sum)
    }
}
