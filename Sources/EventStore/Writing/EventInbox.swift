// SPDX-License-Identifier: Apache-2.0

// The bounded queue between flows and the writer, and its counts.

/// Records on their way to the file.
///
/// | state \ event | `add` | `take` | `close` | `abandon` |
/// |---|---|---|---|---|
/// | open | queued, or dropped when full | all that is queued, or rest | closing | closed, rest dropped |
/// | closing | dropped | all that is queued, or finished | closing | closed, rest dropped |
/// | closed | dropped | finished | closed | closed |
struct EventInbox: ~Copyable {
    enum Phase { case open, closing, closed }
    enum Take { case records([StoredEvent]), rest, finished }

    let capacity: Int
    private(set) var phase = Phase.open
    private var pending: [StoredEvent] = []
    /// Records that the writer has taken and not stored yet; they count as queued.
    private var taken = 0
    /// Whether the writer is running or has been told to.
    private var isAwake = false
    /// Records ever let in, stored or abandoned since.
    private(set) var accepted: UInt64 = 0
    private(set) var settled: UInt64 = 0
    private var counts = EventStoreHealth()

    init(capacity: Int) { self.capacity = capacity }

    var health: EventStoreHealth {
        var health = counts
        health.queued = pending.count + taken
        return health
    }

    /// Queues a record or drops it; `wake` says that the writer must be told.
    mutating func add(_ event: StoredEvent) -> (wake: Bool, dropped: Bool) {
        guard phase == .open, pending.count + taken < capacity else {
            counts.dropped += 1
            return (false, true)
        }
        pending.append(event)
        accepted += 1
        defer { isAwake = true }
        return (!isAwake, false)
    }

    /// Hands all that is queued to the writer, which may rest when there is nothing.
    mutating func take() -> Take {
        if phase == .closed { return .finished }
        if pending.isEmpty {
            isAwake = false
            return phase == .closing ? .finished : .rest
        }
        taken += pending.count
        defer { pending = [] }
        return .records(pending)
    }

    mutating func stored(_ count: Int) {
        // After `abandon` these records are already counted as dropped.
        guard phase != .closed else { return }
        taken -= count
        settled += UInt64(count)
        counts.written += UInt64(count)
        counts.isFailing = false
    }

    mutating func failed(_ error: EventStoreError) {
        counts.failed += 1
        counts.isFailing = true
        counts.lastError = error
    }

    mutating func close() {
        if phase == .open { phase = .closing }
    }

    /// Gives up what is left, and returns how much that was.
    mutating func abandon() -> Int {
        let rest = pending.count + taken
        phase = .closed
        pending = []
        taken = 0
        settled += UInt64(rest)
        counts.dropped += UInt64(rest)
        return rest
    }
}
