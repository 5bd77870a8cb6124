// SPDX-License-Identifier: Apache-2.0

// Traffic that no rule is asked about: the never set, and the catalogues that a policy leaves alone.

public import FlowModel

/// Traffic that is left alone by where it goes, whoever sends it.
public struct Exclusion: Sendable, Hashable {
    /// What the exclusion holds for.
    public enum Scope: Sendable, Hashable {
        /// Never empty.
        case prefixes([IPPrefix])
        /// Radio links to neighbours, by interface.
        case peerToPeer
        /// Any address: an open port.
        case open
    }

    /// The catalogue row, for example `core-protocols/ntp`.
    public let row: String
    public let tier: CatalogueTier
    public let transports: [Transport]
    /// Empty for any port.
    public let ports: [ClosedRange<UInt16>]
    public let scope: Scope
    public let reason: String
    public let consequence: String
    /// What could leave unseen; empty unless the scope is `open`.
    public let unseen: String

    public init(
        row: String, tier: CatalogueTier, transports: [Transport], ports: [ClosedRange<UInt16>], scope: Scope,
        reason: String, consequence: String, unseen: String = ""
    ) {
        self.row = row
        self.tier = tier
        self.transports = transports
        self.ports = ports
        self.scope = scope
        self.reason = reason
        self.consequence = consequence
        self.unseen = unseen
    }

    /// Whether it holds for a flow; a destination given by name lies in no prefix.
    public func covers(_ transport: Transport, _ destination: Endpoint, _ interface: InterfaceClass?) -> Bool {
        guard transports.contains(transport),
            ports.isEmpty || ports.contains(where: { $0.contains(destination.port) })
        else { return false }
        switch scope {
        case .open: return true
        case .peerToPeer: return interface == .peerToPeer
        case .prefixes(let prefixes):
            guard let address = destination.address else { return false }
            return prefixes.contains { $0.contains(address) }
        }
    }
}
