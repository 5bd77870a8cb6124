// SPDX-License-Identifier: Apache-2.0

// The threads on which programs are examined: as many as are examined at once, and one that keeps the time.

public import CodeIdentity
internal import Dispatch
public import FlowModel
internal import Foundation
internal import Synchronization

/// Says who made a flow, with threads of its own for what takes long.
///
/// A thread may be stuck in the oracle for ever: the others go on, those who wait are told in time that it is not
/// known, and neither `stop` nor the end of this object waits for it. The threads end with this object.
public final class IdentityWorkers: SystemCode {
    /// The threads' part, which keeps nothing else alive.
    private final class Work: Sendable {
        let wakes = DispatchSemaphore(value: 0)
        let end = DispatchSemaphore(value: 0)
        let isStopped = Atomic<Bool>(false)
    }

    private let work: Work
    private let resolver: AppleIdentityResolver
    private let threads: Int

    /// Starts the threads.
    public init(
        kernel: any CodeSigningKernel, oracle: any CodeSigningOracle, settings: AppleIdentityResolver.Settings,
        metrics: any MetricSink = NoSink()
    ) {
        let work = Work()
        self.work = work
        threads = CodeIdentityLimits.examinationsAtOnce.value
        // A semaphore counts: each call finds a thread of its own, however long the others take.
        let resolver = AppleIdentityResolver(
            kernel: kernel, oracle: oracle, settings: settings, metrics: metrics, wake: { work.wakes.signal() })
        self.resolver = resolver
        for number in 1...threads {
            Self.start("weir.identity.\(number)") {
                while !work.isStopped.load(ordering: .acquiring) {
                    work.wakes.wait()
                    guard !work.isStopped.load(ordering: .acquiring) else { return }
                    resolver.resolvePending { .now }
                }
            }
        }
        Self.start("weir.identity.time") {
            let pause = CodeIdentityLimits.examinationWait.value / 4
            while work.end.wait(timeout: .now() + .milliseconds(pause)) == .timedOut { resolver.expire(now: .now) }
            // Whoever still waits is told, because nobody keeps the time any more.
            resolver.expire(now: .now + .seconds(3_600))
        }
    }

    deinit { stop() }

    /// Has other questions asked from now on.
    public func use(_ settings: AppleIdentityResolver.Settings) { resolver.use(settings) }

    public func immediate(_ token: AuditToken?, now: ContinuousClock.Instant) -> MakerAnswer {
        resolver.immediate(token, now: now)
    }

    public func later(
        _ token: AuditToken?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) { resolver.later(token, now: now, receive) }

    /// Ends the threads, each when it next has nothing to do; waits for none.
    public func stop() {
        guard !work.isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for _ in 1...threads { work.wakes.signal() }
        work.end.signal()
    }

    private static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        // Applications wait for the answers.
        thread.qualityOfService = .userInitiated
        thread.start()
    }
}
