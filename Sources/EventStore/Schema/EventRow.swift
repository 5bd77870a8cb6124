// SPDX-License-Identifier: Apache-2.0

// Between rows and Swift values, without trusting the file.

internal import FlowModel
internal import Foundation
internal import GRDB

extension EventKind {
    var table: String {
        switch self {
        case .notice: return "notices"
        case .message: return "messages"
        case .finding: return "findings"
        case .flow: return "flows"
        }
    }
}

/// A record that has a table.
protocol StoredRow {
    /// The columns besides `seq`, in the order of `values`.
    static var columns: [String] { get }
    static var access: RowAccess { get }
    var values: [(any DatabaseValueConvertible)?] { get }
    init(_ row: EventRow) throws(EventStoreError)
}

/// The statements of a table, and where each column stands in them.
struct RowAccess: Sendable {
    let insertion: String
    let selection: String
    /// GRDB's own look-up by name costs more than the rest of reading a row.
    let places: [String: Int]

    init(_ kind: EventKind, _ columns: [String]) {
        let names = columns.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        insertion = "INSERT INTO \(kind.table) (\(names)) VALUES (\(marks))"
        selection = "SELECT \(names) FROM \(kind.table) WHERE seq = ?"
        places = Dictionary(zip(columns, 0...)) { first, _ in first }
    }
}

extension StoredRow {
    func insert(into db: Database) throws {
        try db.cachedStatement(sql: Self.access.insertion).execute(arguments: StatementArguments(values))
    }

    /// Reads a record; nil when it is gone.
    fileprivate static func fetch(_ db: Database, _ kind: EventKind, _ seq: Int64) throws -> Self? {
        guard let row = try Row.fetchOne(db.cachedStatement(sql: access.selection), arguments: [seq]) else {
            return nil
        }
        return try Self(EventRow(kind: kind, seq: seq, row: row, places: access.places))
    }
}

extension StoredEvent {
    func insert(into db: Database) throws {
        switch self {
        case .notice(let record): try record.insert(into: db)
        case .message(let record): try record.insert(into: db)
        case .finding(let record): try record.insert(into: db)
        case .flow(let record): try record.insert(into: db)
        }
    }

    /// Reads one event; nil when it is gone.
    static func fetch(_ db: Database, _ kind: EventKind, _ seq: Int64) throws -> StoredEvent? {
        switch kind {
        case .notice: return try NoticeRecord.fetch(db, kind, seq).map { .notice($0) }
        case .message: return try MessageRecord.fetch(db, kind, seq).map { .message($0) }
        case .finding: return try FindingRecord.fetch(db, kind, seq).map { .finding($0) }
        case .flow: return try FlowRecord.fetch(db, kind, seq).map { .flow($0) }
        }
    }
}

/// Reads the columns of a row, and says which one it does not understand.
///
/// GRDB's own subscripts trap on a value of another type, and anybody may have edited the file.
struct EventRow {
    let kind: EventKind
    let seq: Int64
    let row: Row
    let places: [String: Int]

    func optional<Value: DatabaseValueConvertible>(_ column: String) throws(EventStoreError) -> Value? {
        guard let place = places[column], place < row.count else { throw unreadable(column) }
        let stored: DatabaseValue = row[place]
        if stored.isNull { return nil }
        guard let value = Value.fromDatabaseValue(stored) else { throw unreadable(column) }
        return value
    }

    func value<Value: DatabaseValueConvertible>(_ column: String) throws(EventStoreError) -> Value {
        guard let value: Value = try optional(column) else { throw unreadable(column) }
        return value
    }

    /// Reads text that `parse` understands.
    func parsed<Value>(_ column: String, _ parse: (String) -> Value?) throws(EventStoreError) -> Value {
        guard let value = parse(try value(column)) else { throw unreadable(column) }
        return value
    }

    /// Reads text that `parse` understands, or nothing.
    func optionallyParsed<Value>(_ column: String, _ parse: (String) -> Value?) throws(EventStoreError) -> Value? {
        guard let text: String = try optional(column) else { return nil }
        guard let value = parse(text) else { throw unreadable(column) }
        return value
    }

    func flowID() throws(EventStoreError) -> FlowID { FlowID(UInt64(bitPattern: try value("flow"))) }

    func verdict() throws(EventStoreError) -> Verdict {
        Verdict(
            try parsed("lane", Lane.init(rawValue:)), profile: try optional("profile"), rule: try optional("rule"),
            reason: Reason(try value("reason_code"), try value("reason_detail")))
    }

    func reasons(_ column: String) throws(EventStoreError) -> [Reason] {
        try parsed(column) { text in
            if text == "[]" { return [] }
            let stored = try? JSONDecoder().decode([StoredReason].self, from: Data(text.utf8))
            return stored?.map { Reason($0.code, $0.detail) }
        }
    }

    func facts(_ column: String) throws(EventStoreError) -> [NoticeRecord.Fact] {
        try parsed(column) { text in
            let stored = try? JSONDecoder().decode([StoredFact].self, from: Data(text.utf8))
            return stored?.map {
                NoticeRecord.Fact($0.code, $0.count, executable: $0.executable, provedName: $0.proved)
            }
        }
    }

    func strings(_ column: String) throws(EventStoreError) -> [String] {
        try parsed(column) { text in try? JSONDecoder().decode([String].self, from: Data(text.utf8)) }
    }

    private func unreadable(_ column: String) -> EventStoreError {
        EventStoreError(
            .unreadable, "\(kind.table), row \(seq): “\(column)” holds what this weir does not know: delete the row")
    }

    private struct StoredReason: Decodable {
        var code: String
        var detail: String
    }

    private struct StoredFact: Decodable {
        var code: String
        var count: Int
        var executable: String?
        var proved: String?
    }
}

/// Text as it is stored: of bounded length, however long it came.
func clipped(_ text: String) -> String {
    let limit = EventStoreLimits.text.value
    if text.utf8.count <= limit { return text }
    // A character cut in two becomes a replacement character.
    return String(decoding: text.utf8.prefix(limit), as: UTF8.self)
}
