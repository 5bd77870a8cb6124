// SPDX-License-Identifier: Apache-2.0

// The fields of one row of a catalogue file, read by column.

internal import FlowModel

/// The fields of one row.
///
/// A field with several values separates them with `;`, a range of ports has a hyphen.
struct CatalogueFields {
    let catalogue: String
    let line: Int
    let columns: [String: Int]
    let fields: [String]

    /// The text of a column; empty where it says nothing.
    func text(_ column: String) throws(CatalogueProblem) -> String {
        guard let place = columns[column], fields.indices.contains(place) else {
            throw problem("there is no column '\(column)'; add it")
        }
        return fields[place]
    }

    /// The text of a column that must say something.
    func needed(_ column: String) throws(CatalogueProblem) -> String {
        let text = try text(column)
        guard !text.isEmpty else { throw problem("'\(column)' is empty; fill it") }
        return text
    }

    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ column: String, _: Word.Type = Word.self
    ) throws(CatalogueProblem) -> Word {
        let text = try text(column)
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem("'\(text)' in '\(column)' is none of \(words)")
        }
        return word
    }

    func texts(_ column: String) throws(CatalogueProblem) -> [String] {
        try list(column, "text") { $0.isEmpty ? nil : String($0) }
    }

    func hosts(_ column: String) throws(CatalogueProblem) -> [HostPattern] {
        try list(column, "host, or *.host for what lies below it") { HostPattern($0) }
    }

    func prefixes(_ column: String) throws(CatalogueProblem) -> [IPPrefix] {
        try list(column, "network like 10.0.0.0/8") { IPPrefix($0) }
    }

    func transports(_ column: String) throws(CatalogueProblem) -> [Transport] {
        try list(column, "transport") { Transport(rawValue: String($0)) }
    }

    func ports(_ column: String) throws(CatalogueProblem) -> [ClosedRange<UInt16>] {
        try list(column, "port or range of ports") { text in
            let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, 1 <= first, first <= last else {
                return nil
            }
            return first...last
        }
    }

    private func list<Value>(
        _ column: String, _ kind: String, _ read: (Substring) -> Value?
    ) throws(CatalogueProblem) -> [Value] {
        let text = try text(column)
        guard !text.isEmpty else { return [] }
        var values: [Value] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            guard let value = read(part) else { throw problem("'\(part)' in '\(column)' is no \(kind)") }
            values.append(value)
        }
        return values
    }

    func problem(_ message: String) -> CatalogueProblem {
        CatalogueProblem(catalogue: catalogue, line: line, message: message)
    }
}
