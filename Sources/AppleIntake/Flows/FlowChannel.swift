// SPDX-License-Identifier: Apache-2.0

// A TCP flow of the system as a channel, without a socket between them.

internal import FlowEngine
internal import FlowModel
internal import Foundation
internal import NIOCore
internal import NetworkExtension
internal import Synchronization

/// The channel of an open TCP flow.
///
/// Lives on one loop, which calls the flow directly; a completion, which comes on the provider's queue, does one
/// `execute` and nothing else. So a read or a write costs one hop and one copy, and the provider's queue next to none.
/// One read and one write are outstanding at most.
///
/// | event | action |
/// |---|---|
/// | `read`, none outstanding | one read of the flow; its bytes are one buffer |
/// | an empty read | `ChannelEvent.inputClosed`, or the end when the output has ended or half-closure is not allowed |
/// | `flush`, none outstanding | one write of what is flushed, up to a limit; the rest follows when it is taken |
/// | a write finds no buffer space | the same again after a wait that doubles; too often is an error |
/// | `close(mode: .output)` | ends the flow's write side behind what was written |
/// | `close` | ends both sides; if that cuts off bytes that the flow was not given, the application sees a reset |
/// | `ResetConnection`, an error of the flow | the application sees a reset at once |
///
/// Closures given to the flow hold the channel weakly: the system may keep or drop them without a call.
// `@unchecked`: the mutable state below is touched by `ChannelCore` and by what `execute` and timers run, which is on
// the loop alone; everything else is immutable, atomic, or, as the flow, documented as safe on any thread.
final class FlowChannel: Channel, ChannelCore, @unchecked Sendable {
    let eventLoop: any EventLoop
    let allocator = ByteBufferAllocator()
    // Made in `init` and never again.
    private(set) lazy var pipeline = ChannelPipeline(channel: self)
    private let closePromise: EventLoopPromise<Void>
    private let active = Atomic(false)
    private let writable = Atomic(true)
    private let flow: NEAppProxyTCPFlow
    private let metrics: any MetricSink

    private var opening: (promise: EventLoopPromise<any Channel>, deadline: Scheduled<Void>)?
    private var isOpen = true
    private var isBroken = false
    private var readIsPending = false
    private var inputEnded = false
    /// The output ends behind what is queued.
    private var outputIsEnding = false
    private var outputEnd: EventLoopPromise<Void>?
    private var outputEnded = false
    private var queue = OutboundQueue()
    private var outstanding: OutboundQueue.Batch?
    private var retries = 0
    private var retryIsDue = false
    fileprivate var options = Options()

    fileprivate struct Options {
        var autoRead = false
        var allowRemoteHalfClosure = true
        var maxMessagesPerRead: UInt = 1
        var waterMark = ChannelOptions.Types.WriteBufferWaterMark(
            low: AppleIntakeLimits.writeLow.value, high: AppleIntakeLimits.writeHigh.value)
    }

    private init(_ flow: NEAppProxyTCPFlow, on loop: any EventLoop, metrics: any MetricSink) {
        self.flow = flow
        eventLoop = loop
        self.metrics = metrics
        closePromise = loop.makePromise()
        _ = pipeline
    }

    // MARK: Channel: from any thread

