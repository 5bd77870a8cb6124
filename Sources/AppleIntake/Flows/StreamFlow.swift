// SPDX-License-Identifier: Apache-2.0

// A claimed TCP flow as the engine takes it.

internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NetworkExtension

/// A TCP flow that the provider has claimed.
///
/// Its application is not connected until `open`: the origin is dialled first, so that its failure is a failed connect.
final class StreamFlow: IncomingFlow {
    let facts: FlowFacts
    let eventLoop: any EventLoop
    private let flow: SystemFlow<NEAppProxyTCPFlow>
    private let metrics: any MetricSink

    init(
        _ flow: SystemFlow<NEAppProxyTCPFlow>, facts: FlowFacts, on loop: any EventLoop,
        metrics: any MetricSink = NoSink()
    ) {
        self.flow = flow
        self.facts = facts
        eventLoop = loop
        self.metrics = metrics
    }

    var isConnected: Bool { false }
    /// A claimed flow cannot be given back: bypass is carried out as relay.
    var canDecline: Bool { false }

    func decline() { refuse(.unavailable) }
    func open() -> EventLoopFuture<any Channel> {
        FlowChannel.open(flow.flow, on: eventLoop, metrics: metrics)
    }
    func refuse(_ failure: ConnectFailure) { flow.flow.refuse(failure) }
}
