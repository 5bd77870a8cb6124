// SPDX-License-Identifier: Apache-2.0

// Dials origins in the name of the application, and knows which connections must be looked at after sleep.

public import FlowEngine
public import FlowModel
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NetworkExtension

/// Makes one connection by the means of the system.
protocol SystemDialler: Sendable {
    /// Connects without TLS, in the name of `flow` when there is one.
    ///
    /// The channel reads only when asked and reports half-closes and `PathViability`. Fails with `DialError`, `ChannelError` or
    /// `ConnectFailure`.
    func dial(
        _ origin: Endpoint, for flow: SystemFlow<NEAppProxyFlow>?, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel>
}

/// Connects to origins so that what stands behind us in the system sees the application and not us.
public final class AttributedEgress: Egress {
    private let attribution: FlowAttribution
    private let dialler: any SystemDialler
    private let metrics: any MetricSink
    /// As many as there are flows, each until it closes.
    private let live = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

    init(_ attribution: FlowAttribution, dialler: any SystemDialler, metrics: any MetricSink) {
        self.attribution = attribution
        self.dialler = dialler
        self.metrics = metrics
    }

    public func connect(
        to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let flow = attribution.flow(facts.id)
        if flow == nil { metrics.add(AppleIntakeLimits.attributedFlows.metric, 1) }
        return dialler.dial(origin, for: flow, on: loop).flatMapThrowing { channel in
            try self.watch(channel)
            return channel
        }.flatMapErrorThrowing { throw ConnectFailure(dialling: $0) }
    }

    /// The system woke up: connections that stay without a path are ended after a while.
    public func woke() {
        for channel in live.withLockedValue({ Array($0.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(SystemWoke())
        }
    }

    /// Connections that are alive.
    var liveConnections: Int { live.withLockedValue { $0.count } }

    private func watch(_ channel: any Channel) throws {
        let limit = AppleIntakeLimits.wakeGrace
        let metrics = metrics
        try channel.pipeline.syncOperations.addHandler(
            WakeHandler(grace: .milliseconds(Int64(limit.value))) { metrics.add(limit.metric, 1) })
        let id = ObjectIdentifier(channel)
        live.withLockedValue { $0[id] = channel }
        channel.closeFuture.whenComplete { _ in self.live.withLockedValue { _ = $0.removeValue(forKey: id) } }
    }
}
