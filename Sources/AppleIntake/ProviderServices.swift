// SPDX-License-Identifier: Apache-2.0

// What the provider needs of the program around it.

public import CodeIdentity
public import FlowEngine
public import FlowModel
public import NIOCore

/// What a running provider works with; made by the program, off the provider's queue, before a flow is taken.
public struct ProviderServices: Sendable {
    /// Carries flows; its current policy judges new ones.
    public var engine: FlowEngine
    /// Where flows live, each on one loop.
    public var loops: any EventLoopGroup
    /// Says who made a flow: at once from memory and the kernel, later from the oracle.
    public var identities: any SystemCode<AuditToken>
    /// Carries the datagrams of claimed UDP flows.
    public var datagrams: any DatagramEgress
    /// In whose name connections are made, where the way out asks for it.
    public var attribution: FlowAttribution
    public var sink: any FlowSink
    public var metrics: any MetricSink
    /// Milliseconds since 1970-01-01 UTC.
    public var now: @Sendable () -> Int64
    /// What the program does when the provider asks for it.
    public var hooks: ProviderHooks

    public init(
        engine: FlowEngine, loops: any EventLoopGroup, identities: any SystemCode<AuditToken>,
        datagrams: any DatagramEgress, attribution: FlowAttribution = FlowAttribution(), sink: any FlowSink,
        metrics: any MetricSink, now: @escaping @Sendable () -> Int64, hooks: ProviderHooks = ProviderHooks()
    ) {
        self.engine = engine
        self.loops = loops
        self.identities = identities
        self.datagrams = datagrams
        self.attribution = attribution
        self.sink = sink
        self.metrics = metrics
        self.now = now
        self.hooks = hooks
    }
}
