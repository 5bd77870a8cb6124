// SPDX-License-Identifier: Apache-2.0

// How the extension of a simulated Mac reaches real servers: connections through the simulated kernel, datagrams at once.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOPosix
import NetworkSimulation
import SocketTransport
import Synchronization

@testable import AppleIntake
@testable import NetworkExtension

/// Dials through the simulated kernel as the extension's own process, which later providers are offered.
struct ExtensionEgress: Egress {
    private let process: SimulatedProcess
    private let weir: InstalledWeir

    init(_ process: SimulatedProcess, _ weir: InstalledWeir) {
        self.process = process
        self.weir = weir
    }

    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        loop.makeFutureWithTask {
            guard let endpoint = NWEndpoint(origin) else { throw ConnectFailure.hostUnreachable }
            do {
                let socket = try await process.connect(to: endpoint)
                return try await channel(to: socket, on: loop)
            } catch let error as SocketError {
                throw ConnectFailure(errno: error.errno)
            }
        }
    }

    /// A real connection on the flow's loop, whose other end is carried to and from the simulated socket.
    private func channel(to socket: SimulatedSocket, on loop: any EventLoop) async throws -> any Channel {
        let door = try RealSocket.listen(on: .loopback(port: 0))
        async let dialled = ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false).channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .connect(host: "127.0.0.1", port: Int(door.port())).get()
        let real = try await door.accept()
        door.close()
        let channel = try await dialled
        weir.channels.add(1, ordering: .relaxed)
        let down = Task {
            do {
                while case let data = try await socket.receive(), !data.isEmpty { try await real.send(data) }
                real.shutdownWrite()
            } catch {
                real.reset()
            }
        }
        channel.closeFuture.whenComplete { [weir] _ in
            weir.channels.subtract(1, ordering: .relaxed)
            down.cancel()
        }
        Task {
            do {
                while case let data = try await real.receive(65_536), !data.isEmpty { try await socket.send(data) }
                socket.shutdownWrite()
                await down.value
                socket.close()
            } catch {
                socket.reset()
            }
            real.close()
        }
        return channel
    }
}

/// Sends datagrams through real sockets to the servers that stand for the destinations; all others are lost.
struct LoopbackDatagrams: DatagramEgress {
    private let sockets: SocketDatagramEgress
    private let weir: InstalledWeir
    var loops: any EventLoopGroup { sockets.loops }

    init(_ loops: any EventLoopGroup, _ weir: InstalledWeir) {
        sockets = SocketDatagramEgress(loops: loops)
        self.weir = weir
    }

    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        sockets.open(for: facts, on: loop).flatMapThrowing { [weir] channel in
            try channel.pipeline.syncOperations.addHandler(DatagramPlaces(weir.datagramServers.read { $0 }))
            weir.channels.add(1, ordering: .relaxed)
            channel.closeFuture.whenComplete { _ in weir.channels.subtract(1, ordering: .relaxed) }
            return channel
        }
    }
}

private final class DatagramPlaces: ChannelDuplexHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = AddressedEnvelope<ByteBuffer>
    typealias OutboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let servers: [(shown: SocketAddress, real: SocketAddress)]

    init(_ servers: [(shown: SocketAddress, real: SocketAddress)]) { self.servers = servers }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var envelope = unwrapOutboundIn(data)
        guard let server = servers.first(where: { $0.shown == envelope.remoteAddress }) else {
            promise?.fail(ConnectFailure.hostUnreachable)
            return
        }
        envelope.remoteAddress = server.real
        context.write(wrapOutboundOut(envelope), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var envelope = unwrapInboundIn(data)
        guard let server = servers.first(where: { $0.real.port == envelope.remoteAddress.port }) else { return }
        envelope.remoteAddress = server.shown
        context.fireChannelRead(wrapInboundOut(envelope))
    }
}

/// Sends every datagram back to where it came from.
final class DatagramEcho: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
}
