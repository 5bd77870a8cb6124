// SPDX-License-Identifier: Apache-2.0

// Bytes on their way out, with the places of the content among them, so that an edit of content lands on the wire.

import ContentInspection
import NIOCore

/// Holds the raw bytes of a message from the first one that may not go out yet.
///
/// Content offsets count the message's content; framing bytes (chunk sizes, trailers) stand between stretches of
/// content and go out with what precedes them. Invariant: stretches are ascending and lie within the readable bytes.
struct WireQueue {
    private struct Stretch {
        /// The content offset of its first byte.
        var content: UInt64
        /// The wire offset of its first byte, counted from the start of the message.
        var wire: UInt64
        var length: UInt64
    }

    private var bytes = ByteBuffer()
    /// The wire offset of the first byte still held.
    private var wireStart: UInt64 = 0
    private var contentEnd: UInt64 = 0
    private var stretches: [Stretch] = []

    /// Bytes held.
    var count: Int { bytes.readableBytes }

    private var wireEnd: UInt64 { wireStart + UInt64(bytes.readableBytes) }

    mutating func appendFraming(_ buffer: ByteBuffer) { append(buffer) }

    mutating func appendContent(_ buffer: ByteBuffer) {
        let length = UInt64(buffer.readableBytes)
        if let last = stretches.indices.last, stretches[last].wire + stretches[last].length == wireEnd {
            stretches[last].length += length
        } else {
            stretches.append(Stretch(content: contentEnd, wire: wireEnd, length: length))
        }
        contentEnd += length
        append(buffer)
    }

    /// Lays `edit` over the held bytes; a part of it that has already gone is left out.
    mutating func apply(_ edit: Edit) {
        for stretch in stretches {
            let start = max(stretch.content, edit.range.lowerBound)
            let end = min(stretch.content + stretch.length, edit.range.upperBound)
            guard start < end else { continue }
            for offset in start..<end {
                let place = stretch.wire + (offset - stretch.content)
                let source = Int(offset - edit.range.lowerBound)
                guard place >= wireStart, place < wireEnd, source < edit.replacement.count else { continue }
                bytes.setInteger(edit.replacement[source], at: bytes.readerIndex + Int(place - wireStart))
            }
        }
    }

    /// Takes all that may go out when content up to `releasable` may; nil when that is nothing.
    mutating func release(upTo releasable: UInt64) -> ByteBuffer? {
        var end = wireEnd
        if releasable < contentEnd,
            let stretch = stretches.first(where: { releasable < $0.content + $0.length })
        {
            end = stretch.wire + (releasable > stretch.content ? releasable - stretch.content : 0)
        }
        guard end > wireStart else { return nil }
        let out = bytes.readSlice(length: Int(end - wireStart))
        wireStart = end
        stretches.removeAll { $0.wire + $0.length <= end }
        return out
    }

    private mutating func append(_ buffer: ByteBuffer) {
        if bytes.readableBytes == 0 {
            // Nothing is held: the arriving buffer itself becomes the queue, without a copy.
            bytes = buffer
        } else {
            bytes.writeImmutableBuffer(buffer)
        }
    }
}
