// SPDX-License-Identifier: Apache-2.0

// The moments that time windows leave, on two clocks.

/// A conjunction of time windows and of opposites of some.
///
/// Windows in zones with a fixed offset are compared in UTC; those in local time only with each other, because no
/// document says which offset a machine has.
struct TimeRegion: Sendable {
    /// Seconds of a week, Monday 00:00 the first.
    private static let week = 7 * 86_400

    private var first = Int64.min
    private var end = Int64.max
    private var universal = Segments([0..<week])
    private var local = Segments([0..<week])
    private var asksLocal = false
    private var windows: [TimeWindow] = []
    private var refused: [TimeWindow] = []

    init() {}

    init(within window: TimeWindow) {
        windows = [window]
        first = window.notBefore ?? .min
        end = window.notAfter ?? .max
        guard window.days != 0x7f || window.minutes != nil else { return }
        switch window.zone {
        case .fixed(let offset): universal = Self.seconds(of: window, ahead: Int(offset))
        case .local:
            asksLocal = true
            local = Self.seconds(of: window, ahead: 0)
        }
    }

    init(outside window: TimeWindow) { refused = [window] }

    /// How many windows were met and refused.
    var count: Int { windows.count + refused.count }

    func meeting(_ other: TimeRegion) -> TimeRegion {
        var both = self
        both.first = max(first, other.first)
        both.end = min(end, other.end)
        both.universal = universal.intersection(other.universal)
        both.local = local.intersection(other.local)
        both.asksLocal = asksLocal || other.asksLocal
        both.windows += other.windows
        both.refused += other.refused
        return both
    }

    var isEmpty: Bool {
        first >= end || universal.isEmpty || local.isEmpty || windows.contains(where: refused.contains)
    }

    /// Whether every moment of this is one of the other.
    func isWithin(_ other: TimeRegion) -> Bool {
        // A week has few ranges: they need no budget of their own.
        var budget = CheckBudget()
        return other.first <= first && end <= other.end && (asksLocal || !other.asksLocal)
            && universal.isWithin(other.universal, &budget) && local.isWithin(other.local, &budget)
            && other.refused.allSatisfy(refused.contains)
    }

    /// The seconds of the week that a window holds for, as the clock shows them that goes so many seconds behind it.
    private static func seconds(of window: TimeWindow, ahead offset: Int) -> Segments<Int> {
        var ranges: [Range<Int>] = []
        for day in 0..<7 where window.days & (1 << UInt8(day)) != 0 {
            let minutes = window.minutes ?? (0, 1_440)
            let (from, to) = (min(1_440, max(0, minutes.from)), min(1_440, max(0, minutes.to)))
            // A window that runs past midnight belongs to the day on which it began.
            let length = from < to ? to - from : 1_440 - from + to
            let start = ((day * 86_400 + from * 60 - offset) % week + week) % week
            let end = start + length * 60
            ranges.append(start..<min(end, week))
            if end > week { ranges.append(0..<(end - week)) }
        }
        return Segments(ranges)
    }
}
