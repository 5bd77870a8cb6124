// SPDX-License-Identifier: Apache-2.0

// Lays a content coding over a stream again.

import CZlib

/// Encodes gzip, or deflate in its zlib wrapping.
///
/// Every call appends what the coding has ready; only `flush` and `finish` promise that all given bytes are in the
/// output.
public struct ContentEncoder: ~Copyable {
    private var stream: ZlibStream

    /// Makes an encoder; throws when there is no memory for it.
    ///
    /// Level 6 is what servers use; 1 is fastest and 9 smallest.
    public init(_ coding: ContentCoding, level: Int = 6) throws(ContentCodingError) {
        let windowBits: Int32 = coding == .gzip ? 15 + 16 : 15
        guard let stream = ZlibStream(deflating: windowBits, level: Int32(min(max(level, 1), 9))) else {
            throw .outOfMemory
        }
        self.stream = stream
    }

    public mutating func encode(_ input: Span<UInt8>, into output: inout [UInt8]) {
        stream.deflate(input, into: &output, flush: Z_NO_FLUSH)
    }

    /// Makes all that was given readable for the receiver.
    public mutating func flush(into output: inout [UInt8]) {
        stream.deflate(Span(), into: &output, flush: Z_SYNC_FLUSH)
    }

    /// Ends the data; nothing may follow.
    public mutating func finish(into output: inout [UInt8]) {
        stream.deflate(Span(), into: &output, flush: Z_FINISH)
    }
}
