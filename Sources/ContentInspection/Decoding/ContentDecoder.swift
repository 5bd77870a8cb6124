// SPDX-License-Identifier: Apache-2.0

// Takes a content coding off a stream, in bounded steps.

import CZlib
import FlowModel

/// Decodes gzip (RFC 1952, several members included) and deflate (RFC 1950; raw RFC 1951 is tolerated, as browsers do).
///
/// | state | input | becomes |
/// |---|---|---|
/// | empty | any byte | within |
/// | within | data | within, or at its end |
/// | at an end | a further gzip member | within |
/// | at an end | anything else | error `trailingBytes` |
public struct ContentDecoder: ~Copyable {
    /// How far one call came.
    public struct Progress: Equatable, Sendable {
        /// Input bytes that are done with; offer the others again.
        public var consumed: Int
        /// Whether a limit of output stopped the call: call again, with an empty input if all is consumed.
        public var hasMore: Bool
    }

    private enum State { case empty, within, atEnd }

    private let coding: ContentCoding
    private var state = State.empty
    private var stream: ZlibStream?
    private var consumed: UInt64 = 0
    private var produced: UInt64 = 0
    /// Where the current gzip member begins.
    private var memberStart: UInt64 = 0

    public init(_ coding: ContentCoding) {
        self.coding = coding
    }

    /// Whether the data is complete, as far as it has come.
    public var isAtEnd: Bool { state == .atEnd }

    /// Decodes from `input`, appending at most `content.decoded-step` bytes to `output`.
    ///
    /// After an error the decoder is of no further use.
    public mutating func decode(
        _ input: Span<UInt8>, into output: inout [UInt8]
    ) throws(ContentCodingError) -> Progress {
        var offset = 0
        let limit = output.count + ContentLimits.decodedStep.value
        while true {
            if state != .within {
                guard offset < input.count else { return Progress(consumed: offset, hasMore: false) }
                try begin(with: input[offset])
            }
            guard output.count < limit else { return Progress(consumed: offset, hasMore: true) }
            let rest = input.extracting(offset..<input.count)
            offset += try inflate(rest, into: &output, room: limit - output.count)
            if state == .within, output.count < limit { return Progress(consumed: offset, hasMore: false) }
        }
    }

    /// Says that no more input comes.
    ///
    /// Throws when data is incomplete; an empty body is complete.
    public borrowing func finish() throws(ContentCodingError) {
        if state == .within { throw .truncated(offset: consumed) }
    }

    private mutating func begin(with byte: UInt8) throws(ContentCodingError) {
        memberStart = consumed
        if state == .atEnd {
            guard coding == .gzip, byte == 0x1f else { throw .trailingBytes(offset: consumed) }
            stream?.restartInflating()
        } else {
            // A zlib header's first byte says method 8. A raw stream would begin so only with a stored block whose
            // padding is not zero, which no encoder writes.
            let bits = coding == .gzip ? 15 + 16 : byte & 0x0f == 8 ? 15 : -15
            stream = ZlibStream(inflating: Int32(bits))
            if stream == nil { throw .outOfMemory }
        }
        state = .within
    }

    private mutating func inflate(
        _ input: Span<UInt8>, into output: inout [UInt8], room: Int
    ) throws(ContentCodingError) -> Int {
        let before = output.count
        let step = stream?.inflate(input, into: &output, room: room) ?? (consumed: 0, status: Z_MEM_ERROR)
        consumed += UInt64(step.consumed)
        produced += UInt64(output.count - before)
        switch step.status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: state = .atEnd
        case Z_MEM_ERROR: throw .outOfMemory
        default:
            // What fails in its first two bytes is no further member.
            let isMember = memberStart == 0 || consumed - memberStart > 2
            throw isMember ? .malformed(offset: consumed) : .trailingBytes(offset: memberStart)
        }
        // Divided, for a product could overflow.
        if produced > UInt64(ContentLimits.expansionFree.value),
            produced / UInt64(ContentLimits.expansionRatio.value) > consumed
        {
            throw .expansion(offset: consumed)
        }
        return step.consumed
    }
}
