// SPDX-License-Identifier: Apache-2.0

// A set of flows as a kernel can tell them apart: by transport, address and port.

public import FlowModel

/// Transports, networks of one family and ports; all of their combinations.
public struct CaptureRegion: Sendable, Hashable {
    public let transports: [Transport]
    /// Disjoint; `0.0.0.0/0` or `::/0` for every address of a family.
    public let prefixes: [IPPrefix]
    /// Ascending and disjoint; empty for any port.
    public let ports: [ClosedRange<UInt16>]

    init(_ transports: [Transport], _ prefixes: [IPPrefix], _ ports: PortSet) {
        self.transports = transports
        self.prefixes = prefixes
        self.ports = ports.isAll ? [] : ports.ranges
    }

    var portSet: PortSet { ports.isEmpty ? .all : PortSet(ports) }
    /// Whether it holds at every address of its family.
    var isEverywhere: Bool { prefixes.contains { $0.length == 0 } }
}

extension CaptureRegion: CustomStringConvertible {
    /// `tcp+udp 443 to 10.0.0.0/8, 192.168.0.0/16`.
    public var description: String {
        let network = prefixes.map(\.description).joined(separator: ", ")
        return "\(transports.map(\.rawValue).joined(separator: "+")) \(portSet) to \(network)"
    }
}

/// A set of flows by transport, address and port, exact under union, intersection and complement.
struct FlowSpace: Hashable, Sendable {
    static let transports: [Transport] = [.tcp, .udp]

    /// For each transport, both families.
    private var maps: [AddressPorts]

    static let none = FlowSpace(transports: [])
    static let all = FlowSpace()

    private init(_ maps: [AddressPorts]) { self.maps = maps }

    /// Without prefixes, at every address.
    init(transports: [Transport] = Self.transports, prefixes: [IPPrefix]? = nil, ports: PortSet = .all) {
        maps = Self.transports.flatMap { transport in
            AddressFamily.allCases.map { family in
                guard transports.contains(transport) else { return AddressPorts(family, .none) }
                return prefixes.map { AddressPorts(family, prefixes: $0, ports) } ?? AddressPorts(family, ports)
            }
        }
    }

    subscript(_ transport: Transport, _ family: AddressFamily) -> AddressPorts {
        maps[(transport == .tcp ? 0 : AddressFamily.allCases.count) + family.rawValue]
    }

    /// A destination given by name is in it when some address would be: the kernel will see one that we do not know.
    func contains(_ transport: Transport, _ destination: Endpoint) -> Bool {
        guard let address = destination.address else {
            return AddressFamily.allCases.contains { self[transport, $0].anywhere.contains(destination.port) }
        }
        return self[transport, AddressFamily(address)].ports(at: address.place).contains(destination.port)
    }

    private func combined(_ other: FlowSpace, _ join: (PortSet, PortSet) -> PortSet) -> FlowSpace {
        FlowSpace(zip(maps, other.maps).map { $0.combined($1, join) })
    }
    func union(_ other: FlowSpace) -> FlowSpace { other.isEmpty ? self : combined(other) { $0.union($1) } }
    func intersection(_ other: FlowSpace) -> FlowSpace { combined(other) { $0.intersection($1) } }
    func subtracting(_ other: FlowSpace) -> FlowSpace { other.isEmpty ? self : combined(other) { $0.subtracting($1) } }
    var complement: FlowSpace { FlowSpace(maps.map(\.complement)) }

    /// Joins many, pair by pair: no part is walked more often than there are rounds.
    static func joined(_ spaces: [FlowSpace], _ join: (FlowSpace, FlowSpace) -> FlowSpace) -> FlowSpace? {
        var round = spaces
        while round.count > 1 {
            round = stride(from: 0, to: round.count, by: 2).map { index in
                index + 1 < round.count ? join(round[index], round[index + 1]) : round[index]
            }
        }
        return round.first
    }

    var isEmpty: Bool { maps.allSatisfy(\.isEmpty) }
    func intersects(_ other: FlowSpace) -> Bool { !intersection(other).isEmpty }
    /// How much work it is to walk it.
    var size: Int { maps.reduce(0) { $0 + $1.bands.count } }

    /// The part of one transport.
    func only(_ transport: Transport) -> FlowSpace { intersection(FlowSpace(transports: [transport])) }

    /// The same as regions: first what holds at every address, then the rest by network.
    var regions: [CaptureRegion] {
        AddressFamily.allCases.flatMap { family -> [CaptureRegion] in
            let (tcp, udp) = (self[.tcp, family], self[.udp, family])
            if tcp == udp { return Self.regions(Self.transports, tcp) }
            return Self.regions([.tcp], tcp) + Self.regions([.udp], udp)
        }
    }

    private static func regions(_ transports: [Transport], _ map: AddressPorts) -> [CaptureRegion] {
        let everywhere = map.everywhere
        var result: [CaptureRegion] = []
        if !everywhere.isEmpty, let all = map.family.prefix(0, 0) {
            result.append(CaptureRegion(transports, [all], everywhere))
        }
        let rest = map.combined(AddressPorts(map.family, everywhere)) { $0.subtracting($1) }
        var networks: [PortSet: [IPPrefix]] = [:]
        var order: [PortSet] = []
        for (prefix, ports) in rest.prefixes(without: .none) {
            if networks[ports] == nil { order.append(ports) }
            networks[ports, default: []].append(prefix)
        }
        return result + order.map { CaptureRegion(transports, networks[$0] ?? [], $0) }
    }
}

extension Exclusion {
    /// The flows it holds for; nil when that depends on the interface.
    var space: FlowSpace? {
        let ports = ports.isEmpty ? PortSet.all : PortSet(self.ports)
        switch scope {
        case .open: return FlowSpace(transports: transports, ports: ports)
        case .prefixes(let prefixes): return FlowSpace(transports: transports, prefixes: prefixes, ports: ports)
        case .peerToPeer: return nil
        }
    }
}
