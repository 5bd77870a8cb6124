// SPDX-License-Identifier: Apache-2.0

// A zlib stream with an owner.

import CZlib

/// Owns a `z_stream`.
///
/// It stays at one address, because zlib's state points back to it.
struct ZlibStream: ~Copyable {
    private static let scratch = 16_384

    private let stream: UnsafeMutablePointer<z_stream>
    private let isInflating: Bool

    /// Makes a decoder; nil when there is no memory for it.
    init?(inflating windowBits: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isInflating = true
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    /// Makes an encoder; nil when there is no memory for it.
    init?(deflating windowBits: Int32, level: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isInflating = false
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        if isInflating { inflateEnd(stream) } else { deflateEnd(stream) }
        stream.deallocate()
    }

    mutating func restartInflating() { inflateReset(stream) }

    /// Inflates until the input, the room or the data ends.
    mutating func inflate(
        _ input: Span<UInt8>, into output: inout [UInt8], room: Int
    ) -> (consumed: Int, status: Int32) {
        var room = room
        return run(input, into: &output) { stream, scratch in
            let size = min(scratch.count, room)
            guard size > 0 else { return nil }
            stream.pointee.avail_out = uInt(size)
            let status = CZlib.inflate(stream, Z_NO_FLUSH)
            let made = size - Int(stream.pointee.avail_out)
            room -= made
            return (made, status, isDone: status != Z_OK || stream.pointee.avail_out > 0)
        }
    }

    /// Deflates all of the input and, with a flush, all that is inside.
    mutating func deflate(_ input: Span<UInt8>, into output: inout [UInt8], flush: Int32) {
        var offset = 0
        repeat {
            let step = run(input.extracting(offset..<input.count), into: &output) { stream, scratch in
                stream.pointee.avail_out = uInt(scratch.count)
                let status = CZlib.deflate(stream, flush)
                let made = scratch.count - Int(stream.pointee.avail_out)
                return (made, status, isDone: status != Z_OK || stream.pointee.avail_out > 0)
            }
            offset += step.consumed
            guard step.consumed > 0 else { return }
        } while offset < input.count
    }

    private mutating func run(
        _ input: Span<UInt8>, into output: inout [UInt8],
        step: (UnsafeMutablePointer<z_stream>, UnsafeMutableBufferPointer<UInt8>) -> (Int, Int32, isDone: Bool)?
    ) -> (consumed: Int, status: Int32) {
        // zlib counts in 32 bits; what is beyond is offered again.
        let count = min(input.count, Int(Int32.max))
        var status = Z_OK
        input.withUnsafeBufferPointer { input in
            // zlib asks for a mutable pointer and does not write through it.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = uInt(count)
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.scratch) { scratch in
                var isDone = false
                while !isDone {
                    stream.pointee.next_out = scratch.baseAddress
                    guard let result = step(stream, scratch) else { break }
                    output.append(contentsOf: UnsafeBufferPointer(rebasing: scratch[..<result.0]))
                    (status, isDone) = (result.1, result.isDone)
                }
            }
        }
        return (count - Int(stream.pointee.avail_in), status)
    }
}