    var isActive: Bool { active.load(ordering: .acquiring) }
    var isWritable: Bool { writable.load(ordering: .acquiring) }
    var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
    var localAddress: SocketAddress? { nil }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var _channelCore: any ChannelCore { self }
    var syncOptions: (any NIOSynchronousChannelOptions)? { FlowChannelOptions(channel: self) }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.submit { try FlowChannelOptions(channel: self).setOption(option, value: value) }
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.submit { try FlowChannelOptions(channel: self).getOption(option) }
    }

    // MARK: Opening

    /// Opens a flow, which lets the application's connect succeed; fails with the `IOError` that a socket would give.
    ///
    /// Call on the loop. The channel is active and has no handler.
    static func open(
        _ flow: NEAppProxyTCPFlow, on loop: any EventLoop, metrics: any MetricSink
    ) -> EventLoopFuture<any Channel> {
        let channel = FlowChannel(flow, on: loop, metrics: metrics)
        let promise = loop.makePromise(of: (any Channel).self)
        let wait = TimeAmount.milliseconds(Int64(AppleIntakeLimits.openWait.value))
        let deadline = loop.scheduleTask(in: wait) { [weak channel] in
            guard let channel else { return }
            metrics.add(AppleIntakeLimits.openWait.metric, 1)
            channel.opened(NEAppProxyFlowError(.timedOut))
        }
        channel.opening = (promise, deadline)
        flow.open(withLocalFlowEndpoint: nil) { [weak channel] error in
            guard let channel else { return }
            loop.execute { channel.opened(error) }
        }
        return promise.futureResult
    }

    private func opened(_ error: (any Error)?) {
        guard let (promise, deadline) = opening else { return }
        opening = nil
        deadline.cancel()
        if let error {
            let error = IOError(flow: error)
            isBroken = true
            end(error)
            return promise.fail(error)
        }
        active.store(true, ordering: .releasing)
        pipeline.syncOperations.fireChannelRegistered()
        promise.succeed(self)
        guard isOpen else { return }
        pipeline.syncOperations.fireChannelActive()
        readIfAutomatic()
    }

    // MARK: Reading

    func read0() {
        guard isActive, !inputEnded, !readIsPending else { return }
        readIsPending = true
        flow.readData { [weak self] data, error in
            guard let self else { return }
            eventLoop.execute { self.received(data, error) }
        }
    }

    private func received(_ data: Data?, _ error: (any Error)?) {
        guard isOpen, readIsPending, !inputEnded else { return }
        readIsPending = false
        if let error { return fail(error) }
        guard let data, !data.isEmpty else { return receivedEnd() }
        // The one copy of a read.
        pipeline.syncOperations.fireChannelRead(NIOAny(allocator.buffer(bytes: data)))
        guard isOpen else { return }
        pipeline.syncOperations.fireChannelReadComplete()
        readIfAutomatic()
    }

    private func receivedEnd() {
        inputEnded = true
        pipeline.syncOperations.fireChannelReadComplete()
        guard isOpen else { return }
        if options.allowRemoteHalfClosure, !outputEnded {
            pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            close0(error: ChannelError.eof, mode: .all, promise: nil)
        }
    }

    fileprivate func readIfAutomatic() {
        if options.autoRead, isActive { pipeline.syncOperations.read() }
    }

    // MARK: Writing

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOpen, !outputIsEnding else {
            promise?.fail(isOpen ? ChannelError.outputClosed : ChannelError.ioOnClosedChannel)
            return
        }
        guard case .byteBuffer(let buffer) = tryUnwrapData(data, as: IOData.self) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        queue.append(buffer, promise: promise)
        updateWritability()
    }

    func flush0() {
        queue.flush()
        writeNext()
    }

    /// Gives the flow what comes next, unless it still has something to take; ends the output behind the last.
    private func writeNext() {
        while isOpen, outstanding == nil, let next = queue.take(AppleIntakeLimits.writeSize.value) {
            if next.data.isEmpty {
                // The flow refuses empty writes; whoever waits for this one waits for those before it.
                next.promise?.succeed()
            } else {
                outstanding = next
                writeOutstanding()
            }
        }
        if isOpen, outputIsEnding, !outputEnded, outstanding == nil, queue.isEmpty { endOutput() }
    }

    private func writeOutstanding() {
        guard let outstanding else { return }
        flow.write(outstanding.data) { [weak self] error in
            guard let self else { return }
            eventLoop.execute { self.wrote(error) }
        }
    }

    private func wrote(_ error: (any Error)?) {
        guard isOpen, let written = outstanding else { return }
        if let error { return IOError(flow: error).isShortage ? writeLater(error) : fail(error) }
        outstanding = nil
        retries = 0
        written.promise?.succeed()
        updateWritability()
        writeNext()
    }

    /// The system had no room for what is outstanding: the same again, but not for ever.
    private func writeLater(_ error: any Error) {
        guard retries < AppleIntakeLimits.writeRetries.value else {
            metrics.add(AppleIntakeLimits.writeRetries.metric, 1)
            return fail(error)
        }
        metrics.add(AppleIntakeLimits.writeRetryWait.metric, 1)
        let wait = TimeAmount.milliseconds(Int64(AppleIntakeLimits.writeRetryWait.value << retries))
        retries += 1
        retryIsDue = true
        eventLoop.scheduleTask(in: wait) { [weak self] in
            self?.retryIsDue = false
            self?.writeOutstanding()
        }
    }

    fileprivate var bufferedBytes: Int { queue.bytes + (outstanding?.data.count ?? 0) }

    fileprivate func updateWritability() {
        guard isOpen else { return }
        let mark = options.waterMark
        let isNow = isWritable ? bufferedBytes <= mark.high : bufferedBytes < mark.low
        guard isNow != isWritable else { return }
        writable.store(isNow, ordering: .releasing)
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    // MARK: Ending

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard isOpen else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        switch mode {
        case .input where inputEnded:
            promise?.fail(ChannelError.inputClosed)
        case .input where !outputEnded:
            // A read that is outstanding is never answered.
            inputEnded = true
            flow.closeReadWithError(nil)
            promise?.succeed()
            pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .output where outputIsEnding:
            promise?.fail(ChannelError.outputClosed)
        case .output:
            outputIsEnding = true
            outputEnd = promise
            writeNext()
        case .input, .all:
            end(error, promise: promise)
        }
    }

    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ResetConnection else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        // At once: a TLS handler would hold a close back until it has said goodbye.
        isBroken = true
        close0(error: ChannelError.ioOnClosedChannel, mode: .all, promise: promise)
    }

    private func endOutput() {
        outputEnded = true
        let promise = outputEnd.take()
        if inputEnded { return end(ChannelError.outputClosed, promise: promise) }
        flow.closeWriteWithError(nil)
        promise?.succeed()
        pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
    }

    /// The flow has failed: handlers hear why, and then that it is over.
    private func fail(_ error: any Error) {
        let error = IOError(flow: error)
        isBroken = true
        pipeline.syncOperations.fireErrorCaught(error)
        if isOpen { end(error) }
    }

    /// The end of everything; nothing of the system is heard any more.
    private func end(_ error: any Error, promise: EventLoopPromise<Void>? = nil) {
        let wasActive = isActive
        isOpen = false
        active.store(false, ordering: .releasing)
        writable.store(false, ordering: .releasing)
        // What the flow was given it still delivers. An end that cuts off the rest must not look like an orderly one.
        let isCut = isBroken || queue.bytes > 0 || retryIsDue
        let unkept = [outstanding?.promise, outputEnd] + queue.removeAll()
        (outstanding, outputEnd) = (nil, nil)
        flow.close(isCut ? NEAppProxyFlowError(.peerReset) : nil)

        for promise in unkept { promise?.fail(error) }
        promise?.succeed()
        if wasActive {
            pipeline.syncOperations.fireChannelInactive()
            pipeline.syncOperations.fireChannelUnregistered()
        }
        eventLoop.execute {
            // Later, because handlers may still be at work.
            self.removeHandlers(pipeline: self.pipeline)
            self.closePromise.succeed()
        }
    }

    // MARK: What a flow has not

    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}
}

