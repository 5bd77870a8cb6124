// SPDX-License-Identifier: Apache-2.0

// A set of networks.

internal import FlowModel

/// Networks as a document lists them; ten thousand cost hardly more to look up than ten.
struct PrefixSet: Sendable {
    private struct Key: Hashable {
        let length: Int
        let first: UInt128
    }

    /// The networks of one family by their lengths and first addresses.
    private struct Table {
        var keys: Set<Key> = []
        var lengths: [Int] = []

        mutating func insert(_ key: Key) {
            if keys.insert(key).inserted, !lengths.contains(key.length) { lengths.append(key.length) }
        }
    }

    private var prefixes: [IPPrefix] = []
    /// For IPv4 and IPv6; none while there are few enough to ask each.
    private var tables: [Table] = []
    private static let few = 8

    init() {}

    /// Whether an address lies in one of the networks.
    func covers(_ address: IPAddress) -> Bool {
        guard !tables.isEmpty else { return prefixes.contains { $0.contains(address) } }
        let table = tables[address.isV4 ? 0 : 1]
        let number = address.number
        return table.lengths.contains { table.keys.contains(Key(length: $0, first: address.masked(number, $0))) }
    }

    /// Takes what stands from a place on into the tables.
    private mutating func index(from place: Int) {
        guard prefixes.count > Self.few else { return }
        let start = tables.isEmpty ? 0 : place
        if tables.isEmpty { tables = [Table(), Table()] }
        for prefix in prefixes[start...] {
            tables[prefix.address.isV4 ? 0 : 1].insert(Key(length: prefix.length, first: prefix.address.number))
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
        index(from: prefixes.count - 1)
    }

    mutating func replaceSubrange(_ range: Range<Int>, with elements: some Collection<IPPrefix>) {
        if range.lowerBound < prefixes.endIndex { tables = [] }
        prefixes.replaceSubrange(range, with: elements)
        index(from: range.lowerBound)
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
