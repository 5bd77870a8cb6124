// SPDX-License-Identifier: Apache-2.0

// The one writer of a process: batches, retries, upkeep.

@preconcurrency internal import Dispatch
internal import FlowModel
internal import GRDB
internal import Synchronization

/// Moves records from the inbox into the file.
///
/// All work on the file is done on one serial queue, a batch or an upkeep step at a time. After any failure the
/// connection is given up and the next attempt starts from the path, so that one way of recovering serves a full disk,
/// a lock, a file that was removed and a mount that came back.
final class EventWriter: Sendable {
    private struct Work {
        var file: EventFile?
        /// Taken from the inbox and not stored yet.
        var batch: ArraySlice<StoredEvent> = []
        /// Milliseconds to pause after the next failure.
        var pause: Int
        var storedSinceUpkeep = 0
    }

    private let directory: String
    private let options: EventStoreOptions
    private let metrics: any MetricSink
    private let queue = DispatchQueue(label: "weir.events", qos: .utility)
    private let inbox: Mutex<EventInbox>
    /// Held for a copy, never for work.
    let privacy: Mutex<EventPrivacy>
    /// Only ever locked on `queue`, so never contended.
    private let work: Mutex<Work>

    init(directory: String, options: EventStoreOptions, metrics: any MetricSink) {
        self.directory = directory
        self.options = options
        self.metrics = metrics
        inbox = Mutex(EventInbox(capacity: options.queued))
        privacy = Mutex(options.privacy)
        work = Mutex(Work(pause: options.retryFirst))
    }

    // MARK: Called by flows and programs

    /// Opens the file once; failures that may pass by themselves are left to later attempts.
    func start() throws(EventStoreError) {
        let failure: EventStoreError? = queue.sync {
            work.withLock { work in
                do {
                    try use(&work) { _ in }
                    return nil
                } catch {
                    return fail(&work, error)
                }
            }
        }
        if let failure, failure.needsPerson { throw failure }
        queue.async { [weak self] in self?.upkeep(repeating: true) }
    }

    func add(_ event: StoredEvent) {
        let (wake, dropped) = inbox.withLock { $0.add(event) }
        if dropped { metrics.add(EventStoreLimits.queued.metric, 1) }
        if wake { queue.asyncAfter(deadline: .now() + .milliseconds(EventStoreLimits.gather.value)) { self.run() } }
    }

    func health() -> EventStoreHealth { inbox.withLock { $0.health } }

    func flush(within limit: Duration) async -> Bool {
        let target = inbox.withLock { $0.accepted }
        return await wait(within: limit) { self.inbox.withLock { $0.settled >= target } }
    }

    func close(within limit: Duration) async -> EventStoreHealth {
        inbox.withLock { $0.close() }
        queue.async { self.run() }
        let isClosed = await wait(within: limit) { self.inbox.withLock { $0.phase == .closed } }
        if !isClosed { abandon() }
        return health()
    }

    /// Ends a store that nobody waits for: what cannot be stored at the first attempt is dropped.
    func finish() {
        inbox.withLock { $0.close() }
        queue.async {
            self.run()
            self.queue.asyncAfter(deadline: .now() + .milliseconds(self.options.busy)) { self.abandon() }
        }
    }

    private func abandon() {
        let count = inbox.withLock { $0.abandon() }
        if count > 0 { metrics.add(EventStoreLimits.queued.metric, count) }
        queue.async { self.run() }
    }

    /// Looks again and again, because a store is waited for only when a program ends, and records shall not pay for it.
    private func wait(within limit: Duration, until isDone: @Sendable () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while !isDone() {
            guard ContinuousClock.now < deadline else { return false }
            // Not `Task.sleep`: it does not wait in a cancelled task, and that is where programs close their store.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(5)) { continuation.resume() }
            }
        }
        return true
    }

    // MARK: On the queue

    /// Stores one batch, then puts itself in line again, so that upkeep has its turn.
    private func run() {
        let pause: Int? = work.withLock { work in
            if inbox.withLock({ $0.phase == .closed }) { work.batch = [] }
            if work.batch.isEmpty {
                switch inbox.withLock({ $0.take() }) {
                case .records(let records):
                    work.batch = records[...]
                case .rest:
                    return nil
                case .finished:
                    work.file?.close()
                    work.file = nil
                    _ = inbox.withLock { $0.abandon() }
                    return nil
                }
            }
            let batch = work.batch.prefix(EventStoreLimits.batch.value)
            do {
                try use(&work) { file in
                    try file.database.write { db in
                        for event in batch { try event.insert(into: db) }
                    }
                }
            } catch {
                let pause = max(work.pause, 1)
                _ = fail(&work, error)
                return pause
            }
            work.pause = options.retryFirst
            work.batch = work.batch.dropFirst(batch.count)
            work.storedSinceUpkeep += batch.count
            inbox.withLock { $0.stored(batch.count) }
            metrics.add("events_written_total", batch.count)
            metrics.add(EventStoreLimits.batch.metric, 1)
            if work.storedSinceUpkeep >= EventStoreLimits.upkeepRecords.value {
                work.storedSinceUpkeep = 0
                queue.async { self.upkeep(repeating: false) }
            }
            return 0
        }
        guard let pause else { return }
        if pause == 0 {
            queue.async { self.run() }
        } else {
            queue.asyncAfter(deadline: .now() + .milliseconds(pause)) { self.run() }
        }
    }

    /// Removes what is too old or too much, one bounded step at a time.
    private func upkeep(repeating: Bool) {
        guard inbox.withLock({ $0.phase == .open }) else { return }
        let isDone: Bool = work.withLock { work in
            do {
                var done = (removed: 0, isDone: true)
                let retention = Retention(
                    keepDays: privacy.withLock { $0.keepDays }, keepBytes: options.keepBytes)
                try use(&work) { file in done = try retention.step(file.database, now: EventTime.now) }
                metrics.add(EventStoreLimits.upkeepStep.metric, 1)
                if done.removed > 0 { metrics.add(EventStoreLimits.keepDays.metric, done.removed) }
                return done.isDone
            } catch {
                _ = fail(&work, error)
                return true
            }
        }
        if !isDone {
            queue.async { [weak self] in self?.upkeep(repeating: repeating) }
        } else if repeating {
            queue.asyncAfter(deadline: .now() + .seconds(EventStoreLimits.upkeepEvery.value)) { [weak self] in
                self?.upkeep(repeating: true)
            }
        }
    }

    /// Does something with the file, opening it first if it is not open or is no longer the one at its path.
    private func use(_ work: inout Work, _ body: (EventFile) throws -> Void) throws {
        if let file = work.file, !file.isInPlace {
            file.close()
            work.file = nil
        }
        let file = try work.file ?? EventFile.openForWriting(in: directory, busy: options.busy)
        work.file = file
        try body(file)
    }

    private func fail(_ work: inout Work, _ error: any Error) -> EventStoreError {
        work.file?.close()
        work.file = nil
        work.pause = min(work.pause * 2, options.retryLast)
        let failure = EventStoreError(error, at: EventFile.path(in: directory))
        inbox.withLock { $0.failed(failure) }
        metrics.add(EventStoreLimits.retryFirst.metric, 1)
        return failure
    }
}
