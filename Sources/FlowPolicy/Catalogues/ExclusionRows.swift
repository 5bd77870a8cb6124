// SPDX-License-Identifier: Apache-2.0

// The never set and the catalogues that a policy leaves alone, as exclusions by destination.

public import FlowModel

extension Catalogues {
    /// What "local" means in a row: private networks (RFC 1918, RFC 4193) and links (RFC 3927, RFC 4291).
    ///
    /// Not 100.64.0.0/10: a carrier's other customers live there too.
    public static let localNetworks: [IPPrefix] = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    ].compactMap { IPPrefix($0) }

    /// The exclusions of a policy: the rows of tier never, without those that an administrator took out by name, then
    /// the rows of tier default of the catalogues that the policy leaves alone.
    ///
    /// Rows with weak evidence make none.
    public func exclusions(for settings: PolicySettings, on system: CatalogueSystem = .current) -> [Exclusion] {
        let rows = protocols.filter { $0.system.speaks(of: system) && $0.evidence.decides }
        let never = rows.filter { $0.tier == .never && !settings.inspects(row: $0.row, id: $0.id) }
        let others = rows.filter { $0.tier == .default && settings.excludedCatalogues.contains($0.catalogue) }
        return (never + others).compactMap(Exclusion.init(_:))
    }
}

extension Exclusion {
    /// What the kernel is told for a row; nil when it is told nothing.
    init?(_ row: ProtocolRow) {
        let scope: Scope
        switch row.scope {
        case .prefixes: scope = .prefixes(row.prefixes)
        case .local: scope = .prefixes(Catalogues.localNetworks)
        case .peerToPeer: scope = .peerToPeer
        case .open: scope = .open
        case .code, .none: return nil
        }
        self.init(
            row: row.row, tier: row.tier, transports: row.transports, ports: row.ports, scope: scope,
            reason: row.reason, consequence: row.consequence, unseen: row.unseen)
    }
}
