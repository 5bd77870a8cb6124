// SPDX-License-Identifier: Apache-2.0

// Datagrams that wait for an application.

internal import FlowModel
internal import Foundation
internal import NIOCore

/// A bounded queue that gives way at its old end: late news is worth more than old.
struct DatagramQueue {
    private var waiting = CircularBuffer<(Data, SystemEndpoint)>()
    private var bytes = 0
    /// Datagrams at the front that must be written one by one.
    private var single = 0
    private let capacity: (count: Int, bytes: Int)
    /// Datagrams that had to give way.
    private(set) var dropped = 0

    init(
        count: Int = AppleIntakeLimits.datagramQueue.value, bytes: Int = AppleIntakeLimits.datagramQueueBytes.value
    ) { capacity = (count, bytes) }

    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ data: Data, from sender: SystemEndpoint) {
        waiting.append((data, sender))
        bytes += data.count
        while waiting.count > capacity.count || bytes > capacity.bytes, removeFirst() != nil { dropped += 1 }
    }

    /// Takes the oldest, so many at most.
    mutating func take(_ most: Int) -> [(Data, SystemEndpoint)] {
        let count = min(single > 0 ? 1 : max(1, most), waiting.count)
        return (0..<count).compactMap { _ in removeFirst() }
    }

    /// Puts back what was taken last, to be written one by one.
    mutating func putBack(_ datagrams: [(Data, SystemEndpoint)]) {
        for datagram in datagrams.reversed() {
            waiting.prepend(datagram)
            bytes += datagram.0.count
        }
        single += datagrams.count
    }

    private mutating func removeFirst() -> (Data, SystemEndpoint)? {
        guard let first = waiting.popFirst() else { return nil }
        bytes -= first.0.count
        single = max(0, single - 1)
        return first
    }
}
