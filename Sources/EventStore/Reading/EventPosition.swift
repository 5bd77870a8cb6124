// SPDX-License-Identifier: Apache-2.0

// Where an event stands in the order of time, and how far the store reaches.

internal import GRDB

/// The place of an event among all: by time, then kind, then the order in which they were stored.
struct EventPosition: Comparable, Sendable {
    let at: Int64
    let kind: EventKind
    let seq: Int64

    /// The first `limit` positions in time order, or the last in reverse, of the rows that meet the conditions.
    ///
    /// One statement merges the tables, each read in the order of its index on `at`; only what shares a moment is
    /// sorted.
    static func fetch(
        _ db: Database, kinds: Set<EventKind> = Set(EventKind.allCases), reversed: Bool = false, limit: Int,
        offset: Int = 0, where conditions: (EventKind) -> [SQL]
    ) throws -> [EventPosition] {
        let selects = EventKind.allCases.enumerated().filter { kinds.contains($0.element) }.map { rank, kind -> SQL in
            let all = (["1"] + conditions(kind)).joined(separator: " AND ")
            return "SELECT e.at, \(sql: String(rank)) AS kind, e.seq FROM \(sql: kind.table) e WHERE \(all)"
        }
        guard !selects.isEmpty else { return [] }
        let order: SQL = reversed ? "ORDER BY 1 DESC, 2 DESC, 3 DESC" : "ORDER BY 1, 2, 3"
        let all = selects.joined(separator: " UNION ALL ")
        let statement: SQL = "\(all) \(order) LIMIT \(limit) OFFSET \(offset)"
        return try Row.fetchAll(db, SQLRequest(literal: statement, cached: true)).map { row in
            let (at, rank, seq): (DatabaseValue, DatabaseValue, DatabaseValue) = (row[0], row[1], row[2])
            guard let rank = Int.fromDatabaseValue(rank), EventKind.allCases.indices.contains(rank),
                let at = Int64.fromDatabaseValue(at), let seq = Int64.fromDatabaseValue(seq)
            else { throw EventStoreError(.unreadable, "a time in the store is not a number: it was edited by hand") }
            return EventPosition(at: at, kind: EventKind.allCases[rank], seq: seq)
        }
    }

    /// The condition that a row of the same kind stands after this position.
    var isBefore: SQL { "e.at >= \(at) AND (e.at > \(at) OR e.seq > \(seq))" }

    /// The condition that a row of `other` stands at this position or after it.
    func isReached(by other: EventKind) -> SQL {
        if other == kind { return "e.at >= \(at) AND (e.at > \(at) OR e.seq >= \(seq))" }
        return other < kind ? "e.at > \(at)" : "e.at >= \(at)"
    }

    static func < (a: EventPosition, b: EventPosition) -> Bool {
        (a.at, a.kind, a.seq) < (b.at, b.kind, b.seq)
    }
}

/// The last row of each table at one moment.
struct EventExtent: Sendable, Equatable {
    var notices: Int64 = 0
    var messages: Int64 = 0
    var findings: Int64 = 0
    var flows: Int64 = 0

    init() {}

    init(_ db: Database) throws {
        let last = { (kind: EventKind) in try Int64.fetchOne(db, sql: "SELECT max(seq) FROM \(kind.table)") ?? 0 }
        notices = try last(.notice)
        messages = try last(.message)
        findings = try last(.finding)
        flows = try last(.flow)
    }

    func last(_ kind: EventKind) -> Int64 {
        switch kind {
        case .notice: return notices
        case .message: return messages
        case .finding: return findings
        case .flow: return flows
        }
    }
}
