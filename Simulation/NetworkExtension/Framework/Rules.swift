// SPDX-License-Identifier: Apache-2.0

// Which flows the kernel hands over: Apple's surface of rules and settings.

public import Foundation
public import NetworkSimulation

/// As NetworkExtension's `NETrafficDirection`.
public enum NETrafficDirection: Int, Sendable { case any = 0, inbound = 1, outbound = 2 }

/// A rule about flows, as NetworkExtension's `NENetworkRule` (NENetworkRule.h).
public class NENetworkRule: NSObject {
    public enum `Protocol`: Int, Sendable { case any = 0, TCP = 1, UDP = 2 }

    public let matchRemoteHostOrNetworkEndpoint: NWEndpoint?
    public let matchRemotePrefix: Int
    public let matchLocalNetworkEndpoint: NWEndpoint?
    public let matchLocalPrefix: Int
    public let matchProtocol: `Protocol`
    public let matchDirection: NETrafficDirection
    /// Whether the endpoint is a host, of which the subdomains count too.
    let isHost: Bool

    /// Outbound flows to a network.
    public convenience init(destinationNetworkEndpoint: NWEndpoint, prefix: Int, protocol: `Protocol`) {
        self.init(
            remote: destinationNetworkEndpoint, prefix, local: nil, 0, `protocol`, .outbound, isHost: false)
    }

    /// Outbound flows to a host, and to those below it when the name has two labels or more.
    public convenience init(destinationHostEndpoint: NWEndpoint, protocol: `Protocol`) {
        self.init(remote: destinationHostEndpoint, 0, local: nil, 0, `protocol`, .outbound, isHost: true)
    }

    /// Flows between two networks; nil is every network, loopback left out.
    public convenience init(
        remoteNetworkEndpoint: NWEndpoint?, remotePrefix: Int, localNetworkEndpoint: NWEndpoint?, localPrefix: Int,
        protocol: `Protocol`, direction: NETrafficDirection
    ) {
        self.init(
            remote: remoteNetworkEndpoint, remotePrefix, local: localNetworkEndpoint, localPrefix, `protocol`,
            direction, isHost: false)
    }

    private init(
        remote: NWEndpoint?, _ remotePrefix: Int, local: NWEndpoint?, _ localPrefix: Int, _ protocol: `Protocol`,
        _ direction: NETrafficDirection, isHost: Bool
    ) {
        matchRemoteHostOrNetworkEndpoint = remote
        matchRemotePrefix = remotePrefix
        matchLocalNetworkEndpoint = local
        matchLocalPrefix = localPrefix
        matchProtocol = `protocol`
        matchDirection = direction
        self.isHost = isHost
    }
}

/// As NetworkExtension's `NETunnelNetworkSettings`.
public class NETunnelNetworkSettings: NSObject {
    public let tunnelRemoteAddress: String
    public init(tunnelRemoteAddress: String) { self.tunnelRemoteAddress = tunnelRemoteAddress }
}

/// As NetworkExtension's `NETransparentProxyNetworkSettings`; an excluded rule wins over an included one.
public class NETransparentProxyNetworkSettings: NETunnelNetworkSettings {
    public var includedNetworkRules: [NENetworkRule]?
    public var excludedNetworkRules: [NENetworkRule]?
}
