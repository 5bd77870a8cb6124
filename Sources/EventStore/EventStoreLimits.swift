// SPDX-License-Identifier: Apache-2.0

// Every number that bounds the event store.

public import FlowModel

/// The bounds of the event store, with their reasons.
///
/// The metric is `none` where reaching a bound is of no interest.
public enum EventStoreLimits {
    public static let queued = Limit(
        "events.queued", 8_192, .count, metric: "events_dropped_total",
        "About 4 MiB of records, a second or more of a busy machine; when full, the newest are dropped.")
    public static let batch = Limit(
        "events.batch", 512, .count, metric: "events_batches_total",
        "Records in one transaction: large enough to share the cost of a commit, a few milliseconds of lock.")
    public static let gather = Limit(
        "events.gather", 50, .milliseconds, metric: "events_batches_total",
        "How long the first record of a quiet store waits for company, so that a burst is one transaction.")
    public static let busy = Limit(
        "events.busy", 2_000, .milliseconds, metric: "events_failed_total",
        "How long to wait for another process's lock; no batch or upkeep step of ours holds it that long.")
    public static let retryFirst = Limit(
        "events.retry.first", 100, .milliseconds, metric: "events_failed_total",
        "The pause after a failed write; it doubles with each failure.")
    public static let retryLast = Limit(
        "events.retry.last", 30_000, .milliseconds, metric: "events_failed_total",
        "The longest pause between attempts: the store is back half a minute after its disk is.")
    public static let keepDays = Limit(
        "events.keep.age", 30, .days, metric: "events_expired_total",
        "A month answers most questions, and what is not kept cannot leak.")
    public static let keepDaysMost = Limit(
        "events.keep.age.most", 366, .days, metric: "none",
        "What a policy can ask for: a year covers what is looked at once a year, and more is an archive of people.")
    public static let keepBytes = Limit(
        "events.keep.size", 256 << 20, .bytes, metric: "events_expired_total",
        "About a million events; beyond it the oldest go. The journal beside the file is not counted.")
    public static let upkeepEvery = Limit(
        "events.upkeep.every", 60, .seconds, metric: "events_upkeep_total",
        "How often an idle store looks for events that are too old.")
    public static let upkeepRecords = Limit(
        "events.upkeep.records", 16_384, .count, metric: "events_upkeep_total",
        "Records after which a busy store looks at its size: it outgrows its bound by these at most.")
    public static let upkeepStep = Limit(
        "events.upkeep.step", 1_000, .count, metric: "events_upkeep_total",
        "Events removed, or pages given back, in one transaction, so that no writer waits long.")
    public static let journal = Limit(
        "events.journal", 4 << 20, .bytes, metric: "events_upkeep_total",
        "The size to which the write-ahead log is cut after a checkpoint; it is SQLite's own rhythm of 1,000 pages.")
    public static let text = Limit(
        "events.text", 4_096, .bytes, metric: "none",
        "The longest path of an executable; a longer text of any kind is cut.")
    public static let facts = Limit(
        "events.facts", 32, .count, metric: "none",
        "Facts of one notice, more than any maker of notices gives; the rest is cut.")
    public static let page = Limit(
        "events.page", 256, .count, metric: "none",
        "Events read in one transaction: a reader never keeps the writer from its checkpoint for long.")

    /// All of them, for documents and metrics.
    public static let all = [
        queued, batch, gather, busy, retryFirst, retryLast, keepDays, keepDaysMost, keepBytes, upkeepEvery,
        upkeepRecords, upkeepStep, journal, text, facts, page,
    ]
}

/// What a program may choose of the event store's bounds.
public struct EventStoreOptions: Sendable {
    /// Records waiting to be written.
    public var queued = EventStoreLimits.queued.value
    /// What may be kept of people, and for how long; `EventStore.obey` changes it later.
    public var privacy = EventPrivacy()
    /// Bytes of the database beyond which the oldest events are removed.
    public var keepBytes = EventStoreLimits.keepBytes.value
    /// Milliseconds to wait for another process's lock.
    public var busy = EventStoreLimits.busy.value
    /// Milliseconds before the first attempt after a failed one, and at most.
    public var retryFirst = EventStoreLimits.retryFirst.value
    public var retryLast = EventStoreLimits.retryLast.value

    public init() {}
}
