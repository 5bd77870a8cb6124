// SPDX-License-Identifier: Apache-2.0

// Who made a flow on Linux: memory and the kernel while the flow waits, the disk behind its back.

public import FlowModel
import Synchronization

/// Answers for Linux processes without ever waiting.
///
/// - `immediate` and `later` ask memory, and the kernel for the image that the process has now (its start, its program
///   file, where exec put it: 12 µs of `/proc`). Files are read and hashed by `resolvePending` alone.
/// - An identity belongs to one image. A process that executes another program, or whose number another one gets, is
///   told from the one that was asked about at each step, and then the answer is `replaced`.
/// - How many wait, how many are examined at once and for how long is bounded.
///
/// What is kept is identity, never a verdict, and no longer than `identityAge`, because foreign code can enter a
/// process at any time.
///
/// It makes no threads: `wake` is called for each image that begins to wait. It has `resolvePending` called on a thread
/// that may wait, and `expire` when `identityWait` has passed, on another one, because the first may be stuck.
public final class LinuxIdentityResolver: SystemCode {
    typealias Examinations = ExaminationQueue<ProcessImage, Void>

    private struct State {
        var queue: Examinations
        /// Evictions that the metric has counted.
        var evicted = 0
    }

    /// What memory and the kernel say at once.
    private enum Glance {
        case known(MakerAnswer)
        case unexamined(ProcessImage)
    }

    private let reader: LinuxIdentityReader
    private let cache: ProcessIdentityCache
    private let metrics: any MetricSink
    private let wake: @Sendable (LinuxIdentityResolver) -> Void
    private let state: Mutex<State>
    /// From where the cache's milliseconds count.
    private let start: ContinuousClock.Instant

    public convenience init(
        reader: LinuxIdentityReader, metrics: any MetricSink = NoSink(),
        wake: @escaping @Sendable (LinuxIdentityResolver) -> Void
    ) {
        self.init(
            reader: reader, metrics: metrics, wake: wake, cache: ProcessIdentityCache(),
            queue: Examinations(
                wait: CodeIdentityLimits.identityWait.duration, most: CodeIdentityLimits.identitiesWaiting.value,
                atOnce: CodeIdentityLimits.identitiesAtOnce.value,
                mostWaiters: CodeIdentityLimits.identityWaiters.value),
            start: .now)
    }

    /// For tests, which choose small bounds.
    init(
        reader: LinuxIdentityReader, metrics: any MetricSink, wake: @escaping @Sendable (LinuxIdentityResolver) -> Void,
        cache: ProcessIdentityCache, queue: Examinations, start: ContinuousClock.Instant
    ) {
        self.reader = reader
        self.metrics = metrics
        self.wake = wake
        self.cache = cache
        self.start = start
        state = Mutex(State(queue: queue))
    }

    // MARK: While a flow waits

    public func immediate(_ process: ProcessInstance?, now: ContinuousClock.Instant) -> MakerAnswer {
        switch glance(process, now: now) {
        case .known(let answer): answer
        case .unexamined(let image): ask(image, now: now)
        }
    }

    public func later(
        _ process: ProcessInstance?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) {
        switch glance(process, now: now) {
        case .known(let answer): receive(answer)
        case .unexamined(let image):
            let answer = ask(image, now: now, receive)
            if answer.standing != .pending { receive(answer) }
        }
    }

    private func glance(_ process: ProcessInstance?, now: ContinuousClock.Instant) -> Glance {
        guard let process, process.pid > 0 else { return .known(Self.nothing(.noProcess, process?.pid)) }
        switch reader.image(of: process.pid) {
        case .failure(let problem): return .known(Self.nothing(problem.makerUnknown, process.pid))
        case .success(let image):
            guard image.process == process else { return .known(Self.nothing(.replaced, process.pid)) }
            let age = UInt64(CodeIdentityLimits.identityAge.value)
            let identity = cache.identity(of: image, now: milliseconds(now), maximumAge: age)
            return identity.map { .known($0.answer) } ?? .unexamined(image)
        }
    }