/// The options that the engine and its transports set; others are not supported, rather than a trap.
private struct FlowChannelOptions: NIOSynchronousChannelOptions {
    let channel: FlowChannel

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        typealias Types = ChannelOptions.Types
        switch (option, value) {
        case (is Types.AutoReadOption, let value as Bool):
            channel.options.autoRead = value
            channel.readIfAutomatic()
        case (is Types.AllowRemoteHalfClosureOption, let value as Bool):
            channel.options.allowRemoteHalfClosure = value
        case (is Types.MaxMessagesPerReadOption, let value as UInt):
            // A read of a flow is one message, whatever is asked for.
            channel.options.maxMessagesPerRead = value
        case (is Types.WriteBufferWaterMarkOption, let value as Types.WriteBufferWaterMark):
            channel.options.waterMark = value
            channel.updateWritability()
        case (is Types.RecvAllocatorOption, _):
            // The system allocates what it reads.
            break
        default:
            throw ChannelError.operationUnsupported
        }
    }

    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        typealias Types = ChannelOptions.Types
        let value: Any? =
            switch option {
            case is Types.AutoReadOption: channel.options.autoRead
            case is Types.AllowRemoteHalfClosureOption: channel.options.allowRemoteHalfClosure
            case is Types.MaxMessagesPerReadOption: channel.options.maxMessagesPerRead
            case is Types.WriteBufferWaterMarkOption: channel.options.waterMark
            case is Types.BufferedWritableBytesOption: channel.bufferedBytes
            default: nil
            }
        guard let value = value as? Option.Value else { throw ChannelError.operationUnsupported }
        return value
    }
}
