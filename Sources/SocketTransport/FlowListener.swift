// SPDX-License-Identifier: Apache-2.0

// Listens for connections and hands each to an intake, as many at a time as there is room for.

import FlowEngine
public import FlowModel
public import NIOCore
import NIOPosix

/// Why a listener could not be opened.
public struct ListenError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// A listening socket whose connections become flows.
public final class FlowListener: Sendable {
    private let channel: any Channel
    /// Where it listens; the port is real even when 0 was asked for.
    public let endpoint: Endpoint

    private init(channel: any Channel, endpoint: Endpoint) {
        self.channel = channel
        self.endpoint = endpoint
    }

    /// Opens a listener on an address.
    ///
    /// `accepted` is called on the connection's own loop, before anything is read. At most `capacity` connections live
    /// at a time; others wait in the kernel's backlog.
    public static func bind(
        _ endpoint: Endpoint, on group: any EventLoopGroup, capacity: Int,
        accepted: @escaping @Sendable (any Channel) -> Void
    ) async throws -> FlowListener {
        guard let address = endpoint.address else {
            throw ListenError(description: "cannot listen on \(endpoint): give an IP address, such as 127.0.0.1")
        }
        return try await open("\(endpoint)", on: group, capacity: capacity, accepted: accepted) {
            $0.bind(to: try SocketAddress(ipAddress: address.description, port: Int(endpoint.port)))
        }
    }

    /// Takes over a socket that is bound and listening already, such as one made inside a namespace.
    public static func adopt(
        descriptor: CInt, on group: any EventLoopGroup, capacity: Int,
        accepted: @escaping @Sendable (any Channel) -> Void
    ) async throws -> FlowListener {
        try await open("descriptor \(descriptor)", on: group, capacity: capacity, accepted: accepted) {
            $0.withBoundSocket(descriptor)
        }
    }

    private static func open(
        _ name: String, on group: any EventLoopGroup, capacity: Int,
        accepted: @escaping @Sendable (any Channel) -> Void,
        _ start: (ServerBootstrap) throws -> EventLoopFuture<any Channel>
    ) async throws -> FlowListener {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(SocketLimits.backlog.value))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(capacity: capacity))
                }
            }
            .childChannelInitializer { channel in
                FlowSocket.configure(channel).flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(EarlyInput(accepted))
                }
            }
        do {
            let channel = try await start(bootstrap).get()
            guard let local = Endpoint(channel.localAddress) else {
                try? await channel.close()
                throw ListenError(description: "cannot listen on \(name): it is not an internet socket")
            }
            return FlowListener(channel: channel, endpoint: local)
        } catch let error as IOError {
            throw ListenError(description: "cannot listen on \(name): \(error.sentence)")
        }
    }

    /// Stops accepting; connections that live go on.
    public func close() async { try? await channel.close() }
}

/// Lets a server channel accept only while there is room.
///
/// It counts the connections it let in. At capacity it keeps the channel's next read back until one has closed, so that
/// further connections wait in the kernel and no descriptor is spent on them.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private let capacity: Int
    private var count = 0
    private var readIsKeptBack = false

    init(capacity: Int) { self.capacity = capacity }

    func read(context: ChannelHandlerContext) {
        if count < capacity { context.read() } else { readIsKeptBack = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        count += 1
        let gate = NIOLoopBound(self, eventLoop: context.eventLoop)
        let server = NIOLoopBound(context, eventLoop: context.eventLoop)
        unwrapInboundIn(data).closeFuture.hop(to: context.eventLoop).whenComplete { _ in
            gate.value.closed(server.value)
        }
        context.fireChannelRead(data)
    }

    private func closed(_ context: ChannelHandlerContext) {
        count -= 1
        guard readIsKeptBack, count < capacity else { return }
        readIsKeptBack = false
        context.read()
    }
}
