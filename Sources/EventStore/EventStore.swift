// SPDX-License-Identifier: Apache-2.0

// The writing face of the event store: records go in, and no flow ever waits for a disk.

public import FlowModel
internal import Synchronization

/// Keeps what happened, in `events.sqlite` of a state directory.
///
/// Recording costs a flow one short lock, whatever the disk does: a full, read-only or locked store is tried again with
/// growing pauses, and records beyond a bound are dropped and counted, the newest first. What is queued when the
/// process dies is lost: on a sound disk the last `EventStoreLimits.gather`. Several processes may share a directory.
public final class EventStore: FlowSink {
    private let writer: EventWriter

    private init(_ writer: EventWriter) { self.writer = writer }

    /// Obeys another policy from now on: what is recorded next is kept under its rule, and for its days.
    public func obey(_ privacy: EventPrivacy) { writer.privacy.withLock { $0 = privacy } }

    /// Opens the store in `directory`, which is made with mode 0700 if it is not there; its parent must be.
    ///
    /// Waits for the disk, so call it before flows arrive. Throws only what a person must mend: a newer or damaged
    /// file. A directory that cannot be written now is no error: `health()` says so, and the store works once it can.
    public static func open(
        at directory: String, options: EventStoreOptions = EventStoreOptions(), metrics: any MetricSink = NoSink()
    ) throws(EventStoreError) -> EventStore {
        let writer = EventWriter(directory: directory, options: options, metrics: metrics)
        try writer.start()
        return EventStore(writer)
    }

    deinit { writer.finish() }

    public func record(flow: FlowRecord) { writer.add(.flow(privacy.kept(flow))) }
    public func record(message: MessageRecord) { writer.add(.message(privacy.kept(message))) }
    public func record(finding: FindingRecord) { writer.add(.finding(privacy.kept(finding))) }
    public func record(notice: NoticeRecord) { writer.add(.notice(privacy.kept(notice))) }

    private var privacy: EventPrivacy { writer.privacy.withLock { $0 } }

    /// Waits until all that was recorded before the call is stored; false when that takes longer than `limit`.
    @discardableResult
    public func flush(within limit: Duration) async -> Bool { await writer.flush(within: limit) }

    /// Stores what is queued, drops and counts what cannot be stored in time, and closes the file.
    ///
    /// Records made afterwards are dropped and counted. Also works in a cancelled task, where programs end.
    @discardableResult
    public func close(within limit: Duration) async -> EventStoreHealth { await writer.close(within: limit) }

    /// How the store is doing, from memory.
    public func health() -> EventStoreHealth { writer.health() }
}

/// How the store is doing since it was opened.
public struct EventStoreHealth: Sendable, Equatable {
    /// Records stored.
    public var written: UInt64 = 0
    /// Records given up: the queue was full, or the store was closed.
    public var dropped: UInt64 = 0
    /// Attempts to use the file that failed; their records are tried again.
    public var failed: UInt64 = 0
    /// Records that wait to be stored.
    public var queued = 0
    /// Whether the last attempt failed; true until a record is stored again.
    public var isFailing = false
    /// What the last failed attempt said; it stays when the store has recovered.
    public var lastError: EventStoreError?
}
