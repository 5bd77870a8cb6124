// SPDX-License-Identifier: Apache-2.0

// A set of networks.

internal import FlowModel

/// Networks as a document lists them; ten thousand cost hardly more to look up than ten.
struct PrefixSet: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    private let prefixes: [IPPrefix]
    let v4: Intervals<UInt32>
    let v6: Intervals<UInt128>

    init(_ prefixes: [IPPrefix] = []) {
        self.prefixes = prefixes
        v4 = Intervals(prefixes.compactMap(\.v4))
        v6 = Intervals(prefixes.compactMap(\.v6))
    }

    init(arrayLiteral elements: IPPrefix...) { self.init(elements) }

    var startIndex: Int { prefixes.startIndex }
    var endIndex: Int { prefixes.endIndex }
    subscript(position: Int) -> IPPrefix { prefixes[position] }

    /// Whether an address lies in one of the networks.
    func covers(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let value): return v4.contains(value)
        case .v6(let high, let low, _): return v6.contains(UInt128(high) << 64 | UInt128(low))
        }
    }
}

extension IPPrefix {
    fileprivate var v4: ClosedRange<UInt32>? {
        guard case .v4(let first) = address else { return nil }
        return first...(first | UInt32.max >> UInt32(length))
    }

    fileprivate var v6: ClosedRange<UInt128>? {
        guard case .v6(let high, let low, _) = address else { return nil }
        let first = UInt128(high) << 64 | UInt128(low)
        return first...(first | UInt128.max >> UInt128(length))
    }
}
