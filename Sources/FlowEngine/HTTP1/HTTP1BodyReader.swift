// SPDX-License-Identifier: Apache-2.0

// Walks the body of a message: tells content from framing, and loses no byte of either.

import FlowModel
import NIOCore

/// Reads one body.
///
/// `next` takes bytes from the front of the buffer, and every byte it takes comes out once and in order; concatenated,
/// the pieces are the body. Content comes out as soon as it is there; a line of framing only when all of it is there
/// and good. After `needMore` the next call must bring the bytes left in the buffer with more behind them.
///
/// | state | takes | then |
/// |---|---|---|
/// | length | content | ended at the last byte |
/// | untilClose | content | ended by `endOfInput` |
/// | chunkSize | a chunk-size line | chunkContent, or trailers after size 0 |
/// | chunkContent | content | chunkEnd at the last byte |
/// | chunkEnd | CR LF | chunkSize |
/// | trailers | the whole section | ended |
/// | ended | nothing | ended |
/// | refused | nothing | refused |
struct HTTP1BodyReader: ~Copyable {
    enum Output: Sendable {
        case needMore
        /// A chunk-size line, the CR LF behind a chunk, or an empty trailer section.
        case framing(ByteBuffer)
        case content(ByteBuffer)
        /// A trailer section that has fields.
        case trailers(HTTP1Trailers)
        case end
        case refused(HTTP1Refusal)
    }

    /// What the end of the connection means.
    enum Ending: Sendable {
        case end
        /// The body is not whole; bytes left in the caller's buffer are part of it.
        case truncated
    }

    private enum State {
        case length(UInt64)
        case untilClose
        case chunkSize(HTTP1LineCutter)
        case chunkContent(UInt64)
        case chunkEnd
        case trailers(HTTP1LineCutter, [HTTP1Field])
        case ended
        case refused(HTTP1Refusal)
    }

    private let side: HTTP1Side
    private var state: State
    /// Bytes taken so far.
    private(set) var consumed: UInt64 = 0
    private var extensionBytes = 0

    init(_ framing: HTTP1Framing, of side: HTTP1Side) {
        self.side = side
        switch framing {
        case .none, .length(0): state = .ended
        case .length(let count): state = .length(count)
        case .chunked: state = .chunkSize(HTTP1LineCutter())
        case .untilClose: state = .untilClose
        }
    }

    /// Bytes still to come, when the length of the body is known.
    var remaining: UInt64? {
        switch state {
        case .length(let left): return left
        case .ended: return 0
        case .untilClose, .chunkSize, .chunkContent, .chunkEnd, .trailers, .refused: return nil
        }
    }

