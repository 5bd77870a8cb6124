// SPDX-License-Identifier: Apache-2.0

// Times in requirements: GeneralizedTime in text and in certificates, seconds since 2001 in a tree.

/// Reads and writes the times of `timestamp "…"` and of the extensions it is compared with.
enum RequirementTimestamp {
    /// Whole seconds since 2001-01-01 00:00:00 UTC of `YYYYMMDDHHMMSSZ` or `YYYYMMDDHHMMSS±HHMM`; nil for anything else.
    ///
    /// A leap second (`60`) is accepted, as in Apple's `SecAbsoluteTimeFromDateContent`, which gives 0 where this gives
    /// nil.
    static func seconds(_ text: some Collection<UInt8>) -> Int64? {
        var rest = text.makeIterator()
        func number(_ digits: Int) -> Int64? {
            var number: Int64 = 0
            for _ in 0..<digits {
                guard let byte = rest.next(), (0x30...0x39).contains(byte) else { return nil }
                number = number * 10 + Int64(byte - 0x30)
            }
            return number
        }
        guard let year = number(4), let month = number(2), let day = number(2), let hour = number(2),
            let minute = number(2), let second = number(2),
            let time = CivilTime(year, month, day, hour, minute, second), let zone = rest.next()
        else { return nil }
        var local = time.secondsSince1970 - CivilTime.appleEpoch
        if zone == UInt8(ascii: "+") || zone == UInt8(ascii: "-") {
            guard let hours = number(2), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
            let ahead = hours * 3_600 + minutes * 60
            local += zone == UInt8(ascii: "+") ? -ahead : ahead
        } else if zone != UInt8(ascii: "Z") {
            return nil
        }
        return rest.next() == nil ? local : nil
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
