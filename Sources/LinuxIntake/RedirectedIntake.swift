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
        RedirectedDestination.read(channel).assumeIsolated().whenComplete { result in
            guard case .success(let destination?) = result, !isOwn(destination),
                destination != Endpoint(channel.localAddress)
            else {
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

/// Where a redirected connection wanted to go.
enum RedirectedDestination {
    /// Linux's name for the question, in <linux/netfilter_ipv4.h> and <linux/netfilter_ipv6/ip6_tables.h>.
    private static let originalDestination = NIOBSDSocket.Option(rawValue: 80)

    /// `struct sockaddr_in` and `struct sockaddr_in6` as the kernel lays them out, numbers in network order.
    private struct IPv4Answer {
        var family: UInt16 = 0
        var port: UInt16 = 0
        var address: UInt32 = 0
        var zero: UInt64 = 0
    }

    private struct IPv6Answer {
        var family: UInt16 = 0
        var port: UInt16 = 0
        var flow: UInt32 = 0
        var address: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        var scope: UInt32 = 0
    }

    /// Asks the kernel; nil when the connection was not redirected.
    static func read(_ channel: any Channel) -> EventLoopFuture<Endpoint?> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        // A connection of a v4-mapped listener is an IPv4 one to netfilter.
        let v4: EventLoopFuture<IPv4Answer> = socket.unsafeGetSocketOption(level: .ip, name: originalDestination)
        return v4.map { endpoint($0) }.flatMapError { _ in
            let v6: EventLoopFuture<IPv6Answer> = socket.unsafeGetSocketOption(level: .ipv6, name: originalDestination)
            return v6.map { endpoint($0) }
        }.flatMapErrorThrowing { _ in nil }
    }

    private static func endpoint(_ answer: IPv4Answer) -> Endpoint? {
        Endpoint(host: .address(.v4(UInt32(bigEndian: answer.address))), port: UInt16(bigEndian: answer.port))
    }

    private static func endpoint(_ answer: IPv6Answer) -> Endpoint? {
        let bytes = withUnsafeBytes(of: answer.address) { Array($0) }
        guard let address = IPAddress(v6Bytes: bytes, scope: answer.scope) else { return nil }
        return Endpoint(host: .address(address), port: UInt16(bigEndian: answer.port))
    }
}
