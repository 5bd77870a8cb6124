// SPDX-License-Identifier: Apache-2.0

// Sets of numbers and addresses as sorted ranges.

internal import FlowModel

/// A set of ordered values: half-open ranges in order, none empty, none touching the next.
struct Segments<Bound: Comparable & Sendable>: Sendable {
    private(set) var ranges: [Range<Bound>] = []

    init(_ unsorted: [Range<Bound>]) {
        for range in unsorted.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var isEmpty: Bool { ranges.isEmpty }

    func intersection(_ other: Self) -> Self {
        var common: [Range<Bound>] = []
        var (i, j) = (0, 0)
        while i < ranges.count, j < other.ranges.count {
            let part = ranges[i].clamped(to: other.ranges[j])
            if !part.isEmpty { common.append(part) }
            if ranges[i].upperBound < other.ranges[j].upperBound { i += 1 } else { j += 1 }
        }
        return Self(common)
    }

    func subtracting(_ other: Self) -> Self {
        var rest: [Range<Bound>] = []
        var j = 0
        for range in ranges {
            var lower = range.lowerBound
            while j < other.ranges.count, other.ranges[j].upperBound <= lower { j += 1 }
            var k = j
            while k < other.ranges.count, other.ranges[k].lowerBound < range.upperBound {
                if lower < other.ranges[k].lowerBound { rest.append(lower..<other.ranges[k].lowerBound) }
                lower = max(lower, other.ranges[k].upperBound)
                k += 1
            }
            if lower < range.upperBound { rest.append(lower..<range.upperBound) }
        }
        return Self(rest)
    }

    /// Whether every value of this lies in the other; false, too, when the budget ends.
    func isWithin(_ other: Self, _ budget: inout CheckBudget) -> Bool {
        var j = 0
        for range in ranges {
            while j < other.ranges.count, other.ranges[j].upperBound <= range.lowerBound {
                guard budget.spend() else { return false }
                j += 1
            }
            guard budget.spend(), j < other.ranges.count, other.ranges[j].lowerBound <= range.lowerBound,
                range.upperBound <= other.ranges[j].upperBound
            else { return false }
        }
        return true
    }
}

/// An address as one number of a line on which IPv4 lies before IPv6, and "not known" before both.
struct AddressKey: Comparable, Sendable {
    var family: UInt8
    var high: UInt64 = 0
    var low: UInt64 = 0

    static let unknown = AddressKey(family: 0)..<AddressKey(family: 1)
    static let known = [
        AddressKey(family: 4)..<AddressKey(family: 4, low: 1 << 32), AddressKey(family: 6)..<AddressKey(family: 7),
    ]

    static func < (a: AddressKey, b: AddressKey) -> Bool { (a.family, a.high, a.low) < (b.family, b.high, b.low) }
}

extension IPPrefix {
    /// The addresses that it contains.
    var keys: Range<AddressKey> {
        switch address {
        case .v4(let first):
            let first = UInt64(first)
            return AddressKey(family: 4, low: first)..<AddressKey(family: 4, low: first + (1 << UInt64(32 - length)))
        case .v6(let high, let low, _):
            let first = AddressKey(family: 6, high: high, low: low)
            var end = first
            if length > 64 {
                let (next, carries) = low.addingReportingOverflow(1 << UInt64(128 - length))
                end.low = next
                if !carries { return first..<end }
                end.high = high &+ 1
            } else {
                // A shift by all 64 bits gives 0, and the carry then says that the whole family is meant.
                end.low = 0
                end.high = high &+ (1 << UInt64(64 - length))
            }
            return first..<(end.high == 0 ? AddressKey(family: 7) : end)
        }
    }
}
