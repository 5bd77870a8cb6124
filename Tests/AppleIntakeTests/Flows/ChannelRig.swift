// SPDX-License-Identifier: Apache-2.0

// An open channel over a scripted flow, on a loop whose time stands still.

import Dispatch
import FlowModel
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// One channel and everything around it.
final class ChannelRig {
    let base = EmbeddedEventLoop()
    let loop: HopCountingLoop
    let stream: ScriptedStream
    private(set) weak var flow: NEAppProxyTCPFlow?
    let listener = PipelineListener()
    let channel: FlowChannel
    let counts = Counts()

    init(over stream: ScriptedStream = ScriptedStream()) throws {
        self.stream = stream
        loop = HopCountingLoop(base)
        let flow = stream.flow
        self.flow = flow
        let opening = FlowChannel.open(flow, on: loop, metrics: counts)
        var opened: (any Channel)?
        opening.assumeIsolated().whenSuccess { [listener] channel in
            opened = channel
            try? channel.pipeline.syncOperations.addHandler(listener)
        }
        stream.opening?(nil)
        stream.opening = nil
        base.run()
        channel = try #require(opened as? FlowChannel)
        loop.executed = 0
    }

    deinit {
        // A channel that a test leaves open would keep itself.
        channel.close(promise: nil)
        base.run()
    }

    func run() { base.run() }

    func deliver(_ text: String) {
        stream.deliver(text)
        run()
    }

    /// Writes and says later how it ended.
    func write(_ text: String) -> KeptPromise { write(ByteBuffer(string: text)) }

    func write(_ buffer: ByteBuffer) -> KeptPromise { outcome { channel.write(buffer, promise: $0) } }

    func close(_ mode: CloseMode) -> KeptPromise { outcome { channel.close(mode: mode, promise: $0) } }

    func take(_ error: (any Error)? = nil) {
        stream.take(error)
        run()
    }

    func outcome(_ begin: (EventLoopPromise<Void>) -> Void) -> KeptPromise {
        let outcome = KeptPromise()
        let promise = loop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { outcome.results.append($0) }
        begin(promise)
        return outcome
    }
}

/// How a promise was kept, and how often.
final class KeptPromise {
    var results: [Result<Void, any Error>] = []

    var isPending: Bool { results.isEmpty }
    var succeeded: Bool { results.count == 1 && error == nil }
    var error: (any Error)? {
        guard case .failure(let error)? = results.first else { return nil }
        return error
    }
}

/// Counters by name.
final class Counts: MetricSink {
    private let counts = Mutex<[String: Int]>([:])

    subscript(counter: StaticString) -> Int { counts.withLock { $0["\(counter)"] ?? 0 } }
    func add(_ counter: StaticString, _ amount: Int) { counts.withLock { $0["\(counter)", default: 0] += amount } }
}

/// An embedded loop that counts what is handed to it by `execute`: the hops.
// Used on the test's thread alone, as the loop it wraps;
// the protocol asks for `Sendable`.
final class HopCountingLoop: EventLoop, @unchecked Sendable {
    private let base: EmbeddedEventLoop
    var executed = 0

    init(_ base: EmbeddedEventLoop) { self.base = base }

    var inEventLoop: Bool { true }
    var now: NIODeadline { base.now }

    func execute(_ task: @escaping @Sendable () -> Void) {
        executed += 1
        base.execute(task)
    }

    func submit<T>(_ task: @escaping @Sendable () throws -> T) -> EventLoopFuture<T> { base.submit(task) }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        base.scheduleTask(deadline: deadline, task)
    }

    func scheduleTask<T>(in time: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        base.scheduleTask(in: time, task)
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(nil) }
    }
}