    /// Takes the next piece from the front of `buffer`.
    mutating func next(_ buffer: inout ByteBuffer) -> Output {
        do throws(HTTP1Refusal) {
            switch state {
            case .length(let left):
                let content = HTTP1BodyReader.take(left, from: &buffer, counting: &consumed)
                let rest = left - UInt64(content.readableBytes)
                state = rest == 0 ? .ended : .length(rest)
                return content.readableBytes == 0 ? .needMore : .content(content)

            case .untilClose:
                let content = HTTP1BodyReader.take(.max, from: &buffer, counting: &consumed)
                return content.readableBytes == 0 ? .needMore : .content(content)

            case .chunkSize(var cutter):
                guard let chunk = try HTTP1BodyReader.readChunkLine(buffer.readableBytesUInt8Span, side, &cutter) else {
                    state = .chunkSize(cutter)
                    return .needMore
                }
                extensionBytes += chunk.extensionBytes
                guard extensionBytes <= HTTP1Limits.chunkExtensions.value else {
                    throw HTTP1Refusal(.chunkExtensionsTooLarge, side)
                }
                state = chunk.size == 0 ? .trailers(HTTP1LineCutter(), []) : .chunkContent(chunk.size)
                return .framing(
                    HTTP1BodyReader.take(UInt64(cutter.position), from: &buffer, counting: &consumed))

            case .chunkContent(let left):
                let content = HTTP1BodyReader.take(left, from: &buffer, counting: &consumed)
                let rest = left - UInt64(content.readableBytes)
                state = rest == 0 ? .chunkEnd : .chunkContent(rest)
                return content.readableBytes == 0 ? .needMore : .content(content)

            case .chunkEnd:
                // The first byte is judged before the second is there: a sender that is out of step may send no more.
                guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return .needMore }
                guard first == HTTP1Byte.cr else { throw HTTP1Refusal(.badChunkEnd, side) }
                guard let second = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self) else {
                    return .needMore
                }
                guard second == HTTP1Byte.lf else { throw HTTP1Refusal(.badChunkEnd, side) }
                state = .chunkSize(HTTP1LineCutter())
                return .framing(HTTP1BodyReader.take(2, from: &buffer, counting: &consumed))

            case .trailers(var cutter, var fields):
                guard try HTTP1BodyReader.readTrailers(buffer.readableBytesUInt8Span, side, &cutter, &fields) else {
                    state = .trailers(cutter, fields)
                    return .needMore
                }
                state = .ended
                let raw = HTTP1BodyReader.take(UInt64(cutter.position), from: &buffer, counting: &consumed)
                return fields.isEmpty ? .framing(raw) : .trailers(HTTP1Trailers(raw: raw, fields: fields))

            case .ended:
                return .end

            case .refused(let refusal):
                return .refused(refusal)
            }
        } catch {
            // Places in lines count from the front of the buffer.
            let refusal = error.moved(by: consumed)
            state = .refused(refusal)
            return .refused(refusal)
        }
    }

    /// Tells the reader that no more bytes will come.
    mutating func endOfInput() -> Ending {
        switch state {
        case .untilClose, .ended:
            state = .ended
            return .end
        case .length, .chunkSize, .chunkContent, .chunkEnd, .trailers, .refused:
            return .truncated
        }
    }

    /// Reads a chunk-size line; nil when it is not there yet.
    private static func readChunkLine(
        _ bytes: Span<UInt8>, _ side: HTTP1Side, _ cutter: inout HTTP1LineCutter
    ) throws(HTTP1Refusal) -> HTTP1ChunkLine? {
        let line = try cutter.next(
            in: bytes, side: side, lineLimit: HTTP1Limits.chunkLine.value, sectionLimit: .max,
            tooLong: .chunkLineTooLong, tooLarge: .chunkLineTooLong)
        guard let line else { return nil }
        return try HTTP1ChunkLine(line, of: bytes, side)
    }

    /// Reads trailer fields up to the empty line; false when it is not there yet.
    private static func readTrailers(
        _ bytes: Span<UInt8>, _ side: HTTP1Side, _ cutter: inout HTTP1LineCutter, _ fields: inout [HTTP1Field]
    ) throws(HTTP1Refusal) -> Bool {
        while let line = try cutter.next(
            in: bytes, side: side, lineLimit: HTTP1Limits.line.value, sectionLimit: HTTP1Limits.head.value,
            tooLong: .lineTooLong, tooLarge: .headTooLarge)
        {
            if line.isEmpty { return true }
            guard fields.count < HTTP1Limits.fields.value else {
                throw HTTP1Refusal(.tooManyFields, side, at: line.lowerBound)
            }
            let field = try HTTP1Grammar.field(line, of: bytes, side)
            // Readers that merge trailers into the head would frame or route the message anew (RFC 9110 section 6.5.1).
            for name in ["content-length", "transfer-encoding", "host"] where bytes.equals(name, in: field.nameRange) {
                throw HTTP1Refusal(.forbiddenTrailer, side, at: line.lowerBound)
            }
            fields.append(field)
        }
        return false
    }

    /// Takes at most `count` bytes.
    private static func take(
        _ count: UInt64, from buffer: inout ByteBuffer, counting consumed: inout UInt64
    ) -> ByteBuffer {
        let piece = buffer.readSlice(length: Int(min(count, UInt64(buffer.readableBytes)))) ?? ByteBuffer()
        consumed &+= UInt64(piece.readableBytes)
        return piece
    }
}
