// SPDX-License-Identifier: Apache-2.0

// One catalogue file: rows by column, and what is wrong with those that cannot be used.

internal import FlowModel

/// A row of a catalogue file that was dropped, and why.
public struct CatalogueProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name of the file without its ending.
    public let catalogue: String
    /// From 1, the heading included.
    public let line: Int
    /// What is wrong and what to do.
    public let message: String

    /// `core-protocols.csv:12: …`.
    public var description: String { "\(catalogue).csv:\(line): \(message)" }
}

/// Reads a catalogue file whose first line names the columns.
struct CatalogueTable {
    private(set) var rows: [CatalogueFields] = []
    private(set) var problems: [CatalogueProblem] = []
    private let catalogue: String

    init(_ catalogue: String, _ bytes: [UInt8]) {
        self.catalogue = catalogue
        guard bytes.count <= PolicyLimits.catalogueBytes.value else {
            drop(1, "the file has more than \(PolicyLimits.catalogueBytes.value) bytes; shorten it")
            return
        }
        var records = CommaSeparatedValues(bytes)
        var columns: [String: Int]?
        while true {
            let line = records.line
            do {
                guard let fields = try records.next() else { return }
                if let columns {
                    add(fields, columns, line)
                } else {
                    columns = Dictionary(zip(fields, fields.indices)) { first, _ in first }
                    guard columns?.count == fields.count else {
                        drop(line, "two columns have one name; rename one")
                        return
                    }
                }
            } catch {
                drop(line, "\(error.rawValue); mend the row")
                // Without its heading nothing can be said of the rows.
                if columns == nil { return }
            }
        }
    }

    /// Makes rows of the fields; a row that cannot be made is dropped.
    mutating func map<Row>(_ make: (CatalogueFields) throws(CatalogueProblem) -> Row) -> [Row] {
        var made: [Row] = []
        for fields in rows {
            do {
                made.append(try make(fields))
            } catch {
                problems.append(error)
            }
        }
        return made
    }

    private mutating func add(_ fields: [String], _ columns: [String: Int], _ line: Int) {
        guard fields.count == columns.count else {
            return drop(line, "it has \(fields.count) fields where the heading has \(columns.count); mend the row")
        }
        guard rows.count < PolicyLimits.catalogueRows.value else {
            return drop(line, "the file has more than \(PolicyLimits.catalogueRows.value) rows; shorten it")
        }
        rows.append(CatalogueFields(catalogue: catalogue, line: line, columns: columns, fields: fields))
    }

    private mutating func drop(_ line: Int, _ message: String) {
        problems.append(CatalogueProblem(catalogue: catalogue, line: line, message: message))
    }
}
