// SPDX-License-Identifier: Apache-2.0

// Numbers by the ranges they lie in: ports and addresses.

internal import FlowModel

/// A set of numbers as ranges: sorted, and apart from each other.
struct Intervals<Bound: FixedWidthInteger & Sendable>: Sendable {
    let ranges: [ClosedRange<Bound>]

    /// Joins ranges that touch or overlap.
    init(_ unsorted: some Sequence<ClosedRange<Bound>>) {
        var ranges: [ClosedRange<Bound>] = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = ranges.last else {
                ranges.append(range)
                continue
            }
            if last.upperBound == .max || range.lowerBound <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        self.ranges = ranges
    }
}

/// Which rules take a number: the line of numbers cut into intervals, with a row of bits for each.
///
/// Bounded in size: with too many cuts neighbours are joined, and then a row may name a rule too many, which is asked
/// and says no; it never names one too few.
struct IntervalTable<Bound: FixedWidthInteger & Sendable>: Sendable {
    /// The first number of each interval; the first is the lowest number there is.
    private let starts: [Bound]
    private(set) var rows: BitRows

    /// A table for sets of numbers and the rules that ask for each.
    init(_ sets: [(numbers: Intervals<Bound>, rules: [Int32])], rules: Int) {
        var cuts: Set<Bound> = [.min]
        for range in sets.lazy.flatMap(\.numbers.ranges) {
            cuts.insert(range.lowerBound)
            if range.upperBound < .max { cuts.insert(range.upperBound + 1) }
        }
        let sorted = cuts.sorted()
        let stride = 1 + sorted.count / PolicyLimits.indexIntervals.value
        starts = sorted.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
        rows = BitRows(rows: starts.count, bits: rules)
        for (numbers, rules) in sets {
            var next = 0
            for range in numbers.ranges {
                let last = row(of: range.upperBound)
                for row in max(next, row(of: range.lowerBound))..<(last + 1) { rows.insert(rules, in: row) }
                // Two ranges in one joined interval fill it once.
                next = last + 1
            }
        }
    }

    /// The row of a number.
    func row(of value: Bound) -> Int { starts.partition { $0 <= value } - 1 }
}

extension Array {
    /// How many elements fulfil a test that holds for the first ones and for none after them.
    fileprivate func partition(_ holds: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Rows of bits, a bit a rule.
struct BitRows: Sendable {
    /// Words in a row.
    let words: Int
    private var storage: [UInt64]

    init(rows: Int, bits: Int) {
        words = (bits + 63) / 64
        storage = Array(repeating: 0, count: rows * words)
    }

    subscript(row: Int, word: Int) -> UInt64 { storage[row * words + word] }

    mutating func insert(_ bits: some Sequence<Int32>, in row: Int) {
        for bit in bits { storage[row * words + Int(bit) / 64] |= 1 << UInt64(bit % 64) }
    }
}
