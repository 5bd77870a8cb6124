// SPDX-License-Identifier: Apache-2.0

// A connection that a test holds the other end of: it keeps the contract of the seams and says when it is broken.

import FlowEngine
import NIOCore
import NIOEmbedded

/// The far end of one leg.
///
/// It delivers one buffer for each read that is asked for and none unasked, carries half-closes, and records what the
/// engine writes, ends and resets, in the order it happens.
final class FakeLine: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    enum End: Equatable { case open, halfClosed, closed, reset }

    let channel: EmbeddedChannel
    /// All that the engine has written, as text.
    private(set) var received = ""
    private(set) var end = End.open
    private(set) var reads = 0
    private var readsOutstanding = 0
    private var queue: [ByteBuffer] = []
    private var inputEnds = false
    private var inputHasEnded = false
    private var unflushed = ""
    private var flushIsDue = false
    private var unsent: [EventLoopPromise<Void>] = []
    private var outputEnding: [EventLoopPromise<Void>?] = []
    private var context: ChannelHandlerContext?

    init(_ loop: EmbeddedEventLoop) throws {
        channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandler(self)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: The test's side

    /// Sends bytes to the engine, which get there when it asks.
    func send(_ text: String) {
        queue.append(ByteBuffer(string: text))
        deliver()
    }

    /// Stops taking what the engine writes, or takes it again.
    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        if isWritable, flushIsDue { sendAll() }
        context?.fireChannelWritabilityChanged()
    }

    func send(_ bytes: [UInt8]) {
        queue.append(ByteBuffer(bytes: bytes))
        deliver()
    }

    /// Sends bytes that get to the engine without being asked for, as NIO pours out a socket that has ended.
    func sendUnasked(_ bytes: [UInt8]) {
        guard let context else { return }
        context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes)))
        context.fireChannelReadComplete()
    }

    /// Ends this direction in order.
    func finish() {
        inputEnds = true
        deliver()
    }

    /// Breaks the connection.
    func breakDown() {
        guard let context else { return }
        context.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        channel.close(promise: nil)
    }

    var wantsBytes: Bool { readsOutstanding > 0 }

    private func deliver() {
        while readsOutstanding > 0, !queue.isEmpty, let context {
            readsOutstanding -= 1
            context.fireChannelRead(wrapInboundOut(queue.removeFirst()))
            context.fireChannelReadComplete()
        }
        if queue.isEmpty, inputEnds, !inputHasEnded, let context {
            inputHasEnded = true
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            closeWhenBothEnded()
        }
    }

    /// A connection that has ended in both directions is closed, as a socket's is.
    private func closeWhenBothEnded() {
        guard inputHasEnded, end == .halfClosed, channel.isActive else { return }
        channel.eventLoop.assumeIsolated().execute { self.channel.close(promise: nil) }
    }

    // MARK: The engine's side

    func read(context: ChannelHandlerContext) {
        reads += 1
        readsOutstanding = 1
        // A real channel never delivers inside the call that asks.
        context.eventLoop.assumeIsolated().execute { self.deliver() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        unflushed += String(buffer: unwrapOutboundIn(data))
        if let promise { unsent.append(promise) }
    }

    func flush(context: ChannelHandlerContext) {
        flushIsDue = true
        if channel.isWritable { sendAll() }
    }

    private func sendAll() {
        flushIsDue = false
        received += unflushed
        unflushed = ""
        let sent = unsent
        unsent = []
        for promise in sent { promise.succeed() }
        let ending = outputEnding
        outputEnding = []
        for promise in ending { endOutput(promise) }
    }

    private func endOutput(_ promise: EventLoopPromise<Void>?) {
        if end == .open { end = .halfClosed }
        promise?.succeed()
        closeWhenBothEnded()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output, !inputHasEnded {
            // As a socket does, it ends its output behind what is still to be sent.
            if channel.isWritable { endOutput(promise) } else { outputEnding.append(promise) }
        } else {
            // What was not sent yet is lost; NIO does the same to a channel whose output ends after its input.
            unflushed = ""
            for promise in unsent { promise.fail(ChannelError.ioOnClosedChannel) }
            unsent = []
            if end == .open { end = mode == .output ? .halfClosed : .closed }
            context.eventLoop.assumeIsolated().execute { context.close(mode: .all, promise: promise) }
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is ResetConnection { end = .reset }
        promise?.succeed()
    }
}
