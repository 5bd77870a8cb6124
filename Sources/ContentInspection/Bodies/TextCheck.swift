// SPDX-License-Identifier: Apache-2.0

// Whether the first bytes of a body are text.

import CByteScan
import FlowModel

/// Looks for a NUL or for invalid UTF-8 (RFC 3629) in the first bytes of a text.
struct TextCheck {
    private let isUTF8: Bool
    private var left = ContentLimits.textCheck.value
    /// How many bytes of the current character are to come, and where the next must lie.
    private var pending = 0
    private var next: ClosedRange<UInt8> = 0x80...0xbf

    init(isUTF8: Bool) { self.isUTF8 = isUTF8 }

    /// Whether there is anything left to look at.
    var isOpen: Bool { left > 0 }

    /// The index of the first byte that no text has; nil when there is none.
    mutating func firstBinary(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        let count = min(left, bytes.count)
        left -= count
        var index = 0
        while index < count {
            if pending == 0 {
                index += weir_ascii_prefix(bytes.baseAddress?.advanced(by: index), count - index)
                guard index < count else { break }
            }
            guard accept(bytes[index]) else { return index }
            index += 1
        }
        return nil
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        if byte == 0 { return false }
        guard isUTF8 else { return true }
        if pending > 0 {
            guard next.contains(byte) else { return false }
            pending -= 1
            next = 0x80...0xbf
            return true
        }
        next = 0x80...0xbf
        switch byte {
        case 0x01...0x7f: break
        case 0xc2...0xdf: pending = 1
        case 0xe0: (pending, next) = (2, 0xa0...0xbf)
        case 0xed: (pending, next) = (2, 0x80...0x9f)
        case 0xe1...0xef: pending = 2
        case 0xf0: (pending, next) = (3, 0x90...0xbf)
        case 0xf4: (pending, next) = (3, 0x80...0x8f)
        case 0xf1...0xf3: pending = 3
        default: return false
        }
        return true
    }
}
