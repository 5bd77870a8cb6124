// SPDX-License-Identifier: Apache-2.0

// A configuration as the system keeps it: a value, because what is saved is a copy.

internal import Foundation

/// What was saved of a configuration.
struct StoredConfiguration: Sendable, Equatable {
    struct OnDemandRule: Sendable, Equatable {
        var action: NEOnDemandRuleAction
        var interface: NEOnDemandRuleInterfaceType
    }

    var name: String?
    var isEnabled: Bool
    var isOnDemandEnabled: Bool
    var rules: [OnDemandRule]
    var server: String
    var bundle: String
    var disconnectOnSleep: Bool
    /// The provider's part, as a binary property list; the system keeps nothing else.
    var provider: Data?

    /// Throws `NEVPNError.configurationInvalid` for what the system does not keep or could not start.
    init(of manager: NEVPNManager) throws(NEVPNError) {
        guard let proxy = manager.protocolConfiguration as? NETunnelProviderProtocol,
            let server = proxy.serverAddress, !server.isEmpty,
            let bundle = proxy.providerBundleIdentifier, !bundle.isEmpty
        else { throw NEVPNError(.configurationInvalid) }
        name = manager.localizedDescription
        isEnabled = manager.isEnabled
        isOnDemandEnabled = manager.isOnDemandEnabled
        rules = (manager.onDemandRules ?? []).map { .init(action: $0.action, interface: $0.interfaceTypeMatch) }
        self.server = server
        self.bundle = bundle
        disconnectOnSleep = proxy.disconnectOnSleep
        do {
            provider = try proxy.providerConfiguration.map {
                try PropertyListSerialization.data(fromPropertyList: $0, format: .binary, options: 0)
            }
        } catch { throw NEVPNError(.configurationInvalid) }
    }

    /// A copy of the protocol's part, as a provider and a manager get it.
    var protocolConfiguration: NETunnelProviderProtocol {
        let proxy = NETunnelProviderProtocol()
        proxy.serverAddress = server
        proxy.providerBundleIdentifier = bundle
        proxy.disconnectOnSleep = disconnectOnSleep
        proxy.providerConfiguration = provider.flatMap {
            (try? PropertyListSerialization.propertyList(from: $0, format: nil)) as? [String: Any]
        }
        return proxy
    }

    func fill(_ manager: NEVPNManager) {
        manager.localizedDescription = name
        manager.isEnabled = isEnabled
        manager.isOnDemandEnabled = isOnDemandEnabled
        manager.onDemandRules = rules.map { stored in
            let rule = NEOnDemandRule.with(stored.action)
            rule.interfaceTypeMatch = stored.interface
            return rule
        }
        manager.protocolConfiguration = protocolConfiguration
    }

    /// What On Demand does on a network of this kind; nil when it is off or no rule speaks.
    func demand(on interface: NEOnDemandRuleInterfaceType) -> NEOnDemandRuleAction? {
        guard isEnabled, isOnDemandEnabled else { return nil }
        return rules.first { $0.interface == .any || $0.interface == interface }?.action
    }
}

extension NEOnDemandRule {
    fileprivate static func with(_ action: NEOnDemandRuleAction) -> NEOnDemandRule {
        switch action {
        case .connect: NEOnDemandRuleConnect()
        case .disconnect: NEOnDemandRuleDisconnect()
        case .ignore: NEOnDemandRuleIgnore()
        case .evaluateConnection: NEOnDemandRule(action: action)
        }
    }
}
