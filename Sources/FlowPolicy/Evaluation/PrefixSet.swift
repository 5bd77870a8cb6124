// SPDX-License-Identifier: Apache-2.0

// A set of networks.

internal import FlowModel

/// Networks as a document lists them; ten thousand cost hardly more to look up than ten.
struct PrefixSet: Sendable {
    private struct Key: Hashable {
        let length: Int
        let first: UInt128
    }

    private var prefixes: [IPPrefix] = []
    /// The networks by their lengths and first addresses, one table a family, once there are too many to ask each.
    private var v4: (keys: Set<Key>, lengths: [Int]) = ([], [])
    private var v6: (keys: Set<Key>, lengths: [Int]) = ([], [])
    private static let few = 8

    init() {}

    /// Whether an address lies in one of the networks.
    func covers(_ address: IPAddress) -> Bool {
        guard prefixes.count > Self.few else { return prefixes.contains { $0.contains(address) } }
        let table = address.isV4 ? v4 : v6
        let number = address.number
        return table.lengths.contains { table.keys.contains(Key(length: $0, first: address.masked(number, $0))) }
    }

    private mutating func index(_ prefix: IPPrefix) {
        let key = Key(length: prefix.length, first: prefix.address.number)
        if prefix.address.isV4 {
            if v4.keys.insert(key).inserted, !v4.lengths.contains(key.length) { v4.lengths.append(key.length) }
        } else {
            if v6.keys.insert(key).inserted, !v6.lengths.contains(key.length) { v6.lengths.append(key.length) }
        }
    }

    /// The ranges of addresses, as numbers, of one family.
    func ranges(v4 isV4: Bool) -> Intervals<UInt128> {
        Intervals(
            prefixes.lazy.filter { $0.address.isV4 == isV4 }.map { prefix in
                let first = prefix.address.number
                return first...(first | ~prefix.address.masked(.max, prefix.length) & prefix.address.highest)
            })
    }
}

extension PrefixSet: RandomAccessCollection, RangeReplaceableCollection, ExpressibleByArrayLiteral {
    init(arrayLiteral elements: IPPrefix...) { self.init(elements) }

    var startIndex: Int { prefixes.startIndex }
    var endIndex: Int { prefixes.endIndex }
    subscript(position: Int) -> IPPrefix { prefixes[position] }

    mutating func append(_ prefix: IPPrefix) {
        prefixes.append(prefix)
        index(prefix)
    }

    mutating func replaceSubrange(_ range: Range<Int>, with elements: some Collection<IPPrefix>) {
        let isAppending = range.lowerBound == prefixes.endIndex
        prefixes.replaceSubrange(range, with: elements)
        if !isAppending { (v4, v6) = (([], []), ([], [])) }
        for prefix in isAppending ? prefixes[range.lowerBound...] : prefixes[...] { index(prefix) }
    }
}

extension IPAddress {
    /// The address as a number.
    var number: UInt128 {
        switch self {
        case .v4(let value): return UInt128(value)
        case .v6(let high, let low, _): return UInt128(high) << 64 | UInt128(low)
        }
    }

    var isV4: Bool { if case .v4 = self { true } else { false } }

    /// The highest number of the family.
    fileprivate var highest: UInt128 { isV4 ? UInt128(UInt32.max) : .max }

    /// The first bits of a number of the family, so many of them.
    fileprivate func masked(_ number: UInt128, _ length: Int) -> UInt128 {
        number & ~(highest >> UInt128(length)) & highest
    }
}
