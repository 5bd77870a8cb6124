// SPDX-License-Identifier: Apache-2.0

// The interfaces of this machine that lead into somebody else's tunnel.

internal import Foundation

package enum NetworkInterfaces {
    /// The interfaces that are up, have an IPv4 address and are called as tunnels are, sorted.
    ///
    /// macOS always has some `utun` interfaces of its own, but those have no IPv4 address.
    package static func tunnels() -> [String] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var names: Set<String> = []
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard entry.ifa_flags & UInt32(IFF_UP) != 0, entry.ifa_addr?.pointee.sa_family == sa_family_t(AF_INET)
            else { continue }
            let name = String(cString: entry.ifa_name)
            if isTunnel(name) { names.insert(name.terminalSafe) }
        }
        return names.sorted()
    }

    /// The names that kernels and VPN programs give to tunnels.
    package static func isTunnel(_ name: String) -> Bool {
        ["tun", "tap", "utun", "wg", "ppp", "ipsec", "tailscale", "nordlynx", "zt", "gpd"]
            .contains { name.hasPrefix($0) }
    }

    /// The interface of the IPv4 default route (Linux, `/proc/net/route`); nil when there is none.
    package static func defaultRoute() -> String? {
        for line in (SmallText.read("/proc/net/route") ?? "").split(separator: "\n").dropFirst() {
            let fields = line.split(separator: "\t")
            if fields.count > 7, fields[1] == "00000000", fields[7] == "00000000" { return String(fields[0]) }
        }
        return nil
    }
}
