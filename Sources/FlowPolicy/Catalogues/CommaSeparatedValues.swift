// SPDX-License-Identifier: Apache-2.0

// A strict reader of comma-separated values (RFC 4180).

internal import FlowModel

/// Reads records one by one.
///
/// A line ends with LF or CRLF. A quote within an unquoted field, text after a closing quote, a lone CR, a control
/// character and bytes that are no UTF-8 are defects; after a defect reading goes on with the next line.
struct CommaSeparatedValues {
    enum Defect: String, Error {
        case openQuote = "a quoted field is not closed"
        case strayQuote = "a quote stands within an unquoted field"
        case textAfterQuote = "text follows a closing quote"
        case control = "a control character stands in it"
        case encoding = "it is no UTF-8"
        case longField = "a field is too long"
        case manyFields = "it has too many fields"
    }

    private let bytes: [UInt8]
    private var place = 0
    /// The number of the line that is read next, from 1.
    private(set) var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The fields of the next record; nil at the end.
    mutating func next() throws(Defect) -> [String]? {
        guard place < bytes.count else { return nil }
        do {
            return try record()
        } catch {
            skipLine()
            throw error
        }
    }

    private mutating func record() throws(Defect) -> [String] {
        var fields: [String] = []
        while true {
            let raw = here == UInt8(ascii: "\"") ? try quoted() : try plain()
            guard fields.count < PolicyLimits.catalogueColumns.value else { throw .manyFields }
            guard let field = String(validating: raw, as: UTF8.self) else { throw .encoding }
            fields.append(field)
            if here == UInt8(ascii: ",") {
                place += 1
            } else {
                try endLine()
                return fields
            }
        }
    }

    private var here: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func plain() throws(Defect) -> [UInt8] {
        var field: [UInt8] = []
        while let byte = here, byte != UInt8(ascii: ","), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            if byte == UInt8(ascii: "\"") { throw .strayQuote }
            try add(byte, to: &field)
            place += 1
        }
        return field
    }

    private mutating func quoted() throws(Defect) -> [UInt8] {
        var field: [UInt8] = []
        place += 1
        while let byte = here {
            place += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if byte == UInt8(ascii: "\"") {
                guard here == UInt8(ascii: "\"") else { return field }
                place += 1
            }
            try add(byte, to: &field)
        }
        throw .openQuote
    }

    private func add(_ byte: UInt8, to field: inout [UInt8]) throws(Defect) {
        guard byte >= 0x20 && byte != 0x7f || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
            throw .control
        }
        guard field.count < PolicyLimits.catalogueField.value else { throw .longField }
        field.append(byte)
    }

    private mutating func endLine() throws(Defect) {
        switch here {
        case nil: return
        case UInt8(ascii: "\n"): place += 1
        case UInt8(ascii: "\r"):
            place += 1
            guard here == UInt8(ascii: "\n") else { throw .control }
            place += 1
        default: throw .textAfterQuote
        }
        line += 1
    }

    private mutating func skipLine() {
        while let byte = here {
            place += 1
            if byte == UInt8(ascii: "\n") { break }
        }
        line += 1
    }
}
