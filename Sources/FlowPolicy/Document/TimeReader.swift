// SPDX-License-Identifier: Apache-2.0

// Reads the `time` of a condition.

internal import FlowModel

/// Reads days, hours and dates, without a calendar library: the dates of one calendar and fixed offsets are sums.
struct TimeReader {
    static let keys = ["days", "hours", "zone", "from", "until"]

    func read(_ node: DocumentNode, _ reading: inout NodeReading) -> TimeWindow? {
        guard let fields = reading.fields(node, "`time`", known: Self.keys) else { return nil }
        var window = TimeWindow()
        if let value = fields["days"] {
            window.days = reading.list(value, "`days`").reduce(0) { $0 | days($1, &reading) }
        }
        if let value = fields["hours"] { window.minutes = hours(value, &reading) }
        if let value = fields["zone"], let text = reading.text(value, "`zone`") {
            if let zone = Self.zone(text) {
                window.zone = zone
            } else {
                reading.note(
                    .badValue, value,
                    "`zone` cannot be `\(Quoted.short(text))`: write `local`, `utc` or an offset as \"+01:00\"")
            }
        }
        if let value = fields["from"] {
            window.notBefore = moment(value, "`from`", window.zone, isEnd: false, &reading)
        }
        if let value = fields["until"] {
            window.notAfter = moment(value, "`until`", window.zone, isEnd: true, &reading)
        }
        if let from = window.notBefore, let until = window.notAfter, until <= from {
            reading.note(.contradiction, fields.key("until"), "`until` comes before `from`: the rule would never hold")
        }
        if fields["days"] == nil, fields["hours"] == nil, fields["from"] == nil, fields["until"] == nil {
            reading.note(.missingKey, node, "`time` needs `days`, `hours`, `from` or `until`: leave it out for always")
        }
        return window
    }

    /// `mon` or `mon-fri`; a range may run past Sunday.
    private func days(_ node: DocumentNode, _ reading: inout NodeReading) -> UInt8 {
        guard let text = reading.text(node, "`days`") else { return 0 }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            .map { TimeWindow.dayNames.firstIndex(of: String($0)) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil else {
            reading.note(
                .badValue, node,
                "`\(Quoted.short(text))` is no day: write \(NodeReading.list(TimeWindow.dayNames)) or a range as mon-fri"
            )
            return 0
        }
        return (0...(last - first + 7) % 7).reduce(0) { $0 | 1 << UInt8((first + $1) % 7) }
    }

    private func hours(_ node: DocumentNode, _ reading: inout NodeReading) -> (from: Int, to: Int)? {
        guard let text = reading.text(node, "`hours`") else { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Self.minutes($0) }
        if ends.count == 2, let from = ends[0], let to = ends[1], from < 1_440, from != to { return (from, to) }
        reading.note(
            .badValue, node,
            "`hours` cannot be `\(Quoted.short(text))`: write \"08:00-18:00\", or \"22:00-06:00\" for a night")
        return nil
    }

    /// A day, or a moment of one; a day as an end includes that day.
    private func moment(
        _ node: DocumentNode, _ what: String, _ zone: TimeWindow.Zone, isEnd: Bool, _ reading: inout NodeReading
    ) -> Int64? {
        guard let text = reading.text(node, what) else { return nil }
        guard let moment = Self.moment(text) else {
            reading.note(
                .badValue, node,
                "\(what) cannot be `\(Quoted.short(text))`: write 2026-12-31, or a moment as \"2026-12-31T18:00+01:00\""
            )
            return nil
        }
        let seconds = moment.seconds + (isEnd && moment.isDay ? 86_400 : 0)
        switch (moment.offset, zone) {
        case (let offset?, _), (nil, .fixed(let offset)): return (seconds - Int64(offset)) * 1_000
        case (nil, .local):
            reading.note(
                .missingKey, node,
                "\(what) is another moment in each zone: add `zone`, or write it as \"2026-12-31T18:00+01:00\"")
            return nil
        }
    }

    private static func zone(_ text: String) -> TimeWindow.Zone? {
        switch text {
        case "local": return .local
        case "utc": return .fixed(0)
        default: return offset(text).map(TimeWindow.Zone.fixed)
        }
    }

    /// `+01:00` in seconds; at most fourteen hours, as everywhere on earth.
    private static func offset(_ text: some StringProtocol) -> Int32? {
        guard let sign = text.first, sign == "+" || sign == "-", let minutes = minutes(text.dropFirst()),
            minutes <= 840
        else { return nil }
        return Int32(minutes) * (sign == "-" ? -60 : 60)
    }

    /// `08:30` in minutes, `24:00` included.
    private static func minutes(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Decimal.number(parts[0]),
            let minute = Decimal.number(parts[1]), minute < 60, hour * 60 + minute <= 1_440
        else { return nil }
        return hour * 60 + minute
    }

    /// Reads `2026-12-31`, `2026-12-31T18:00`, `2026-12-31T18:00:30Z` and `2026-12-31T18:00+01:00` (RFC 3339 section 5.6).
    static func moment(_ text: String) -> (seconds: Int64, offset: Int32?, isDay: Bool)? {
        let halves = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard let date = halves.first, let day = day(date) else { return nil }
        guard halves.count == 2, var clock = halves.last else { return (day * 86_400, nil, true) }
        var offset: Int32?
        if clock.hasSuffix("Z") {
            offset = 0
            clock = clock.dropLast()
        } else if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            guard let zone = Self.offset(clock[sign...]) else { return nil }
            offset = zone
            clock = clock[..<sign]
        }
        guard let minutes = minutes(clock.prefix(5)), minutes < 1_440 else { return nil }
        var seconds = 0
        if clock.utf8.count != 5 {
            guard clock.utf8.count == 8, clock.dropFirst(5).first == ":", let number = Decimal.number(clock.suffix(2)),
                number < 60
            else { return nil }
            seconds = number
        }
        return (day * 86_400 + Int64(minutes * 60 + seconds), offset, false)
    }

    /// The day since 1970-01-01 of a date of the Gregorian calendar from 1970 on.
    ///
    /// Counts whole years and months from 1 March, so that the leap day is the last of a year.
    static func day(_ text: some StringProtocol) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], let year = Decimal.number(parts[0]),
            let month = Decimal.number(parts[1]), let day = Decimal.number(parts[2]), year >= 1970,
            (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        guard (1...length).contains(day) else { return nil }
        let years = month > 2 ? year : year - 1
        let months = (month + 9) % 12
        // 153 days are five months from March on; 719,468 days lie between 0000-03-01 and 1970-01-01.
        let days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1
        return Int64(days - 719_468)
    }
}
