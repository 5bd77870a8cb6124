// SPDX-License-Identifier: Apache-2.0

// What is removed again: events that are too old, or the oldest of too many.

internal import FlowModel
internal import GRDB

/// Keeps the store within its age and size.
///
/// The store is a log, and its oldest events go first, whatever their kind; with a flow goes all that belongs to it.
struct Retention {
    let keepMilliseconds: Int64
    let keepBytes: Int64

    init(keepDays: Int, keepBytes: Int) {
        keepMilliseconds = Int64(min(max(keepDays, 0), 36_500)) * 86_400_000
        self.keepBytes = Int64(max(keepBytes, 0))
    }

    /// Does one bounded step of the work there is.
    ///
    /// `now` is in milliseconds since 1970-01-01 UTC. The order is age, size, then pages back to the file system.
    func step(_ database: DatabaseQueue, now: Int64) throws -> (removed: Int, isDone: Bool) {
        let oldest = now - keepMilliseconds
        let expired = try database.write { db in try Self.removeOldest(db, before: oldest) }
        if expired > 0 { return (expired, false) }

        let pages = try database.read { db in try Pages(db) }
        if (pages.count - pages.free) * pages.size > keepBytes {
            let removed = try database.write { db in try Self.removeOldest(db, before: .max) }
            if removed > 0 { return (removed, false) }
        }
        // Some free pages are left for the next events.
        guard pages.free > Pages.slack else { return (0, true) }
        let left = try database.writeWithoutTransaction { db in
            let step = min(pages.free - Pages.slack, Int64(EventStoreLimits.upkeepStep.value))
            try db.execute(sql: "PRAGMA incremental_vacuum(\(step))")
            // The file itself shrinks at a checkpoint; one that another process prevents is made up for by a later one.
            _ = try? db.checkpoint(.passive)
            return try Pages(db).free
        }
        // A file that was not made by us may be unable to shrink.
        return (0, left >= pages.free)
    }

    /// Removes up to a step of the events before a moment, oldest first, and what belongs to removed flows.
    private static func removeOldest(_ db: Database, before moment: Int64) throws -> Int {
        let positions = try EventPosition.fetch(db, limit: EventStoreLimits.upkeepStep.value) { _ in
            ["e.at < \(moment)"]
        }
        for position in positions {
            if position.kind == .flow {
                for child in [EventKind.message, .finding] {
                    let children =
                        "DELETE FROM \(child.table) WHERE flow = (SELECT flow FROM flows WHERE seq = ?)"
                    try db.cachedStatement(sql: children).execute(arguments: [position.seq])
                }
            }
            try db.cachedStatement(sql: "DELETE FROM \(position.kind.table) WHERE seq = ?")
                .execute(arguments: [position.seq])
        }
        return positions.count
    }

    /// The pages of the database file.
    private struct Pages {
        static let slack: Int64 = 256

        let count: Int64
        let free: Int64
        let size: Int64

        init(_ db: Database) throws {
            count = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
        }
    }
}
