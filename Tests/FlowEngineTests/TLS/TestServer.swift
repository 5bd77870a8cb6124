// SPDX-License-Identifier: Apache-2.0

// A server on loopback for handshakes.

import NIOCore
import NIOPosix
import NIOSSL

/// A listening socket whose connections get a TLS handler, or whatever a test wants.
struct TestServer {
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    static func start(
        _ context: NIOSSLContext, onError: @escaping @Sendable (any Error) -> Void = { _ in }
    ) async throws -> TestServer {
        try await start { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    NIOSSLServerHandler(context: context), ErrorTap(report: onError),
                ])
            }
        }
    }

    /// A server without TLS that says a line to whoever comes, or hangs up when it has nothing to say.
    static func start(saying text: String) async throws -> TestServer {
        try await start { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Greeter(text: text))
            }
        }
    }

    private static func start(_ accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) async throws
        -> TestServer
    {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        return TestServer(
            channel: try await bootstrap.childChannelInitializer(accept).bind(host: "127.0.0.1", port: 0).get())
    }

    func stop() async throws { try await channel.close() }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let text: String
        init(text: String) { self.text = text }
        func channelActive(context: ChannelHandlerContext) {
            if text.isEmpty { context.close(promise: nil) }
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }

    private final class ErrorTap: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let report: @Sendable (any Error) -> Void
        init(report: @escaping @Sendable (any Error) -> Void) { self.report = report }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            report(error)
            context.close(promise: nil)
        }
    }
}
