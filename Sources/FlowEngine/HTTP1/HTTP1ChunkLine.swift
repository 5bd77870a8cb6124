// SPDX-License-Identifier: Apache-2.0

// The line before the content of a chunk (RFC 9112 section 7.1).

/// A chunk-size line, read strictly.
///
/// The size is 1 to 16 hexadecimal digits, leading zeros allowed, below 2^63. Extensions follow the grammar to the letter:
/// readers that end them at different places are how chunked requests are smuggled.
struct HTTP1ChunkLine {
    let size: UInt64
    /// Bytes that extensions take in the line.
    let extensionBytes: Int

    /// Reads a line given without its CR LF.
    init(_ line: Range<Int>, of bytes: Span<UInt8>, _ side: HTTP1Side) throws(HTTP1Refusal) {
        try bytes.refuseControls(in: line, side)
        var place = line.lowerBound
        var size: UInt64 = 0
        while place < line.upperBound, let digit = bytes[place].hexadecimalDigit {
            guard place - line.lowerBound < 16 else { throw HTTP1Refusal(.chunkSizeOverflow, side) }
            size = size << 4 | UInt64(digit)
            place += 1
        }
        guard place > line.lowerBound else { throw HTTP1Refusal(.badChunkSize, side) }
        guard size <= UInt64(Int64.max) else { throw HTTP1Refusal(.chunkSizeOverflow, side) }
        self.size = size
        extensionBytes = line.upperBound - place

        var cursor = Cursor(place: place, end: line.upperBound)
        if !cursor.atEnd {
            cursor.skipBlanks(bytes)
            guard cursor.next(bytes) == HTTP1Byte.semicolon else { throw HTTP1Refusal(.badChunkSize, side) }
        }
        while !cursor.atEnd {
            guard cursor.readExtension(bytes) else { throw HTTP1Refusal(.badChunkExtension, side) }
        }
    }

    /// A place in the extensions of a line.
    private struct Cursor {
        var place: Int
        let end: Int

        var atEnd: Bool { place >= end }

        func next(_ bytes: Span<UInt8>) -> UInt8? { place < end ? bytes[place] : nil }

        mutating func skipBlanks(_ bytes: Span<UInt8>) {
            while let byte = next(bytes), byte.isHTTP1Blank { place += 1 }
        }

        mutating func skip(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
            guard next(bytes) == byte else { return false }
            place += 1
            return true
        }

        /// `BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ]`.
        mutating func readExtension(_ bytes: Span<UInt8>) -> Bool {
            skipBlanks(bytes)
            guard skip(HTTP1Byte.semicolon, bytes) else { return false }
            skipBlanks(bytes)
            guard readToken(bytes) else { return false }
            let afterName = place
            skipBlanks(bytes)
            guard skip(HTTP1Byte.equals, bytes) else {
                // The blanks belong to the next extension, and may not end the line.
                place = afterName
                return true
            }
            skipBlanks(bytes)
            return next(bytes) == HTTP1Byte.quote ? readQuoted(bytes) : readToken(bytes)
        }

        mutating func readToken(_ bytes: Span<UInt8>) -> Bool {
            let start = place
            while let byte = next(bytes), byte.isHTTP1Token { place += 1 }
            return place > start
        }

        /// `quoted-string` (RFC 9110 section 5.6.4); the line is known to hold no control bytes but HTAB.
        mutating func readQuoted(_ bytes: Span<UInt8>) -> Bool {
            place += 1
            while let byte = next(bytes) {
                place += 1
                if byte == HTTP1Byte.quote { return true }
                if byte == HTTP1Byte.backslash {
                    if atEnd { return false }
                    place += 1
                }
            }
            return false
        }
    }
}

extension UInt8 {
    fileprivate var hexadecimalDigit: UInt8? {
        switch self {
        case 0x30...0x39: return self - 0x30
        case 0x41...0x46, 0x61...0x66: return (self & 0x0f) + 9
        default: return nil
        }
    }
}
