// SPDX-License-Identifier: Apache-2.0

// The first bytes of a proxy client: CONNECT, an absolute-form request or SOCKS5, until the flow is known.

import FlowEngine
import FlowModel
import NIOCore

/// Reads what a client of the proxy asks for, then stands still until the flow is opened.
///
/// After `handOver` it gives the bytes that came early to the handlers behind it, with the first read that they ask
/// for, and removes itself. Nothing of the application is read in between.
final class ProxyNegotiator: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Request {
        case connect(Endpoint)
        case socks(Endpoint)
        /// The head stays in front of the bytes: the engine reads it again.
        case absolute(Endpoint)
    }

    private enum State { case undecided, http, socks, asked, open, replaying, done, refused }

    /// The id that the flow will have.
    let flow = FlowID.random()
    private let asked: (Request) -> Void
    private var state = State.undecided
    private var input = ByteBuffer()
    private var socksReader = SOCKS5Reader()
    private var prefaceReader = ProxyPrefaceReader()
    private var deadline: Scheduled<Void>?

    /// Calls `asked` once, when the client's wish is known.
    init(asked: @escaping (Request) -> Void) { self.asked = asked }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(ProxyLimits.prefaceWait.value))
        ) {
            if self.isReading { context.close(promise: nil) }
        }
        context.read()
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    private var isReading: Bool {
        switch state {
        case .undecided, .http, .socks: return true
        case .asked, .open, .replaying, .done, .refused: return false
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input.writeImmutableBuffer(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard isReading else {
            // What comes after a refusal is dropped, so that closing does not turn into a reset.
            if state == .refused {
                input.clear()
                context.read()
            }
            return
        }
        advance(context)
        if isReading { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            if isReading || state == .refused { return context.close(promise: nil) }
            // Told behind the replayed bytes, once they have been asked for.
            inputIsClosed = true
            guard state == .done else { return }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private var inputIsClosed = false

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isReading || state == .refused { context.close(promise: nil) } else { context.fireErrorCaught(error) }
    }

    func read(context: ChannelHandlerContext) {
        guard state == .open else {
            if state != .replaying { context.read() }
            return
        }
        // Not at once: whoever asked is still in the middle of asking.
        state = .replaying
        let box = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let (negotiator, context) = box.value
            negotiator.replay(context)
        }
    }

    private func replay(_ context: ChannelHandlerContext) {
        // Reads that the replayed bytes lead to are for the connection itself.
        state = .done
        if input.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(input))
            input = ByteBuffer()
            context.fireChannelReadComplete()
        } else if !inputIsClosed {
            context.read()
        }
        if inputIsClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    // MARK: Reading

    private func advance(_ context: ChannelHandlerContext) {
        if state == .undecided, let first = input.getInteger(at: input.readerIndex, as: UInt8.self) {
            state = first == 5 ? .socks : .http
        }
        if state == .socks { readSOCKS(context) } else if state == .http { readHTTP(context) }
    }

    private func readSOCKS(_ context: ChannelHandlerContext) {
        while true {
            switch socksReader.read(&input) {
            case .needsMore: return
            case .reply(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            case .refused(let bytes): return refuse(context, ByteBuffer(bytes: bytes))
            case .connect(let endpoint): return ask(.socks(endpoint))
            }
        }
    }

    private func readHTTP(_ context: ChannelHandlerContext) {
        switch prefaceReader.read(&input, flow: flow) {
        case .needMore: break
        case .connect(let endpoint):
            ask(.connect(endpoint))
        case .absolute(let endpoint):
            ask(.absolute(endpoint))
        case .refused(let answer):
            refuse(context, answer)
        }
    }

    private func ask(_ request: Request) {
        state = .asked
        deadline?.cancel()
        asked(request)
    }

    // MARK: Answers

    /// The flow is open: sends `answer` and gives the application's bytes on from now.
    func handOver(_ channel: any Channel, answer: ByteBuffer?) {
        state = .open
        if let answer { channel.writeAndFlush(answer, promise: nil) }
    }

    /// The flow cannot be: sends `answer` and ends.
    func refuse(_ channel: any Channel, answer: ByteBuffer) {
        state = .refused
        channel.writeAndFlush(answer, promise: nil)
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: .milliseconds(Int64(ProxyLimits.refusalLinger.value))) {
            channel.close(promise: nil)
        }
        channel.read()
    }

    private func refuse(_ context: ChannelHandlerContext, _ answer: ByteBuffer) {
        refuse(context.channel, answer: answer)
    }
}
