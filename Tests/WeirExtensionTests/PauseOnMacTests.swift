// SPDX-License-Identifier: Apache-2.0

// A pause on a simulated Mac, from the control channel to the connections of a program.

import AppleIntake
import FlowEngine
import FlowModel
import Foundation
import MacControl
import NIOCore
import NIOPosix
import NetworkExtension
import NetworkSimulation
import SocketTransport
import Testing

@testable import WeirExtension

@Suite(.timeLimit(.minutes(2))) struct PauseOnMacTests {
    /// Dials one server, whatever the destination.
    private struct OneOrigin: Egress {
        let endpoint: Endpoint
        func connect(
            to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop
        ) -> EventLoopFuture<any Channel> { SocketEgress().connect(to: endpoint, for: facts, on: loop) }
    }

    /// Gives back what comes.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    }

    private static let site = NWEndpoint.hostPort(host: "203.0.113.7", port: 7777)

    @Test func `A pause and an off empty the rules of the system, claimed flows go on, and a resume restores`()
        async throws
    {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let machine = try Machine()
        let runtime = machine.boot(egress: OneOrigin(endpoint: try #require(Endpoint(server.localAddress))))
        let internet = MemoryInternet()
        internet.listen(on: Self.site) { _ in }
        let mac = SimulatedMac(internet: internet)
        let app = mac.launch(SimulatedProgram("app"))
        let configuration = NETunnelProviderProtocol()
        configuration.providerConfiguration = ["policy": try machine.policy()]
        let proxy = mac.install("weir", configuration: configuration) { WeirProvider(runtime) }
        try await proxy.start(options: nil)

        func way() async throws -> SimulatedSocket.Way {
            let socket = try await app.connect(to: Self.site)
            defer { socket.close() }
            return socket.way
        }
        let live = try await app.connect(to: Self.site)
        /// Text that begins like no protocol, so that nothing more of it is waited for.
        func echo(_ text: String) async throws -> String {
            try await live.send(Data(text.utf8))
            return String(decoding: try await live.receive(), as: UTF8.self)
        }
        #expect(live.way == .claimed(by: "weir"))
        #expect(try await echo("<one>") == "<one>")
        let offered = mac.log.count(.offered)

        try await runtime.pause(until: machine.now + 1_000_000)
        #expect(try await way() == .direct)
        #expect(try await echo("<two>") == "<two>")
        try await runtime.resume()
        #expect(try await way() == .claimed(by: "weir"))

        try await runtime.off()
        #expect(try await way() == .direct)
        #expect(try await echo("<three>") == "<three>")
        try await runtime.rearm()
        #expect(try await way() == .claimed(by: "weir"))
        // What went directly was never handed over, not handed over and declined.
        #expect(mac.log.count(.offered) == offered + 2)

        await proxy.stop(.userInitiated)
        await runtime.close()
        try await server.close()
    }
}
