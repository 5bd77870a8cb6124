// SPDX-License-Identifier: Apache-2.0

// The rules of a provider as the kernel takes and evaluates them.

internal import Foundation
internal import NetworkSimulation

/// A provider's rules, once they were found valid.
struct RuleSet: Sendable {
    enum Verdict: Sendable { case included, excluded, unmatched }

    private let included: [Rule]
    private let excluded: [Rule]

    /// Validates settings as `setTunnelNetworkSettings` does (reference 1.3); says what is wrong with them.
    init(_ settings: NETunnelNetworkSettings, knobs: Knobs) throws(NETunnelProviderError) {
        guard let settings = settings as? NETransparentProxyNetworkSettings else {
            throw Self.invalid("not the settings of a transparent proxy")
        }
        // The address means nothing here, but it has to be one [DOC].
        guard Address(text: settings.tunnelRemoteAddress) != nil else {
            throw Self.invalid("tunnelRemoteAddress is not an address")
        }
        let included = settings.includedNetworkRules ?? []
        if included.isEmpty, knobs.emptyRulesRefused { throw Self.invalid("no included rules") }
        self.included = try Self.rules(included, dnsPortAllowed: false)
        excluded = try Self.rules(settings.excludedNetworkRules ?? [], dnsPortAllowed: knobs.dnsPortInExcluded)
    }

    private static func rules(
        _ rules: [NENetworkRule], dnsPortAllowed: Bool
    ) throws(NETunnelProviderError) -> [Rule] {
        var valid: [Rule] = []
        for rule in rules { valid.append(try Rule(rule, dnsPortAllowed: dnsPortAllowed)) }
        return valid
    }

    /// Excluded rules win, whatever their order [DOC].
    func verdict(on destination: NWEndpoint, name: String?, transport: NENetworkRule.`Protocol`) -> Verdict {
        let target = Target(destination, name: name, transport: transport)
        if excluded.contains(where: { $0.matches(target) }) { return .excluded }
        return included.contains { $0.matches(target) } ? .included : .unmatched
    }

    static func invalid(_ explanation: String) -> NETunnelProviderError {
        NETunnelProviderError(.networkSettingsInvalid, explanation)
    }
}

/// A destination as rules see it.
private struct Target {
    let address: Address?
    let labels: [String]
    let port: UInt16
    let transport: NENetworkRule.`Protocol`

    init(_ endpoint: NWEndpoint, name: String?, transport: NENetworkRule.`Protocol`) {
        self.transport = transport
        guard case .hostPort(let host, let port) = endpoint else {
            (address, labels, self.port) = (nil, [], 0)
            return
        }
        self.port = port.rawValue
        address = Address(host)
        if case .name(let own, _) = host {
            labels = Rule.labels(name ?? own)
        } else {
            labels = Rule.labels(name ?? "")
        }
    }
}

private struct Rule: Sendable {
    private enum Remote: Sendable {
        /// Every destination but loopback [DOC].
        case everything
        case network(Address, prefix: Int)
        /// A host, and what is below it when it has two labels or more [DOC].
        case host([String])
    }

    private let remote: Remote
    private let port: UInt16
    private let transport: NENetworkRule.`Protocol`

    init(_ rule: NENetworkRule, dnsPortAllowed: Bool) throws(NETunnelProviderError) {
        guard rule.matchLocalNetworkEndpoint == nil else { throw RuleSet.invalid("matchLocalNetwork is set") }
        guard rule.matchDirection == .outbound else { throw RuleSet.invalid("direction is not outbound") }
        transport = rule.matchProtocol
        guard let endpoint = rule.matchRemoteHostOrNetworkEndpoint else {
            (remote, port) = (.everything, 0)
            return
        }
        guard case .hostPort(let host, let port) = endpoint else { throw RuleSet.invalid("not an address or a host") }
        self.port = port.rawValue
        guard let address = Address(host) else {
            guard rule.isHost, case .name(let name, _) = host else {
                throw RuleSet.invalid("a network needs an address")
            }
            let labels = Self.labels(name)
            guard !labels.isEmpty else { throw RuleSet.invalid("the host is empty") }
            remote = .host(labels)
            return
        }
        let widest = address.bytes.count * 8
        let prefix = rule.isHost ? widest : rule.matchRemotePrefix
        guard (0...widest).contains(prefix) else { throw RuleSet.invalid("the prefix is longer than the address") }
        guard port.rawValue != 0 || !address.isWildcard else {
            throw RuleSet.invalid("a wildcard address needs a port")
        }
        guard port.rawValue != 53 || dnsPortAllowed else {
            throw RuleSet.invalid("port 53 by address: use a rule for a host")
        }
        remote = .network(address, prefix: prefix)
    }

    func matches(_ target: Target) -> Bool {
        guard transport == .any || transport == target.transport else { return false }
        switch remote {
        case .everything:
            return target.address?.isLoopback != true
        case .network(let network, let prefix):
            guard let address = target.address, port == 0 || port == target.port else { return false }
            // Loopback only when a rule names it [DOC, DEC].
            guard !address.isLoopback || network.isLoopback else { return false }
            return address.isIn(network, prefix: prefix)
        case .host(let labels):
            // Lookups of the name count as well, whatever the port [DOC].
            guard port == 0 || port == target.port || target.port == 53 else { return false }
            return labels.count == 1 ? target.labels == labels : target.labels.starts(with: labels)
        }
    }

    /// The labels of a name, the last first, without the `*` and `.` around it.
    static func labels(_ name: String) -> [String] {
        name.trimmingCharacters(in: CharacterSet(charactersIn: "*.")).lowercased().split(separator: ".").reversed()
            .map(String.init)
    }
}

/// An address of either family; IPv4 inside IPv6 counts as IPv4 [SRC].
struct Address: Hashable, Sendable {
    let bytes: [UInt8]

    init?(_ host: NWEndpoint.Host) {
        switch host {
        case .name: return nil
        case .ipv4(let address): self.init(bytes: [UInt8](address.rawValue))
        case .ipv6(let address): self.init(v6: [UInt8](address.rawValue))
        }
    }

    init?(text: String) { self.init(NWEndpoint.Host(text)) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private init(v6: [UInt8]) {
        let mapped = v6.count == 16 && v6.prefix(10).allSatisfy { $0 == 0 } && v6[10] == 0xff && v6[11] == 0xff
        bytes = mapped ? Array(v6.suffix(4)) : v6
    }

    var isWildcard: Bool { bytes.allSatisfy { $0 == 0 } }
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
    }
    var isV4Multicast: Bool { bytes.count == 4 && bytes[0] & 0xf0 == 0xe0 }

    func isIn(_ network: Address, prefix: Int) -> Bool {
        guard bytes.count == network.bytes.count else { return false }
        for (index, (mine, its)) in zip(bytes, network.bytes).enumerated() {
            let bits = min(8, max(0, prefix - index * 8))
            let mask = bits == 0 ? 0 : UInt8(truncatingIfNeeded: 0xff << (8 - bits))
            guard mine & mask == its & mask else { return false }
        }
        return true
    }
}
