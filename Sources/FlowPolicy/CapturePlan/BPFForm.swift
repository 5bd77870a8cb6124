// SPDX-License-Identifier: Apache-2.0

// The capture plan as the entries of BPF maps.

internal import FlowModel

extension CapturePlan {
    /// The plan as entries of three maps, for the `cgroup_sock_addr` hooks.
    public var bpf: BPFForm { BPFForm(self) }
}

/// Entries of three maps of type LPM trie, that a hook asks twice for each first destination.
///
/// | map | key | value |
/// |---|---|---|
/// | `weir_net4` | `u32` prefix length + 32, `u8` protocol (6, 17), 3 zero bytes, 4 bytes of address | `u32` port set |
/// | `weir_net6` | the same with 16 bytes of address | `u32` port set |
/// | `weir_port` | `u32` prefix length + 32, `u32` port set, `u16` port, 2 zero bytes | `u32` 1 |
///
/// Prefix lengths and values are in the order of the machine, which is little endian; addresses, ports and the set within
/// a key are in network order, so that a prefix of them means something. A flow is captured when its address is found,
/// and then its port in the set that was found. The set 0 is empty. IPv4-mapped addresses are asked for in `weir_net4`.
public struct BPFForm: Sendable {
    public enum Map: String, Sendable, CaseIterable {
        case net4 = "weir_net4"
        case net6 = "weir_net6"
        case port = "weir_port"

        /// Bytes of a key.
        public var keySize: Int {
            switch self {
            case .net4, .port: return 12
            case .net6: return 24
            }
        }
        public static let valueSize = 4
    }

    public struct Entry: Sendable, Hashable {
        public let map: Map
        public let key: [UInt8]
        public let value: [UInt8]
        /// What it says, for people.
        public let text: String
    }

    public private(set) var entries: [Entry] = []
    /// What this form cannot say of the plan; all of it is captured and decided in user space.
    public let losses: [CaptureLoss]
    private let plan: CapturePlan

    init(_ plan: CapturePlan) {
        self.plan = plan
        losses = plan.exclusions.filter { $0.interface != nil }.map {
            CaptureLoss($0.origin, "the hook does not see the interface: captured and declined in user space")
        }
        var sets: [PortSet: UInt32] = [.none: 0]
        var order: [PortSet] = []
        for transport in FlowSpace.transports {
            for family in AddressFamily.allCases {
                let map = plan.captured[transport, family]
                // The longest prefix wins, so that what holds at most addresses is said once and the rest as exceptions.
                let usual = map.widest
                let whole = family.prefix(0, 0).map { [($0, usual)] } ?? []
                for (prefix, ports) in (usual.isEmpty ? [] : whole) + map.prefixes(without: usual) {
                    let set = sets[ports] ?? UInt32(sets.count)
                    if sets.updateValue(set, forKey: ports) == nil { order.append(ports) }
                    entries.append(Self.entry(transport, prefix, ports, set))
                }
            }
        }
        for ports in order {
            for range in ports.ranges { entries += Self.entries(sets[ports] ?? 0, range) }
        }
    }

    private static func entry(_ transport: Transport, _ prefix: IPPrefix, _ ports: PortSet, _ set: UInt32) -> Entry {
        Entry(
            map: prefix.family == .v4 ? .net4 : .net6,
            key: native(UInt32(32 + prefix.length)) + [transport == .tcp ? 6 : 17, 0, 0, 0]
                + prefix.address.networkBytes,
            value: native(set),
            text: "\(transport.rawValue) \(prefix): \(ports.isEmpty ? "left alone" : "ports \(ports)")")
    }

    /// A range of ports as the fewest prefixes.
    private static func entries(_ set: UInt32, _ range: ClosedRange<UInt16>) -> [Entry] {
        var entries: [Entry] = []
        var start = UInt32(range.lowerBound)
        while start <= UInt32(range.upperBound) {
            var bits = start == 0 ? 16 : min(16, start.trailingZeroBitCount)
            while start + (1 << UInt32(bits)) - 1 > UInt32(range.upperBound) { bits -= 1 }
            let end = start + (1 << UInt32(bits)) - 1
            let port = [UInt8(truncatingIfNeeded: start >> 8), UInt8(truncatingIfNeeded: start)]
            entries.append(
                Entry(
                    map: .port, key: native(UInt32(48 - bits)) + native(set).reversed() + port + [0, 0],
                    value: native(1), text: "set \(set): \(start == end ? "\(start)" : "\(start)-\(end)")"))
            start = end + 1
        }
        return entries
    }

    /// Little endian, as on every machine that this runs on.
    private static func native(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    /// JSON lines: the plan, its maps, what is left alone and what was lost, then an entry a line with key and value in
    /// hexadecimal.
    public var lines: String {
        var lines = [
            JSONLine([
                ("target", .text(plan.target.rawValue)), ("policy", .text(plan.policy)),
                ("mode", .text(plan.mode.rawValue)),
            ]).text
        ]
        for map in Map.allCases {
            lines.append(
                JSONLine([
                    ("create", .text(map.rawValue)), ("type", .text("lpm_trie")), ("key-size", .number(map.keySize)),
                    ("value-size", .number(Map.valueSize)),
                    ("entries", .number(entries.count { $0.map == map })),
                ]).text)
        }
        for exclusion in plan.exclusions {
            lines.append(
                JSONLine([
                    ("excluded", .text(exclusion.origin.description)),
                    ("to", .texts(exclusion.regions.map(\.description))),
                    ("interface", exclusion.interface.map { .text($0.rawValue) } ?? .null),
                    ("reason", .text(exclusion.reason)),
                ]).text)
        }
        lines += (plan.losses + losses).map(\.line)
        lines += entries.map { entry in
            JSONLine([
                ("map", .text(entry.map.rawValue)), ("key", .text(Self.hex(entry.key))),
                ("value", .text(Self.hex(entry.value))), ("text", .text(entry.text)),
            ]).text
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

extension AddressPorts {
    /// The ports that hold at most addresses.
    fileprivate var widest: PortSet {
        var widths: [PortSet: Double] = [:]
        for (index, band) in bands.enumerated() {
            let end = index + 1 < bands.count ? bands[index + 1].start : family.last
            widths[band.ports, default: 0] += Double(end - band.start)
        }
        // Of equals the one that comes first, so that the same plan is always printed the same.
        return bands.map(\.ports).max { (widths[$0] ?? 0) < (widths[$1] ?? 0) } ?? .none
    }
}
