// SPDX-License-Identifier: Apache-2.0

// What a channel was asked to write and the system was not given yet.

internal import Foundation
internal import NIOCore

/// Writes in their order, each with its promise; the flushed ones come out joined.
struct OutboundQueue {
    /// What goes out in one write; its promise stands for those of all writes that end in it.
    struct Batch {
        var data: Data
        var promise: EventLoopPromise<Void>?
    }

    private var writes = CircularBuffer<(buffer: ByteBuffer, promise: EventLoopPromise<Void>?)>()
    private var flushedWrites = 0
    private var flushedBytes = 0
    private var unflushedBytes = 0

    var bytes: Int { flushedBytes + unflushedBytes }
    var isEmpty: Bool { writes.isEmpty }

    mutating func append(_ buffer: ByteBuffer, promise: EventLoopPromise<Void>?) {
        writes.append((buffer, promise))
        unflushedBytes += buffer.readableBytes
    }

    mutating func flush() {
        flushedWrites = writes.count
        flushedBytes += unflushedBytes
        unflushedBytes = 0
    }

    /// Takes up to `most` of the flushed bytes; nil when nothing is flushed, no bytes when only empty writes are.
    ///
    /// The one copy of a write happens here.
    mutating func take(_ most: Int) -> Batch? {
        guard flushedWrites > 0 else { return nil }
        var batch = Batch(data: Data(capacity: min(most, flushedBytes)), promise: nil)
        while flushedWrites > 0, batch.data.count < most {
            let first = writes.startIndex
            let length = min(writes[first].buffer.readableBytes, most - batch.data.count)
            writes[first].buffer.readWithUnsafeReadableBytes {
                batch.data.append(contentsOf: $0.prefix(length))
                return length
            }
            if writes[first].buffer.readableBytes > 0 { break }
            batch.promise.setOrCascade(to: writes.removeFirst().promise)
            flushedWrites -= 1
        }
        flushedBytes -= batch.data.count
        return batch
    }

    /// Empties it and gives the promises that are still to be kept.
    mutating func removeAll() -> [EventLoopPromise<Void>?] {
        let promises = writes.map(\.promise)
        self = OutboundQueue()
        return promises
    }
}
