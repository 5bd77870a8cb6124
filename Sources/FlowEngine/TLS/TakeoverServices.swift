// SPDX-License-Identifier: Apache-2.0

// What the engine needs to take over a TLS connection.

/// The three parts of a takeover, made once at start.
public struct TakeoverServices: Sendable {
    public var minter: LeafMinter
    public var upstream: UpstreamTLS
    public var trust: any UpstreamTrust

    public init(minter: LeafMinter, upstream: UpstreamTLS, trust: any UpstreamTrust) {
        self.minter = minter
        self.upstream = upstream
        self.trust = trust
    }
}
