// SPDX-License-Identifier: Apache-2.0

// How claimed flows leave: the one place that asks what this system can do.

public import FlowEngine
public import FlowModel
public import NIOCore

/// The way out of claimed TCP flows, with the loops on which its connections, and so the flows, can live.
public struct FlowEgress: Sendable {
    public let egress: any Egress
    public let loops: any EventLoopGroup
    /// To be called when the system has woken up.
    public let woke: @Sendable () -> Void

    /// A way out that needs nothing after sleep.
    public init(egress: any Egress, loops: any EventLoopGroup) {
        self.egress = egress
        self.loops = loops
        woke = {}
    }

    init(_ egress: AttributedEgress, loops: any EventLoopGroup) {
        self.egress = egress
        self.loops = loops
        woke = { egress.woke() }
    }

    /// Connections in the application's name where the system can make them, and `sockets` elsewhere.
    ///
    /// What it takes (`setMetadata(on:)`) came with macOS 15, the oldest that Weir runs on.
    public static func best(
        _ attribution: FlowAttribution, metrics: any MetricSink, otherwise sockets: () -> FlowEgress
    ) -> FlowEgress {
        #if canImport(Network)
        return network(attribution, metrics: metrics)
        #else
        return sockets()
        #endif
    }
}
