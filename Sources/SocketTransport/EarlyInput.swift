// SPDX-License-Identifier: Apache-2.0

// What a connection brings before anybody reads it.

import NIOCore

/// Tells an intake of a connection as soon as it is active, and keeps what comes until the first read.
///
/// NIO pours a socket out when its peer ends, whether it was asked to or not. Whoever made the connection may have sent
/// all it wants to send and ended its side before the flow is admitted; that must reach whoever reads first.
///
/// | state | event | next | action |
/// |---|---|---|---|
/// | holding | bytes, the end of the input | holding | keep them |
/// | holding | read, nothing kept | done | read the socket, leave the pipeline |
/// | holding | read, something kept | replaying | wait until whoever asks has finished asking |
/// | replaying | – | done | give what was kept, leave the pipeline |
final class EarlyInput: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private enum State { case holding, replaying, done }

    private let accepted: @Sendable (any Channel) -> Void
    private var state = State.holding
    private var kept = ByteBuffer()
    private var inputHasEnded = false

    init(_ accepted: @escaping @Sendable (any Channel) -> Void) { self.accepted = accepted }

    func channelActive(context: ChannelHandlerContext) { accepted(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state == .done { context.fireChannelRead(data) } else { kept.writeImmutableBuffer(unwrapInboundIn(data)) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if state == .done { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if state != .done, case .some(.inputClosed) = event as? ChannelEvent {
            inputHasEnded = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func read(context: ChannelHandlerContext) {
        switch state {
        case .done: context.read()
        case .replaying: break
        case .holding where kept.readableBytes == 0 && !inputHasEnded:
            state = .done
            context.read()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        case .holding:
            state = .replaying
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.execute { bound.value.0.replay(bound.value.1) }
        }
    }

    private func replay(_ context: ChannelHandlerContext) {
        state = .done
        if kept.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(kept))
            context.fireChannelReadComplete()
        }
        if inputHasEnded { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
