// SPDX-License-Identifier: Apache-2.0

// The times at which a rule holds.

/// Days of the week and hours of the day, between two moments.
struct TimeWindow: Hashable, Sendable {
    enum Zone: Hashable, Sendable {
        /// Seconds ahead of UTC.
        case fixed(Int32)
        /// As the machine's clock shows it, daylight saving time included.
        case local
    }

    /// A bit for each day, Monday the lowest; all bits when it does not ask.
    var days: UInt8 = 0x7f
    /// Minutes of the day, from the first up to but not including the second; nil for the whole day.
    ///
    /// A later first runs past midnight, and then the day is that on which it began.
    var minutes: (from: Int, to: Int)? {
        get { from.flatMap { from in to.map { (from, $0) } } }
        set { (from, to) = (newValue?.from, newValue?.to) }
    }
    /// Milliseconds since 1970-01-01 UTC; the rule holds from the first and up to but not including the second.
    var notBefore: Int64?
    var notAfter: Int64?
    var zone = Zone.local
    private var from: Int?
    private var to: Int?

    /// Whether a moment lies in the window; nil when that depends on a local time that is not known.
    func contains(_ milliseconds: Int64, utcOffset: Int32?) -> Bool? {
        if let notBefore, milliseconds < notBefore { return false }
        if let notAfter, milliseconds >= notAfter { return false }
        guard days != 0x7f || minutes != nil else { return true }
        let offset: Int32
        switch zone {
        case .fixed(let seconds): offset = seconds
        case .local:
            guard let utcOffset else { return nil }
            offset = utcOffset
        }
        let (local, overflow) = (milliseconds / 1000).addingReportingOverflow(Int64(offset))
        guard !overflow else { return nil }
        let minute = Int(Self.remainder(local, 86_400) / 60)
        // 1970-01-01 was a Thursday, the third after Monday.
        let day = Int(Self.remainder(Self.quotient(local, 86_400) + 3, 7))
        guard let (from, to) = minutes else { return holds(on: day) }
        if from < to { return holds(on: day) && (from..<to).contains(minute) }
        return (minute >= from && holds(on: day)) || (minute < to && holds(on: (day + 6) % 7))
    }

    private func holds(on day: Int) -> Bool { days & (1 << UInt8(day)) != 0 }

    private static func remainder(_ value: Int64, _ by: Int64) -> Int64 { ((value % by) + by) % by }
    private static func quotient(_ value: Int64, _ by: Int64) -> Int64 { (value - remainder(value, by)) / by }
}

extension TimeWindow: CustomStringConvertible {
    /// `mon, tue 08:00-18:00 +01:00`.
    var description: String {
        var parts: [String] = []
        if days != 0x7f {
            parts.append(Self.dayNames.indices.filter(holds).map { Self.dayNames[$0] }.joined(separator: ", "))
        }
        if let (from, to) = minutes { parts.append("\(Self.clock(from))-\(Self.clock(to))") }
        if case .fixed(let seconds) = zone {
            parts.append((seconds < 0 ? "-" : "+") + Self.clock(Int(seconds.magnitude) / 60))
        }
        if let notBefore { parts.append("from \(notBefore) ms") }
        if let notAfter { parts.append("until \(notAfter) ms") }
        return parts.joined(separator: " ")
    }

    static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private static func clock(_ minutes: Int) -> String {
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return two(minutes / 60) + ":" + two(minutes % 60)
    }
}
