// SPDX-License-Identifier: Apache-2.0

// Field lines as views of the bytes they stand in, and looking them up.

import NIOCore

/// One field line, as places in the bytes that hold it.
struct HTTP1Field: Sendable, Hashable {
    // Heads are bounded far below 4 GiB; small places keep the table of a head in few cache lines.
    private let start: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32
    private let end: UInt32

    init(line: Range<Int>, nameEnd: Int, value: Range<Int>) {
        start = UInt32(clamping: line.lowerBound)
        self.nameEnd = UInt32(clamping: nameEnd)
        valueStart = UInt32(clamping: value.lowerBound)
        valueEnd = UInt32(clamping: value.upperBound)
        end = UInt32(clamping: line.upperBound)
    }

    var nameRange: Range<Int> { Int(start)..<Int(nameEnd) }
    /// The value without the white space around it.
    var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    /// The whole line with its CR LF.
    var lineRange: Range<Int> { Int(start)..<Int(end) }
}

/// Bytes that hold field lines: a head or a trailer section.
///
/// Names and tokens are compared without case. No look-up makes a string.
protocol HTTP1FieldLines {
    /// Exactly the bytes of the lines; places in fields count from its first byte.
    var raw: ByteBuffer { get }
    /// In the order of the message, duplicates included.
    var fields: [HTTP1Field] { get }
}

extension HTTP1FieldLines {
    /// The first field of this name.
    func first(of name: String) -> HTTP1Field? {
        let bytes = raw.readableBytesUInt8Span
        for field in fields where bytes.equals(name, in: field.nameRange) { return field }
        return nil
    }

    /// Every field of this name, in order.
    func values(of name: String) -> some Sequence<HTTP1Field> {
        fields.lazy.filter { [raw] in raw.readableBytesUInt8Span.equals(name, in: $0.nameRange) }
    }

    /// How many fields have this name.
    func count(of name: String) -> Int {
        let bytes = raw.readableBytesUInt8Span
        var count = 0
        for field in fields where bytes.equals(name, in: field.nameRange) { count += 1 }
        return count
    }

    /// Whether a member of the comma lists in the fields of this name is `token`.
    func contains(token: String, in name: String) -> Bool {
        let bytes = raw.readableBytesUInt8Span
        for field in fields where bytes.equals(name, in: field.nameRange) && lists(token, in: field) { return true }
        return false
    }

    /// Whether a member of the comma list in this field is `token`.
    func lists(_ token: String, in field: HTTP1Field) -> Bool {
        let bytes = raw.readableBytesUInt8Span
        var start = field.valueRange.lowerBound
        while start <= field.valueRange.upperBound {
            let rest = start..<field.valueRange.upperBound
            let end = bytes.first(HTTP1Byte.comma, in: rest) ?? rest.upperBound
            if bytes.equals(token, in: bytes.trimmed(start..<end)) { return true }
            start = end + 1
        }
        return false
    }

    /// Whether the value of this field is `text`, compared without case.
    func value(of field: HTTP1Field, equals text: String) -> Bool {
        raw.readableBytesUInt8Span.equals(text, in: field.valueRange)
    }

    /// The text of a range of the raw bytes; bytes that are not UTF-8 become replacement characters.
    func text(_ range: Range<Int>) -> String {
        let bytes = raw.readableBytesUInt8Span
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return "" }
        return String(decoding: bytes, in: range)
    }

    /// The value of the first field of this name as text.
    func text(of name: String) -> String? {
        first(of: name).map { text($0.valueRange) }
    }
}

/// The trailer section of a chunked message, its closing empty line included.
struct HTTP1Trailers: HTTP1FieldLines, Sendable {
    let raw: ByteBuffer
    let fields: [HTTP1Field]
}
