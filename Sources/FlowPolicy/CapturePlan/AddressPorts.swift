// SPDX-License-Identifier: Apache-2.0

// Which ports at which addresses of one family: a step function over the line of addresses.

internal import FlowModel

/// The two families of addresses, each a line of its own.
enum AddressFamily: Int, CaseIterable, Sendable {
    case v4, v6

    var width: Int { self == .v4 ? 32 : 128 }
    var last: UInt128 { self == .v4 ? UInt128(UInt32.max) : .max }

    init(_ address: IPAddress) {
        if case .v4 = address { self = .v4 } else { self = .v6 }
    }

    /// The prefix of a length at a place; nil for the places of IPv4-mapped addresses, which never are IPv6 addresses.
    func prefix(_ start: UInt128, _ length: Int) -> IPPrefix? {
        let address: IPAddress
        switch self {
        case .v4: address = .v4(UInt32(truncatingIfNeeded: start))
        case .v6:
            address = .v6(
                high: UInt64(truncatingIfNeeded: start >> 64), low: UInt64(truncatingIfNeeded: start), scope: 0)
        }
        return IPPrefix("\(address)/\(length)")
    }
}

extension IPAddress {
    /// Its place on the line of its family.
    var place: UInt128 {
        switch self {
        case .v4(let value): return UInt128(value)
        case .v6(let high, let low, _): return UInt128(high) << 64 | UInt128(low)
        }
    }
}

extension IPPrefix {
    var family: AddressFamily { AddressFamily(address) }
    var first: UInt128 { address.place }
    var last: UInt128 { length == 0 ? family.last : first | ((UInt128(1) << UInt128(family.width - length)) - 1) }
}

/// Ports by address of one family.
struct AddressPorts: Hashable, Sendable {
    /// From this address up to the next band, these ports.
    struct Band: Hashable, Sendable {
        var start: UInt128
        var ports: PortSet
    }

    let family: AddressFamily
    /// Ascending; the first begins at 0, and neighbours differ.
    private(set) var bands: [Band]

    init(_ family: AddressFamily, _ ports: PortSet) {
        self.family = family
        bands = [Band(start: 0, ports: ports)]
    }

    /// The ports at the addresses of the prefixes, of which those of another family are left out.
    init(_ family: AddressFamily, prefixes: [IPPrefix], _ ports: PortSet) {
        self.init(family, .none)
        let spans = prefixes.filter { $0.family == family }.map { ($0.first, $0.last) }
            // Of those that begin together the widest first, which has the others in it.
            .sorted { ($0.0, $1.1) < ($1.0, $0.1) }
        var covered: UInt128?
        for (first, last) in spans {
            // Prefixes lie inside each other or apart.
            if let covered, last <= covered { continue }
            append(first, ports)
            if last < family.last { append(last + 1, .none) }
            covered = last
        }
    }

    private init(_ family: AddressFamily, _ bands: [Band]) {
        self.family = family
        self.bands = bands
    }

    /// Ends the last band and begins another, which may take its place or go on with its ports.
    private mutating func append(_ start: UInt128, _ ports: PortSet) {
        if bands.last?.start == start { bands.removeLast() }
        if bands.last?.ports != ports { bands.append(Band(start: start, ports: ports)) }
    }

    func ports(at place: UInt128) -> PortSet {
        var (low, high) = (0, bands.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if bands[middle].start <= place { low = middle } else { high = middle }
        }
        return bands[low].ports
    }

    /// Joins two of one family, address by address.
    func combined(_ other: AddressPorts, _ join: (PortSet, PortSet) -> PortSet) -> AddressPorts {
        var result = AddressPorts(family, [Band]())
        var (a, b) = (0, 0)
        var start: UInt128 = 0
        while true {
            result.append(start, join(bands[a].ports, other.bands[b].ports))
            let nextA = a + 1 < bands.count ? bands[a + 1].start : nil
            let nextB = b + 1 < other.bands.count ? other.bands[b + 1].start : nil
            guard let next = [nextA, nextB].compactMap({ $0 }).min() else { return result }
            if nextA == next { a += 1 }
            if nextB == next { b += 1 }
            start = next
        }
    }

    var complement: AddressPorts {
        AddressPorts(family, bands.map { Band(start: $0.start, ports: $0.ports.complement) })
    }

    var isEmpty: Bool { bands.count == 1 && bands[0].ports.isEmpty }
    /// The ports that are there at every address.
    var everywhere: PortSet { bands.reduce(PortSet.all) { $0.intersection($1.ports) } }
    /// The ports that are there at some address.
    var anywhere: PortSet { bands.reduce(PortSet.none) { $0.union($1.ports) } }

    /// The bands as the fewest prefixes, ascending, without those of these ports.
    func prefixes(without ports: PortSet) -> [(prefix: IPPrefix, ports: PortSet)] {
        var result: [(IPPrefix, PortSet)] = []
        for (index, band) in bands.enumerated() where band.ports != ports {
            let end = index + 1 < bands.count ? bands[index + 1].start - 1 : family.last
            var start = band.start
            while true {
                // As large as the start is aligned, and not beyond the end.
                var bits = start == 0 ? family.width : min(family.width, start.trailingZeroBitCount)
                while bits > 0, bits == 128 ? end != .max : end - start < (UInt128(1) << UInt128(bits)) - 1 {
                    bits -= 1
                }
                if let prefix = family.prefix(start, family.width - bits) { result.append((prefix, band.ports)) }
                guard bits < 128 else { break }
                let (next, overflow) = start.addingReportingOverflow(UInt128(1) << UInt128(bits))
                if overflow || next > end { break }
                start = next
            }
        }
        return result
    }
}
