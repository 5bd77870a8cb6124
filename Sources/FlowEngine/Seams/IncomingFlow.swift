// SPDX-License-Identifier: Apache-2.0

// The seam through which every flow enters: what an intake, on either system, must be able to do with one.

public import FlowModel
public import NIOCore

/// Why the application cannot be connected; each intake says it in its own protocol's words.
public enum ConnectFailure: String, Error, Sendable {
    case refused, reset
    case timedOut = "timed-out"
    case hostUnreachable = "host-unreachable"
    case networkUnreachable = "network-unreachable"
    case nameNotFound = "name-not-found"
    /// Policy forbids it.
    case denied
    /// Weir has no room, or would have called itself.
    case unavailable
}

/// A flow that an application has begun and that nobody has answered yet.
///
/// Exactly one of `decline`, `open` and `refuse` is called, once, on `eventLoop`. Until `open` succeeds no byte of the
/// application is read. An intake on macOS answers `handleNewFlow` from `FlowEngine.admit` and builds this only for a
/// flow that it claims.
public protocol IncomingFlow: AnyObject {
    var facts: FlowFacts { get }
    /// The loop on which the flow lives until it ends.
    var eventLoop: any EventLoop { get }
    /// Whether the application already believes itself connected, as behind an accepted socket.
    var isConnected: Bool { get }
    /// Whether `decline` hands the flow back to the system; where it cannot, bypass is carried out as relay.
    var canDecline: Bool { get }

    /// Hands the flow back to the system, untouched.
    func decline()
    /// Lets the application's connect succeed and gives its bytes.
    ///
    /// The channel reads only when asked, one buffer at a time, reports half-closes (`ChannelEvent.inputClosed`)
    /// and has no handler of the engine in it yet.
    func open() -> EventLoopFuture<any Channel>
    /// Lets the application's connect fail.
    func refuse(_ failure: ConnectFailure)
}

/// A flow whose application is already connected through a channel, as behind every accepted socket.
public final class ConnectedFlow: IncomingFlow {
    public let facts: FlowFacts
    public var isConnected: Bool { true }
    public var canDecline: Bool { false }
    public var eventLoop: any EventLoop { channel.eventLoop }
    private let channel: any Channel

    /// Wraps a channel that reads only when asked.
    public init(channel: any Channel, facts: FlowFacts) {
        self.channel = channel
        self.facts = facts
    }

    public func decline() { channel.close(promise: nil) }
    public func open() -> EventLoopFuture<any Channel> { channel.eventLoop.makeSucceededFuture(channel) }
    /// An accepted connection can only be reset: its connect has long succeeded.
    public func refuse(_ failure: ConnectFailure) { Self.reset(channel) }

    /// Resets a connection that cannot become a flow.
    public static func reset(_ channel: any Channel) { Abort.reset(channel) }
}
