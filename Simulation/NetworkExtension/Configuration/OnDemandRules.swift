// SPDX-License-Identifier: Apache-2.0

// When the system starts a configuration by itself: Apple's surface (NEOnDemandRule.h).

public import Foundation

/// As NetworkExtension's `NEOnDemandRuleAction`.
public enum NEOnDemandRuleAction: Int, Sendable {
    case connect = 1
    case disconnect = 2
    case evaluateConnection = 3
    case ignore = 4
}

/// As NetworkExtension's `NEOnDemandRuleInterfaceType`.
public enum NEOnDemandRuleInterfaceType: Int, Sendable {
    case any = 0
    case ethernet = 1
    case wiFi = 2
}

/// As NetworkExtension's `NEOnDemandRule`; the first rule that matches the network decides.
public class NEOnDemandRule: NSObject {
    public let action: NEOnDemandRuleAction
    public var interfaceTypeMatch = NEOnDemandRuleInterfaceType.any

    init(action: NEOnDemandRuleAction) { self.action = action }
}

/// Starts the connection.
public final class NEOnDemandRuleConnect: NEOnDemandRule {
    public init() { super.init(action: .connect) }
}

/// Stops the connection.
public final class NEOnDemandRuleDisconnect: NEOnDemandRule {
    public init() { super.init(action: .disconnect) }
}

/// Leaves the connection as it is.
public final class NEOnDemandRuleIgnore: NEOnDemandRule {
    public init() { super.init(action: .ignore) }
}
