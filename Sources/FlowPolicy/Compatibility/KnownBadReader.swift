// SPDX-License-Identifier: Apache-2.0

// Reads the table of known-bad combinations from its data file.

internal import FlowModel

/// What is wrong with a table of known-bad combinations.
public struct KnownBadProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    public let row: Int
    /// What is wrong and what to do.
    public let message: String

    public var description: String { "row \(row): \(message)" }
}

extension KnownBadTable {
    static let columns = [
        "id", "system", "versions", "builds", "hardware", "others", "kind", "cap", "reason", "remedy", "evidence",
        "source",
    ]

    /// Reads a table: comma-separated with a header (RFC 4180); several values in a field stand apart by `;`.
    public init(csv text: String) throws(KnownBadProblem) {
        let records = try Self.records(text)
        guard records.first == Self.columns else {
            throw KnownBadProblem(row: 1, message: "the columns must be \(Self.columns.joined(separator: ","))")
        }
        guard records.count - 1 <= PolicyLimits.knownBadRows.value else {
            throw KnownBadProblem(
                row: records.count, message: "more than \(PolicyLimits.knownBadRows.value) rows: take some out")
        }
        var rows: [KnownBadRow] = []
        var ids: Set<String> = []
        for (index, record) in records.enumerated().dropFirst() {
            let row = try Self.row(record, index + 1)
            guard ids.insert(row.id).inserted else {
                throw KnownBadProblem(row: index + 1, message: "`\(row.id)` stands twice: give one another id")
            }
            rows.append(row)
        }
        self.init(rows)
    }

    private static func row(_ record: [String], _ number: Int) throws(KnownBadProblem) -> KnownBadRow {
        func problem(_ message: String) -> KnownBadProblem { KnownBadProblem(row: number, message: message) }
        guard record.count == columns.count else {
            throw problem("\(record.count) fields where there are \(columns.count) columns: quote a field with a comma")
        }
        let fields = Dictionary(zip(columns, record)) { first, _ in first }
        func text(_ column: String) -> String { fields[column] ?? "" }
        func list(_ column: String) -> [String] { text(column).split(separator: ";").map { trimmed($0) } }
        func choice<Value: RawRepresentable & CaseIterable>(_ column: String, _: Value.Type)
            throws(KnownBadProblem) -> Value where Value.RawValue == String
        {
            if let value = Value(rawValue: text(column)) { return value }
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem("`\(column)` is `\(text(column))`: one of \(known)")
        }
        for column in ["id", "reason", "remedy", "source"] where text(column).isEmpty {
            throw problem("`\(column)` is empty: every row has one")
        }
        let system = try choice("system", CatalogueSystem.self)
        guard system != .both else { throw problem("`system` is `both`: make a row for each") }
        return KnownBadRow(
            id: text("id"), system: system, builds: list("builds"), hardware: list("hardware"), others: list("others"),
            kind: try choice("kind", KnownBadRow.Kind.self),
            cap: text("cap").isEmpty ? nil : try choice("cap", Policy.Mode.self), reason: text("reason"),
            remedy: text("remedy"), evidence: try choice("evidence", CatalogueEvidence.self), source: text("source"),
            versions: try range(text("versions"), problem))
    }

    /// `26.3-26.4`, `15`, or nothing.
    private static func range(
        _ text: String, _ problem: (String) -> KnownBadProblem
    ) throws(KnownBadProblem) -> KnownBadRow.VersionRange? {
        if text.isEmpty { return nil }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = ends.map { SystemBuild.numbers(of: $0) }
        let isWhole = zip(ends, numbers).allSatisfy { $0 == $1.map(String.init).joined(separator: ".") }
        guard let first = numbers.first, let last = numbers.last, numbers.count <= 2, isWhole, !first.isEmpty,
            !last.isEmpty, !last.lexicographicallyPrecedes(first)
        else { throw problem("`versions` is `\(text)`: a version such as 15.7, or two, the lower first: 26.3-26.4") }
        return KnownBadRow.VersionRange(first: first, last: last)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func records(_ text: String) throws(KnownBadProblem) -> [[String]] {
        var reader = CommaSeparatedValues(Array(text.utf8))
        var records: [[String]] = []
        do {
            while let record = try reader.next() { records.append(record) }
        } catch {
            throw KnownBadProblem(row: records.count + 1, message: "\(error.rawValue): mend the row")
        }
        return records
    }
}
