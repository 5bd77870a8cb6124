// SPDX-License-Identifier: Apache-2.0

// What admission did, counted and recorded without ever keeping the provider's queue.

internal import FlowModel
internal import NIOCore
internal import Synchronization

/// Counts each answer, and hands the records of flows that end with it to the sink, later and from a loop.
///
/// One thread writes, the provider's queue, and another drains. Records lie in two halves, each under a lock that
/// nobody waits for: the drain has at most one of them at a time, so the writer always finds the other.
final class AdmissionLog: Sendable {
    /// What is counted.
    enum Event: Int, CaseIterable {
        case declined, refused, carried, held
        /// A flow of the provider itself, or of a kind that it cannot carry.
        case own, unknownKind
        /// No room: for any flow, for one more of this process, for holding one.
        case full, processFull, heldFull
        /// How a flow was held: until its maker was known, or too long.
        case heldKnown, heldOverdue
        case recordLost

        var metric: StaticString {
            switch self {
            case .declined: "apple_declined_total"
            case .refused: "apple_refused_total"
            case .carried: "apple_carried_total"
            case .held: "apple_held_total"
            case .own: "apple_own_flows_total"
            case .unknownKind: "apple_unknown_flows_total"
            case .full: AppleIntakeLimits.flowsAtOnce.metric
            case .processFull: AppleIntakeLimits.flowsOfProcess.metric
            case .heldFull: AppleIntakeLimits.heldFlows.metric
            case .heldKnown: "apple_held_known_total"
            case .heldOverdue: AppleIntakeLimits.heldWait.metric
            case .recordLost: AppleIntakeLimits.recordsWaiting.metric
            }
        }
    }

    private final class Count: Sendable {
        /// All, and those that the metrics have been told.
        let all = Atomic<Int>(0)
        let told = Atomic<Int>(0)
    }

    private let counts = Event.allCases.map { _ in Count() }
    private let one = Mutex<[FlowRecord]>([])
    private let other = Mutex<[FlowRecord]>([])
    private let isDraining = Atomic<Bool>(false)
    private let sink: any FlowSink
    private let metrics: any MetricSink
    private let loop: any EventLoop

    init(sink: any FlowSink, metrics: any MetricSink, on loop: any EventLoop) {
        self.sink = sink
        self.metrics = metrics
        self.loop = loop
    }

    func count(of event: Event) -> Int { counts[event.rawValue].all.load(ordering: .relaxed) }

    /// Counts, and has it written soon.
    func count(_ event: Event) {
        counts[event.rawValue].all.add(1, ordering: .relaxed)
        guard !isDraining.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.scheduleTask(in: .milliseconds(Int64(AppleIntakeLimits.recordsWait.value))) { self.drain() }
    }

    /// Counts a flow that ends with this answer, and keeps its record.
    func count(_ event: Event, _ facts: FlowFacts, _ verdict: Verdict, _ outcome: FlowOutcome) {
        var record = FlowRecord(facts: facts, verdict: verdict)
        record.outcome = outcome
        if !one.append(record), !other.append(record) { count(.recordLost) }
        count(event)
    }

    /// Writes what there is; never called on the provider's queue.
    func drain() {
        // First, so that what is written meanwhile has a drain of its own.
        isDraining.store(false, ordering: .sequentiallyConsistent)
        for record in one.take() + other.take() { sink.record(flow: record) }
        for event in Event.allCases {
            let count = counts[event.rawValue]
            let all = count.all.load(ordering: .relaxed)
            let new = all - count.told.exchange(all, ordering: .relaxed)
            if new > 0 { metrics.add(event.metric, new) }
        }
    }
}

extension Mutex<[FlowRecord]> {
    /// Whether there was room, and nobody else at it.
    fileprivate borrowing func append(_ record: FlowRecord) -> Bool {
        withLockIfAvailable { records in
            guard records.count < AppleIntakeLimits.recordsWaiting.value / 2 else { return false }
            records.append(record)
            return true
        } ?? false
    }

    fileprivate borrowing func take() -> [FlowRecord] {
        withLock { records in
            defer { records = [] }
            return records
        }
    }
}
