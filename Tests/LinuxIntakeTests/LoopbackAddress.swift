// SPDX-License-Identifier: Apache-2.0

// 127.0.0.1 and a port as the socket calls take them.

import Glibc

/// The bytes of a sockaddr_in: with NIO in the program, Swift cannot say whose header its members come from.
struct LoopbackAddress {
    private var bytes: [UInt8]

    init(port: UInt16) {
        bytes =
            [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(port & 0xff), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    }

    var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    mutating func withPointer<R>(_ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> R) -> R {
        var size = socklen_t(bytes.count)
        return bytes.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { body($0.baseAddress.unsafelyUnwrapped, &size) }
        }
    }
}
