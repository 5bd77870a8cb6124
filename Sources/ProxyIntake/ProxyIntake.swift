// SPDX-License-Identifier: Apache-2.0

// The explicit proxy: CONNECT, absolute form and SOCKS5 on one port; and the fixed forward to one origin.

public import FlowEngine
public import FlowModel
public import NIOCore

/// The limits of the explicit proxy.
public enum ProxyLimits {
    public static let prefaceWait = Limit(
        "proxy.preface-wait", 30_000, .milliseconds, metric: "limit_preface_wait_total",
        "How long a client may take to say where it wants to go.")
    public static let refusalLinger = Limit(
        "proxy.refusal-linger", 2_000, .milliseconds, metric: "limit_refusal_linger_total",
        "After a refusal the client's bytes are read and dropped this long, so that no reset overtakes the answer.")

    public static let all = [prefaceWait, refusalLinger]
}

/// Turns accepted connections into flows.
public struct ProxyIntake: Sendable {
    private let engine: FlowEngine
    private let now: @Sendable () -> Int64

    public init(engine: FlowEngine, now: @escaping @Sendable () -> Int64) {
        self.engine = engine
        self.now = now
    }

    /// Takes a connection of a client that speaks to a proxy.
    ///
    /// Call on the connection's loop.
    public func acceptProxyClient(_ channel: any Channel) {
        let negotiator = ProxyNegotiatorBox()
        let handler = ProxyNegotiator { request in
            guard let handler = negotiator.handler else { return }
            let flow = ProxyFlow(
                request, channel: channel, negotiator: handler, source: Endpoint(channel.remoteAddress),
                startedAt: now())
            engine.handle(flow)
        }
        negotiator.handler = handler
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            channel.close(promise: nil)
        }
    }

    /// Takes a connection that shall go to `origin` whatever it says.
    ///
    /// Call on the connection's loop.
    public func acceptForward(_ channel: any Channel, to origin: Endpoint) {
        let facts = FlowFacts(
            intake: .forward, source: Endpoint(channel.remoteAddress), destination: origin, startedAt: now())
        engine.handle(ConnectedFlow(channel: channel, facts: facts))
    }
}

/// Breaks the circle between a negotiator and the closure that it calls.
private final class ProxyNegotiatorBox {
    weak var handler: ProxyNegotiator?
}
