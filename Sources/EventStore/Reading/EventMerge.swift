// SPDX-License-Identifier: Apache-2.0

// The tables read as one, in the order of time.

internal import FlowModel
internal import GRDB

/// A reader's place in the rows that were stored between two moments.
///
/// Each table is gone through once, however few of its rows match: a single statement over all of them would look for the
/// next row of the rarest kind again with each page.
struct EventMerge: Sendable {
    /// A stretch of one table's matching positions.
    private struct Run: Sendable {
        var positions: ArraySlice<EventPosition> = []
        var last: EventPosition?
        var isLast = false
    }

    private var after = EventExtent()
    private var through: EventExtent
    /// Where the newest of a limited number begin.
    private var first: EventPosition?
    private var runs: [EventKind: Run] = [:]

    /// All that is stored now, or as much of its end as the query's limit allows.
    init(_ db: Database, _ query: EventQuery) throws {
        through = try EventExtent(db)
        for kind in query.kinds { runs[kind] = Run() }
        guard let limit = query.limit else { return }
        if limit <= 0 {
            runs = [:]
            return
        }
        let all = self
        first = try EventPosition.fetch(
            db, kinds: query.kinds, reversed: true, limit: 1, offset: limit - 1,
            where: { all.conditions(query, $0) }
        ).first
    }

    /// Whether everything has been told.
    var isDone: Bool { runs.values.allSatisfy { $0.positions.isEmpty && $0.isLast } }

    /// What has been stored since this was made.
    func next(_ db: Database, _ query: EventQuery) throws -> EventMerge {
        var next = self
        next.after = through
        next.through = try EventExtent(db)
        next.first = nil
        next.runs = [:]
        if next.through != through {
            for kind in query.kinds { next.runs[kind] = Run() }
        }
        return next
    }

    /// The next events; none when everything has been told, or was removed just now.
    mutating func page(_ db: Database, _ query: EventQuery) throws -> [StoredEvent] {
        let size = EventStoreLimits.page.value
        for (kind, run) in runs where run.positions.isEmpty && !run.isLast {
            let positions = try EventPosition.fetch(db, kinds: [kind], limit: size) { kind in
                conditions(query, kind) + (run.last.map { [$0.isBefore] } ?? [])
            }
            runs[kind] = Run(
                positions: positions[...], last: positions.last ?? run.last, isLast: positions.count < size)
        }
        var page: [StoredEvent] = []
        // Where a run ends in the middle, its next row may come before those of the others.
        while page.count < size, !runs.values.contains(where: { $0.positions.isEmpty && !$0.isLast }),
            let next = runs.values.compactMap(\.positions.first).min()
        {
            runs[next.kind]?.positions.removeFirst()
            if let event = try StoredEvent.fetch(db, next.kind, next.seq) { page.append(event) }
        }
        return page
    }

    private func conditions(_ query: EventQuery, _ kind: EventKind) -> [SQL] {
        var all = query.conditions(on: kind)
        all.append("e.seq <= \(through.last(kind))")
        // What is new lies at the end of the table: found by `seq`, not by going through the index on time.
        if after.last(kind) > 0 { all.append("e.seq > \(after.last(kind))") }
        if let first { all.append(first.isReached(by: kind)) }
        return all
    }
}
