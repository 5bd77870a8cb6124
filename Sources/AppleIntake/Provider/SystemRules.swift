// SPDX-License-Identifier: Apache-2.0

// Rules as the system takes them.

internal import FlowPolicy
internal import NetworkExtension

extension RuleLists {
    /// The settings of a transparent proxy with these rules; name servers and proxies in them would be ignored.
    var settings: NETransparentProxyNetworkSettings {
        // The address means nothing for a transparent proxy, but must be one.
        let settings = NETransparentProxyNetworkSettings(tunnelRemoteAddress: "127.0.0.1")
        settings.includedNetworkRules = included.map(\.systemRule)
        settings.excludedNetworkRules = excluded.map(\.systemRule)
        return settings
    }
}

extension NetworkRule {
    /// The rule as the system's; only a rule that keeps the system's constraints means the same there.
    var systemRule: NENetworkRule {
        let transport: NENetworkRule.`Protocol` =
            switch self.transport {
            case .any: .any
            case .tcp: .TCP
            case .udp: .UDP
            }
        if let host {
            return NENetworkRule(destinationHostEndpoint: ruleEndpoint(host, port: port), protocol: transport)
        }
        if let address {
            return NENetworkRule(
                destinationNetworkEndpoint: ruleEndpoint(address, port: port), prefix: prefix, protocol: transport)
        }
        return NENetworkRule(
            remoteNetworkEndpoint: nil, remotePrefix: 0, localNetworkEndpoint: nil, localPrefix: 0,
            protocol: transport, direction: .outbound)
    }
}
