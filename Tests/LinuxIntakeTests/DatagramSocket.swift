// SPDX-License-Identifier: Apache-2.0

// A UDP socket on 127.0.0.1 that waits for ten seconds at most.

import Glibc
import Testing

struct DatagramSocket {
    let descriptor: CInt
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let descriptor = descriptor
        var address = LoopbackAddress(port: 0)
        let bound = address.withPointer {
            bind(descriptor, $0, $1.pointee) == 0 && getsockname(descriptor, $0, $1) == 0
        }
        try #require(bound)
        port = address.port
    }

    func send(_ bytes: [UInt8], to port: UInt16) {
        var address = LoopbackAddress(port: port)
        _ = address.withPointer { sendto(descriptor, bytes, bytes.count, 0, $0, $1.pointee) }
    }

    /// The next datagram and the port it came from.
    func receive() throws -> (bytes: [UInt8], port: UInt16) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var address = LoopbackAddress(port: 0)
        let count = address.withPointer { recvfrom(descriptor, &buffer, buffer.count, 0, $0, $1) }
        try #require(count >= 0)
        return (Array(buffer[..<count]), address.port)
    }

    func close() { Glibc.close(descriptor) }
}
