// SPDX-License-Identifier: Apache-2.0

// Real sockets on both sides of the simulation, for tests of its doors.

import Foundation
import NetworkSimulation

@testable import NetworkExtension

/// A real server on loopback that serves each connection with a body.
final class RealServer: Sendable {
    let port: UInt16
    private let listener: RealSocket

    init(_ body: @escaping @Sendable (RealSocket) async throws -> Void) throws {
        let listener = try RealSocket.listen(on: .loopback(port: 0))
        self.listener = listener
        port = try listener.port()
        Task {
            while let connection = try? await listener.accept() {
                Task {
                    try? await body(connection)
                    connection.close()
                }
            }
        }
    }

    deinit { listener.close() }

    /// Sends back what it gets, and ends when its client has.
    static func echo() throws -> RealServer {
        try RealServer { connection in
            while true {
                let data = try await connection.receive(65_536)
                if data.isEmpty { return }
                try await connection.send(data)
            }
        }
    }
}

/// A client of a SOCKS door, byte by byte.
struct SocksClient {
    let real: RealSocket

    init(_ door: SocksDoor) async throws { real = try await RealSocket.connect(to: .loopback(port: door.port)) }

    /// Says who it is; the status of the door's answer, 0 is welcome.
    func logIn(_ user: String) async throws -> UInt8 {
        try await real.send(Data([5, 2, 0, 2]))
        guard try await exactly(2) == [5, 2] else { throw SocketError(EPROTO) }
        try await real.send(Data([1, UInt8(user.utf8.count)] + Array(user.utf8) + [1, 0x78]))
        return try await exactly(2)[1]
    }

    /// Asks for an address or a name; the door's reply, 0 is connected.
    func request(_ target: String, _ port: UInt16, command: UInt8 = 1) async throws -> UInt8 {
        let host: [UInt8] =
            switch NWEndpoint.Host(target) {
            case .ipv4(let address): [1] + [UInt8](address.rawValue)
            case .ipv6(let address): [4] + [UInt8](address.rawValue)
            case .name(let name, _): [3, UInt8(name.utf8.count)] + Array(name.utf8)
            }
        try await real.send(Data([5, command, 0] + host + [UInt8(port >> 8), UInt8(port & 0xFF)]))
        return try await exactly(10)[1]
    }

    func exactly(_ count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await real.receive(count - bytes.count)
            if more.isEmpty { throw SocketError(EPIPE) }
            bytes += more
        }
        return bytes
    }
}
