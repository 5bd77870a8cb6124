// SPDX-License-Identifier: Apache-2.0

// A rule of a transparent proxy on macOS as a value, and the constraints that the system puts on it.

internal import FlowModel

/// What an `NENetworkRule` is made of.
///
/// It can hold every rule that could be written, so that the constraints can be checked where no such class exists.
public struct NetworkRule: Sendable, Hashable, Codable {
    public enum TransportProtocol: String, Sendable, Hashable, Codable { case any, tcp, udp }
    public enum Direction: String, Sendable, Hashable, Codable { case outbound, inbound, any }

    /// The remote network; nil, without a host, for every destination but loopback.
    public var address: String?
    /// Bits of the address that must agree.
    public var prefix: Int
    /// The remote port; 0 for any.
    public var port: UInt16
    public var transport: TransportProtocol
    public var direction: Direction
    /// A host in the place of the network.
    public var host: String?
    /// A local network; the system refuses rules that have one.
    public var localAddress: String?
    /// Which exclusion or inclusion of the plan it carries out.
    public var because: String

    enum CodingKeys: String, CodingKey {
        case address, prefix, port, direction, host, because
        case transport = "protocol"
        case localAddress = "local-address"
    }

    public init(
        address: String?, prefix: Int = 0, port: UInt16 = 0, transport: TransportProtocol = .any,
        direction: Direction = .outbound, host: String? = nil, localAddress: String? = nil, because: String = ""
    ) {
        self.address = address
        self.prefix = prefix
        self.port = port
        self.transport = transport
        self.direction = direction
        self.host = host
        self.localAddress = localAddress
        self.because = because
    }
}

/// What makes macOS refuse the settings of a transparent proxy: one such rule, and none of the settings is taken.
///
/// The header of `NETransparentProxyNetworkSettings`, and what `setTunnelNetworkSettings` was seen to refuse.
public struct NetworkRuleConstraints: Sendable {
    public enum List: Sendable { case included, excluded }

    /// The header forbids port 53 with an address in both lists; the code was seen to refuse it in the included one.
    public enum DNSPort: Sendable { case strictHeader, observed }

    public enum Violation: String, Sendable, Hashable, CaseIterable {
        /// A rule must not name a local network.
        case localNetwork = "local-network"
        /// A rule must be about outbound flows only.
        case direction
        /// The text is no address.
        case address
        /// A wildcard address (`0.0.0.0`, `::`) needs a port.
        case wildcardWithoutPort = "wildcard-without-port"
        /// Port 53 goes with hosts only.
        case dnsPort = "dns-port"
        /// More bits than an address of the family has, or less than none.
        case prefix
        /// Nothing is left of the host without `*` and `.`.
        case host
    }

    public var dnsPort: DNSPort

    public init(dnsPort: DNSPort = .strictHeader) { self.dnsPort = dnsPort }

    /// Everything that is wrong with a rule.
    public func violations(_ rule: NetworkRule, in list: List) -> [Violation] {
        var found: [Violation] = []
        if rule.localAddress != nil { found.append(.localNetwork) }
        if rule.direction != .outbound { found.append(.direction) }
        if let host = rule.host {
            if host.allSatisfy({ $0 == "*" || $0 == "." }) { found.append(.host) }
        } else if let text = rule.address {
            guard let address = IPAddress(text) else { return found + [.address] }
            if address.place == 0, rule.port == 0 { found.append(.wildcardWithoutPort) }
            if rule.port == 53, list == .included || dnsPort == .strictHeader { found.append(.dnsPort) }
            if !(0...AddressFamily(address).width).contains(rule.prefix) { found.append(.prefix) }
        }
        return found
    }
}
