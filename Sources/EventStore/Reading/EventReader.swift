// SPDX-License-Identifier: Apache-2.0

// The reading face of the event store.

internal import FlowModel
internal import GRDB

/// Reads the events of a state directory, while others may be writing them.
public final class EventReader: Sendable {
    private let file: EventFile

    private init(_ file: EventFile) { self.file = file }

    /// Opens the store in `directory`; waits for the disk.
    public static func open(at directory: String) throws(EventStoreError) -> EventReader {
        EventReader(try EventFile.openForReading(in: directory, busy: EventStoreLimits.busy.value))
    }

    deinit { file.close() }

    /// The events that are stored now and match, in the order of time, a page in memory at a time.
    public func events(_ query: EventQuery = EventQuery()) -> StoredEvents {
        StoredEvents(reader: self, query: query, pause: nil)
    }

    /// The events that are stored now and match, then those that are stored later, without end.
    ///
    /// Later ones come as they are stored, at most `pause` late, each look's in the order of time; `limit` counts only
    /// what is stored now. Ends when its task is cancelled.
    public func follow(_ query: EventQuery = EventQuery(), every pause: Duration = .milliseconds(500)) -> StoredEvents {
        StoredEvents(reader: self, query: query, pause: pause)
    }

    func read<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws(EventStoreError) -> Value {
        do {
            return try await file.database.read(body)
        } catch {
            throw EventStoreError(error, at: file.database.path)
        }
    }
}

/// Events in the order of time.
///
/// A page is a transaction of its own. So what retention removes meanwhile is missing, and a long list
/// does not keep the writer from its checkpoints; what is stored after the start is left to `follow`.
public struct StoredEvents: AsyncSequence, Sendable {
    public typealias Element = StoredEvent
    public typealias Failure = EventStoreError

    fileprivate let reader: EventReader
    fileprivate let query: EventQuery
    fileprivate let pause: Duration?

    public func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let events: StoredEvents
        private var page: ArraySlice<StoredEvent> = []
        private var merge: EventMerge?

        fileprivate init(events: StoredEvents) { self.events = events }

        public mutating func next() async throws(EventStoreError) -> StoredEvent? {
            while page.isEmpty {
                if Task.isCancelled { return nil }
                let query = events.query
                let known = merge
                if let known, known.isDone {
                    guard let pause = events.pause, (try? await Task.sleep(for: pause)) != nil else { return nil }
                    merge = try await events.reader.read { db in try known.next(db, query) }
                } else {
                    let (merge, page) = try await events.reader.read { db in
                        var merge = try known ?? EventMerge(db, query)
                        let page = try merge.page(db, query)
                        return (merge, page)
                    }
                    self.merge = merge
                    self.page = page[...]
                }
            }
            return page.popFirst()
        }
    }
}
