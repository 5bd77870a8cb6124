// SPDX-License-Identifier: Apache-2.0

// Connections that a redirect rule sent to us: each becomes a flow to where it wanted to go.

public import FlowEngine
public import FlowModel
public import NIOCore

/// Turns redirected connections into flows.
public struct RedirectedIntake: Sendable {
    private let engine: FlowEngine
    private let kind: IntakeKind
    private let identify: (@Sendable (_ source: Endpoint, _ destination: Endpoint) async -> IdentitySummary)?
    private let now: @Sendable () -> Int64

    /// Makes an intake; `identify` finds the process behind a connection and must answer within a deadline of its own.
    public init(
        engine: FlowEngine, kind: IntakeKind = .transparent,
        identify: (@Sendable (_ source: Endpoint, _ destination: Endpoint) async -> IdentitySummary)? = nil,
        now: @escaping @Sendable () -> Int64
    ) {
        self.engine = engine
        self.kind = kind
        self.identify = identify
        self.now = now
    }

    /// Takes a connection.
    ///
    /// Call on its loop.
    ///
    /// A connection that was not redirected, or whose destination `isOwn` says is a listener of ours, is reset: dialling
    /// it would be a loop.
    public func accept(_ channel: any Channel, isOwn: @escaping @Sendable (Endpoint) -> Bool) {
        let source = Endpoint(channel.remoteAddress)
        OriginalDestination.of(channel: channel).assumeIsolated().whenComplete { result in
            guard case .success(let destination?) = result, !isOwn(destination) else {
                return ConnectedFlow.reset(channel)
            }
            let facts = FlowFacts(intake: kind, source: source, destination: destination, startedAt: now())
            guard let identify, let source else { return begin(channel, facts) }
            channel.eventLoop.makeFutureWithTask { await identify(source, destination) }
                .assumeIsolated().whenSuccess { identity in
                    var facts = facts
                    facts.identity = identity
                    begin(channel, facts)
                }
        }
    }

    private func begin(_ channel: any Channel, _ facts: FlowFacts) {
        guard channel.isActive else { return }
        engine.handle(ConnectedFlow(channel: channel, facts: facts))
    }
}
