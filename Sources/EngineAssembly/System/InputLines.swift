// SPDX-License-Identifier: Apache-2.0

// Lines of standard input or of a file, each of a bounded length.

package import FlowModel
internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An open descriptor, line by line.
package struct InputLines {
    private let descriptor: Int32
    private let limit: Limit
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    package init(descriptor: Int32, limit: Limit) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// The next line without its line feed; nil at the end; a failure for a line that is too long, which is skipped.
    package mutating func next() -> Result<[UInt8], Problem>? {
        var isTooLong = false
        while true {
            if let end = buffer[start...].firstIndex(of: 0x0a) {
                defer { start = end + 1 }
                return isTooLong ? .failure(tooLong) : .success(Array(buffer[start..<end]))
            }
            if isAtEnd {
                defer { start = buffer.count }
                if isTooLong { return .failure(tooLong) }
                return start == buffer.count ? nil : .success(Array(buffer[start...]))
            }
            buffer.removeFirst(start)
            start = 0
            if buffer.count > limit.value {
                isTooLong = true
                buffer.removeAll(keepingCapacity: true)
            }
            fill()
        }
    }

    /// Whether a whole line has been read already and waits.
    package var hasMore: Bool { buffer[start...].contains(0x0a) }

    private var tooLong: Problem { .refused("a line of more than \(limit.value) bytes; give one object a line") }

    private mutating func fill() {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        var count: Int
        repeat {
            count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        } while count < 0
            && errno == EINTR
        if count > 0 { buffer.append(contentsOf: piece[..<count]) } else { isAtEnd = true }
    }
}
