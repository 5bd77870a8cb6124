// SPDX-License-Identifier: Apache-2.0

// The capture plan as an nftables ruleset.

public import FlowModel

extension CapturePlan {
    /// The plan as a ruleset with these ports and marks.
    public func nftables(_ options: NFTablesForm.Options = .init()) -> NFTablesForm {
        NFTablesForm(plan: self, options: options)
    }
}

/// A ruleset for `nft -f`: a table of its own, that does nothing until the engine gives it a sign of life.
///
/// TCP is redirected by its first packet. UDP is marked packet by packet, and comes back over loopback to a transparent
/// socket that sees the original destination; until the engine has made the route for the mark, the mark does nothing.
public struct NFTablesForm: Sendable {
    public struct Options: Sendable, Hashable {
        /// Where the engine listens on loopback for TCP.
        public var tcpPort: UInt16 = 15001
        /// Where its transparent socket listens for UDP.
        public var udpPort: UInt16 = 15002
        /// On every socket of the engine: what bears it is left alone.
        public var ownMark: UInt32 = 0x5745_0001
        /// On UDP that is handed over; `ip rule add fwmark MARK lookup TABLE` sends it to loopback.
        public var divertMark: UInt32 = 0x5745_0002
        /// The table ends with the `nft -i` that loads it, and nobody else can change it (kernel 5.12).
        public var isOwned = false

        public init() {}
    }

    /// The name of the table, family included.
    public static let table = "inet weir"

    let plan: CapturePlan
    let options: Options

    /// What the engine feeds to `nft -f -` again and again, well within that time, while it lives.
    ///
    /// One transaction; adding an element that is there would not renew it on kernels before 6.12. A transport is left
    /// out while the engine does not listen for it.
    public static func heartbeat(seconds: Int, _ transports: [Transport] = [.tcp, .udp]) -> String {
        let names = transports.map(\.rawValue)
        let add =
            "add element \(table) alive { " + names.map { "\($0) timeout \(seconds)s" }.joined(separator: ", ") + " }\n"
        return add + "delete element \(table) alive { \(names.joined(separator: ", ")) }\n" + add
    }

    /// The whole ruleset; loading it again replaces it at once.
    public var text: String {
        var lines = head
        lines.append("table \(Self.table) {")
        if options.isOwned { lines.append("    flags owner;") }
        lines += [
            "    # No element, no capture: the engine renews them while it lives, and without it all goes direct.",
            "    set alive {", "        type inet_proto", "        flags timeout", "    }",
        ]
        if !plan.taken.isEmpty { lines += excluded }
        if !plan.taken.only(.tcp).isEmpty { lines += tcp }
        if !plan.taken.only(.udp).isEmpty { lines += udp }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private var head: [String] {
        var lines = ["# Weir: the capture plan of policy \(plan.policy), mode \(plan.mode.rawValue)."]
        for loss in plan.losses { lines.append("# lost: \(Self.plain(loss.description))") }
        if !plan.taken.only(.udp).isEmpty {
            lines.append("# UDP comes to the engine over these routes, and goes direct without them:")
            for family in ["-4", "-6"] {
                lines.append("#   ip \(family) rule add fwmark \(Self.hex(options.divertMark)) lookup 22341")
                lines.append("#   ip \(family) route add local default dev lo table 22341")
            }
        }
        // Made first, so that there is one to delete.
        if !options.isOwned { lines += ["table \(Self.table)", "delete table \(Self.table)"] }
        return lines
    }

    private var excluded: [String] {
        var lines = ["", "    chain excluded {"]
        for exclusion in plan.exclusions {
            let origin = Self.plain(exclusion.origin.description)
            lines.append("        # \(origin): \(Self.plain(exclusion.reason))")
            let comment = "counter accept comment \"\(origin.prefix(100))\""
            if exclusion.interface != nil {
                // As `InterfaceClass` names radio links to neighbours; any address, so one family's regions say all.
                for name in ["awdl*", "llw*", "nan*"] {
                    for region in exclusion.regions where region.prefixes.first?.family == .v4 {
                        lines.append("        oifname \"\(name)\" \(Self.ports(region)) \(comment)")
                    }
                }
                continue
            }
            for region in exclusion.regions { lines.append("        \(Self.match(region)) \(comment)") }
        }
        return lines + ["    }"]
    }

    private var tcp: [String] {
        ["", "    chain redirect_tcp {", "        type nat hook output priority -100; policy accept;"] + guards(.tcp)
            + inclusions(.tcp).map { "        \($0) counter redirect to :\(options.tcpPort) comment \"captured tcp\"" }
            + ["    }"]
    }

    private var udp: [String] {
        let divert = Self.hex(options.divertMark)
        return ["", "    chain mark_udp {", "        type route hook output priority -150; policy accept;"]
            + guards(.udp)
            + inclusions(.udp).map { "        \($0) counter meta mark set \(divert) comment \"captured udp\"" }
            + [
                "    }", "", "    chain divert_udp {",
                "        type filter hook prerouting priority -150; policy accept;",
            ]
            + ["ip", "ip6"].map { family in
                "        iifname \"lo\" meta mark \(divert) meta l4proto udp meta nfproto \(family == "ip" ? "ipv4" : "ipv6")"
                    + " tproxy \(family) to :\(options.udpPort) accept"
            } + ["    }"]
    }

    private func guards(_ transport: Transport) -> [String] {
        [
            "        meta l4proto != \(transport.rawValue) accept",
            "        meta l4proto != @alive accept",
            "        meta mark \(Self.hex(options.ownMark)) accept",
            // What a server of this machine answers is no flow of its own.
            "        ct direction reply accept",
            "        jump excluded",
        ]
    }

    private func inclusions(_ transport: Transport) -> [String] {
        plan.taken.only(transport).regions.map(Self.match)
    }

    private static func match(_ region: CaptureRegion) -> String {
        let isV4 = region.prefixes.first?.family == .v4
        if region.isEverywhere { return "meta nfproto \(isV4 ? "ipv4" : "ipv6") \(ports(region))" }
        let list = region.prefixes.map(\.description).joined(separator: ", ")
        return "\(isV4 ? "ip" : "ip6") daddr { \(list) } \(ports(region))"
    }

    private static func ports(_ region: CaptureRegion) -> String {
        let transport =
            region.transports.count == 1
            ? region.transports.map(\.rawValue).joined()
            : "{ " + region.transports.map(\.rawValue).joined(separator: ", ") + " }"
        guard !region.ports.isEmpty else { return "meta l4proto \(transport)" }
        return "meta l4proto \(transport) th dport { \(region.portSet) }"
    }

    private static func hex(_ mark: UInt32) -> String { "0x" + String(mark, radix: 16) }

    /// Printable ASCII without what would end a comment or a string: names of rules may hold anything.
    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.map { (0x20...0x7e).contains($0.value) && $0 != "\\" ? Character($0) : "?" })
            .replacing("\"", with: "'")
    }
}
