// SPDX-License-Identifier: Apache-2.0

// Sets of ports, as kernels see them: a few ranges.

/// A set of ports.
struct PortSet: Hashable, Sendable {
    /// Ascending, disjoint, with a gap between neighbours.
    private(set) var ranges: [ClosedRange<UInt16>]

    static let none = PortSet([])
    static let all = PortSet([0...UInt16.max])

    init(_ ranges: [ClosedRange<UInt16>]) {
        guard ranges.count > 1 else {
            self.ranges = ranges
            return
        }
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    var isEmpty: Bool { ranges.isEmpty }
    /// Whether every port that a flow can go to is in it; nothing goes to port 0.
    var isAll: Bool { ranges.count == 1 && ranges[0].lowerBound <= 1 && ranges[0].upperBound == UInt16.max }
    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    func contains(_ port: UInt16) -> Bool { ranges.contains { $0.contains(port) } }

    func union(_ other: PortSet) -> PortSet {
        if self == other || other.isEmpty { return self }
        return isEmpty ? other : PortSet(ranges + other.ranges)
    }

    func intersection(_ other: PortSet) -> PortSet {
        if self == other || isEmpty || other.isAll { return self }
        if other.isEmpty || isAll { return other }
        var common: [ClosedRange<UInt16>] = []
        var (a, b) = (0, 0)
        while a < ranges.count, b < other.ranges.count {
            let (mine, theirs) = (ranges[a], other.ranges[b])
            if mine.overlaps(theirs) { common.append(mine.clamped(to: theirs)) }
            if mine.upperBound < theirs.upperBound { a += 1 } else { b += 1 }
        }
        return PortSet(common)
    }

    var complement: PortSet {
        var gaps: [ClosedRange<UInt16>] = []
        var next = 0
        for range in ranges {
            if next < Int(range.lowerBound) { gaps.append(UInt16(next)...(range.lowerBound - 1)) }
            next = Int(range.upperBound) + 1
        }
        if let rest = UInt16(exactly: next) { gaps.append(rest...UInt16.max) }
        return PortSet(gaps)
    }

    func subtracting(_ other: PortSet) -> PortSet {
        other.isEmpty || isEmpty ? self : intersection(other.complement)
    }
}

extension PortSet: CustomStringConvertible {
    /// `443, 8000-8080`; `any` for all of them.
    var description: String {
        if isAll { return "any" }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
    }
}