    /// Has an image examined; a `receive` stands in line when the answer is pending.
    private func ask(
        _ image: ProcessImage, now: ContinuousClock.Instant, _ receive: Examinations.Receive? = nil
    ) -> MakerAnswer {
        var answer = Self.nothing(.unexamined, image.process.pid)
        answer.standing = .pending
        var isNew = false
        var reached: Limit?
        state.withLock { state in
            switch state.queue.ask(image, (), now: now) {
            case .waiting: isNew = true
            case .joined: break
            case .full: reached = CodeIdentityLimits.identitiesWaiting
            case .lost: answer = Self.nothing(.timedOut, image.process.pid)
            }
            if let receive, answer.standing == .pending, reached == nil, state.queue.add(receive, for: image) != true {
                reached = CodeIdentityLimits.identityWaiters
            }
        }
        if let reached {
            metrics.add(reached.metric, 1)
            answer.standing = .busy
        }
        if isNew { wake(self) }
        return answer
    }

    // MARK: Behind the flow's back

    /// Examines what waits until nothing does; called on a thread that may wait for the disk.
    ///
    /// It may be called on several threads at a time, and at any time.
    public func resolvePending(now: () -> ContinuousClock.Instant) {
        while let image = next(now: now()) {
            let answer = examine(image, now: now)
            let evicted = cache.counts.evicted
            let (waiters, dropped) = state.withLock { state in
                defer { state.evicted = max(evicted, state.evicted) }
                return (state.queue.finish(image), evicted - state.evicted)
            }
            if dropped > 0 { metrics.add(CodeIdentityLimits.cachedProcesses.metric, dropped) }
            for receive in waiters { receive(answer) }
        }
    }

    /// Tells those who have waited too long that nothing is known.
    ///
    /// To be called by a timer that does not depend on the threads of `resolvePending`.
    public func expire(now: ContinuousClock.Instant) {
        let late = state.withLock { $0.queue.expire(now: now) }
        guard !late.isEmpty else { return }
        metrics.add(CodeIdentityLimits.identityWait.metric, late.count)
        for job in late {
            for receive in job.waiters { receive(Self.nothing(.timedOut, job.process.process.pid)) }
        }
    }

    private func next(now: ContinuousClock.Instant) -> ProcessImage? {
        expire(now: now)
        return state.withLock { $0.queue.next()?.process }
    }

    private func examine(_ image: ProcessImage, now: () -> ContinuousClock.Instant) -> MakerAnswer {
        switch reader.examine(image.process.pid) {
        case .failure(let problem): return Self.nothing(problem.makerUnknown, image.process.pid)
        case .success(let found):
            // Of another image it is as true, for the flows that are that one's.
            cache.store(found, now: milliseconds(now()))
            return found.image == image ? found.identity.answer : Self.nothing(.replaced, image.process.pid)
        }
    }

    private func milliseconds(_ now: ContinuousClock.Instant) -> UInt64 {
        UInt64(exactly: max(0, ((now - start) / .milliseconds(1)).rounded(.down))) ?? 0
    }

    private static func nothing(_ unknown: MakerUnknown, _ pid: Int32?) -> MakerAnswer {
        MakerAnswer(summary: IdentitySummary(.unknown(unknown.cause), processID: pid), unknown: unknown)
    }
}

extension LinuxIdentity {
    fileprivate var answer: MakerAnswer {
        // What changed while it was read may be half of one thing and half of another.
        let unknown: MakerUnknown? = problems.contains { $0.code == .changed } ? .changedOnDisk : nil
        return MakerAnswer(
            summary: IdentitySummary(
                unknown.map { .unknown($0.cause) } ?? .known(codeClass), executable: executable.path,
                processID: process?.pid, userID: user),
            maker: .linux(self), unknown: unknown)
    }
}

extension CodeProblem {
    fileprivate var makerUnknown: MakerUnknown {
        switch code {
        case .processExited: .exited
        case .kernelThread: .noProcess
        default: .refused
        }
    }
}
