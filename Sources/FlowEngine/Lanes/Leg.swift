// SPDX-License-Identifier: Apache-2.0

// One of the two connections of a flow, as the engine sees it: the last handler of a channel's pipeline.

import NIOCore

/// The two ends of a flow.
enum Side {
    case application, origin

    var other: Side { self == .application ? .origin : .application }
}

/// The end of a channel's pipeline: reads when asked, writes, closes half or all, resets.
///
/// It never reads ahead: after `read()` one buffer comes (more only when the kernel reports the end of the stream,
/// because NIO then drains the socket, which its receive buffer bounds).
final class Leg: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let side: Side
    let channel: any Channel
    private let driver: FlowDriver
    private var readWanted = false
    private var hasDelivered = false
    private var hasReportedEnd = false
    /// The other side has said that it will send no more.
    private(set) var inputEnded = false
    private(set) var outputEnded = false
    /// The output ends as soon as what was written before has gone.
    private(set) var isSending = false

    /// Makes a leg; `attach` puts it into the pipeline.
    init(_ side: Side, channel: any Channel, driver: FlowDriver) {
        self.side = side
        self.channel = channel
        self.driver = driver
    }

    func attach() throws { try channel.pipeline.syncOperations.addHandler(self) }

    var isWritable: Bool { channel.isWritable && !outputEnded }
    var isUsable: Bool { !hasReportedEnd && channel.isActive }

    /// Asks for one buffer.
    ///
    /// Does nothing while one is asked for, or after the end.
    func read() {
        guard !readWanted, !inputEnded, !hasReportedEnd else { return }
        readWanted = true
        channel.read()
    }

    /// Keeps reading until the TLS handshake in front of this leg has brought the first application data.
    func readThroughHandshake() {
        readWanted = true
        channel.read()
    }

    func write(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0, !outputEnded else { return }
        channel.write(buffer, promise: nil)
    }

    func flush() { channel.flush() }

    /// Says that nothing more will be sent; what was written before still goes out.
    func closeOutput() {
        guard !outputEnded else { return }
        outputEnded = true
        isSending = true
        channel.flush()
        // NIO closes a channel whole, unsent bytes lost, when its output ends after its input: the end waits for them.
        let sent = channel.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            self.isSending = false
            self.channel.close(mode: .output, promise: nil)
        }
        if let tls = try? channel.pipeline.syncOperations.context(name: Abort.tlsHandler) {
            tls.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
        } else {
            channel.writeAndFlush(ByteBuffer(), promise: sent)
        }
    }

    /// Closes in order; nothing is reported any more.
    func close() {
        hasReportedEnd = true
        closeOutput()
        Abort.close(channel)
    }

    /// Resets; nothing is reported any more.
    func reset() {
        hasReportedEnd = true
        outputEnded = true
        Abort.reset(channel)
    }

    /// From here on nothing is reported: the leg has been replaced.
    func silence() { hasReportedEnd = true }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasReportedEnd else { return }
        hasDelivered = true
        driver.received(side, unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard !hasReportedEnd else { return }
        if hasDelivered {
            hasDelivered = false
            readWanted = false
            driver.readComplete(side)
        } else if readWanted {
            // A TLS record that carried no application data: the question still stands.
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard !hasReportedEnd else { return }
        driver.writabilityChanged(side)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard !hasReportedEnd else { return }
        if case .some(.inputClosed) = event as? ChannelEvent {
            guard !inputEnded else { return }
            inputEnded = true
            driver.inputClosed(side)
        } else {
            driver.event(side, event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(error) }

    func channelInactive(context: ChannelHandlerContext) { end(nil) }

    private func end(_ error: (any Error)?) {
        guard !hasReportedEnd else { return }
        if error == nil, outputEnded {
            // NIO closes a channel whose output has ended as soon as the input ends, and says only that it is closed.
            if !inputEnded {
                inputEnded = true
                driver.inputClosed(side)
            }
            guard !hasReportedEnd else { return }
            hasReportedEnd = true
            driver.bothHalvesClosed(side)
            return
        }
        hasReportedEnd = true
        driver.failed(side, error)
        if channel.isActive { channel.close(promise: nil) }
    }
}
