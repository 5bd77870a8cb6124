// SPDX-License-Identifier: Apache-2.0

// Sends each query to a nameserver from a socket of its own, and the answer back.

import Dispatch
import FlowModel
import NIOCore
import NIOPosix

/// Serves one bound socket.
///
/// Each query has its own connected socket: the kernel picks a random port and drops what others send to it, so an answer
/// is as hard to forge as it is without a relay, and the query keeps its id.
final class DNSQueryHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private var nameservers: [SocketAddress]
    /// Where the next query starts; the number grows, its remainder counts.
    private var turn = 0
    private var outstanding = 0
    private let metrics: any MetricSink
    private let patience: TimeAmount
    private let reload: @Sendable () -> [SocketAddress]
    private var reloading = false

    init(
        _ nameservers: [SocketAddress], _ metrics: any MetricSink, _ patience: TimeAmount,
        reload: @escaping @Sendable () -> [SocketAddress]
    ) {
        self.nameservers = nameservers
        self.metrics = metrics
        self.patience = patience
        self.reload = reload
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = unwrapInboundIn(data)
        guard let header = DNSHeader(query.data), !header.isResponse else {
            metrics.add(LinuxIntakeLimits.dnsMessage.metric, 1)
            return
        }
        guard outstanding < LinuxIntakeLimits.dnsOutstanding.value else {
            metrics.add(LinuxIntakeLimits.dnsOutstanding.metric, 1)
            return
        }
        outstanding += 1
        let channel = context.channel
        let turn = self.turn
        let deadline = NIODeadline.now() + patience
        ask(query.data, header.id, servers: servers(), deadline: deadline, on: context.eventLoop).assumeIsolated()
            .whenComplete { result in
                self.outstanding -= 1
                switch result {
                case .success(let answer):
                    channel.writeAndFlush(
                        AddressedEnvelope(remoteAddress: query.remoteAddress, data: answer), promise: nil)
                case .failure(let error):
                    if error is DNSSilence {
                        self.metrics.add(LinuxIntakeLimits.dnsPatience.metric, 1)
                    } else {
                        // Nobody can be reached: saying so saves the program its own long wait.
                        channel.writeAndFlush(
                            AddressedEnvelope(
                                remoteAddress: query.remoteAddress, data: DNSHeader.failure(of: query.data)),
                            promise: nil)
                    }
                    self.distrust(turn, on: channel.eventLoop)
                }
            }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An answer that could not be delivered: its asker has gone. The socket still serves the others.
    }

    /// The nameservers, beginning with the one whose turn it is.
    private func servers() -> [SocketAddress] {
        guard !nameservers.isEmpty else { return [] }
        let first = turn % nameservers.count
        return Array(nameservers[first...] + nameservers[..<first])
    }

    /// Asks one nameserver after the other, as long as they refuse at once.
    private func ask(
        _ query: ByteBuffer, _ id: UInt16, servers: [SocketAddress], deadline: NIODeadline, on loop: any EventLoop
    ) -> EventLoopFuture<ByteBuffer> {
        guard let server = servers.first else { return loop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        let answer = loop.makePromise(of: ByteBuffer.self)
        DatagramBootstrap(group: loop)
            .channelOption(.recvAllocator, value: DNSRelay.buffer)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = DNSAnswerHandler(query, id, deadline, answer)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(to: server)
            .cascadeFailure(to: answer)
        return answer.futureResult.assumeIsolated().flatMapError { error in
            if error is DNSSilence { return loop.makeFailedFuture(error) }
            return self.ask(query, id, servers: Array(servers.dropFirst()), deadline: deadline, on: loop)
        }.nonisolated()
    }

    /// After a failure: the next nameserver, and a look whether there are others by now.
    private func distrust(_ failed: Int, on loop: any EventLoop) {
        // Queries that were under way at the same time fail together; they take one turn.
        if failed == turn { turn = turn &+ 1 & 0xffff }
        guard !reloading else { return }
        reloading = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        DispatchQueue.global().async { [reload] in
            let nameservers = reload()
            loop.execute {
                bound.value.reloading = false
                if nameservers != bound.value.nameservers {
                    bound.value.nameservers = nameservers
                    bound.value.turn = 0
                }
            }
        }
    }
}

/// A nameserver did not answer in time.
struct DNSSilence: Error {}

/// Sends one query and waits for its answer.
final class DNSAnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let query: ByteBuffer
    private let id: UInt16
    private let deadline: NIODeadline
    private var answer: EventLoopPromise<ByteBuffer>?
    private var alarm: Scheduled<Void>?

    init(_ query: ByteBuffer, _ id: UInt16, _ deadline: NIODeadline, _ answer: EventLoopPromise<ByteBuffer>) {
        self.query = query
        self.id = id
        self.deadline = deadline
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let server = context.remoteAddress else {
            return finish(context, .failure(ChannelError.ioOnClosedChannel))
        }
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(deadline: deadline) {
            bound.value.handler.finish(bound.value.context, .failure(DNSSilence()))
        }
        context.writeAndFlush(wrapOutboundOut(AddressedEnvelope(remoteAddress: server, data: query)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = unwrapInboundIn(data).data
        // Anything else on this socket is not the answer; the real one may still come.
        guard let header = DNSHeader(message), header.isResponse, header.id == id else { return }
        finish(context, .success(message))
    }

    /// The nameserver's machine says that nobody listens there.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, .failure(error)) }

    func channelInactive(context: ChannelHandlerContext) {
        finish(context, .failure(ChannelError.ioOnClosedChannel))
    }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<ByteBuffer, any Error>) {
        guard let answer else { return }
        self.answer = nil
        alarm?.cancel()
        answer.completeWith(result)
        context.close(promise: nil)
    }
}
