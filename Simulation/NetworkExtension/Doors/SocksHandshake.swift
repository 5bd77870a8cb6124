// SPDX-License-Identifier: Apache-2.0

// What is said before the bytes: SOCKS 5 (RFC 1928) with a user name (RFC 1929).

internal import Foundation
internal import NetworkSimulation

/// How a request ended (RFC 1928, section 6).
enum SocksReply: UInt8, Sendable {
    case succeeded = 0
    case failure = 1
    case notAllowed = 2
    case networkUnreachable = 3
    case hostUnreachable = 4
    case refused = 5
    case expired = 6
    case commandUnknown = 7
    case addressUnknown = 8

    /// What a failed connect is called.
    init(_ error: SocketError) {
        self =
            switch error.errno {
            case EPERM, EACCES: .notAllowed
            case ENETUNREACH, ENETDOWN: .networkUnreachable
            case EHOSTUNREACH, EHOSTDOWN: .hostUnreachable
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .expired
            case EAFNOSUPPORT: .addressUnknown
            default: .failure
            }
    }
}

/// The server's part of the exchange with one client.
struct SocksHandshake: Sendable {
    enum Target: Sendable {
        case address(NWEndpoint.Host, NWEndpoint.Port)
        case name(String, NWEndpoint.Port)
    }

    private let client: RealSocket

    init(_ client: RealSocket) { self.client = client }

    /// Asks who it is; nil when nobody known, which the client was told.
    func authenticate(
        _ application: (String) -> SimulatedProcess?
    ) async throws(SocketError) -> SimulatedProcess? {
        let head = try await bytes(2)
        guard head[0] == 5 else { return nil }
        let methods = try await bytes(Int(head[1]))
        if methods.contains(2) {
            try await client.send(Data([5, 2]))
            let user = try await bytes(2)
            guard user[0] == 1 else { return nil }
            let name = String(decoding: try await bytes(Int(user[1])), as: UTF8.self)
            _ = try await bytes(Int(try await bytes(1)[0]))
            let process = application(name)
            try await client.send(Data([1, process == nil ? 1 : 0]))
            return process
        }
        let process = methods.contains(0) ? application("") : nil
        try await client.send(Data([5, process == nil ? 0xFF : 0]))
        return process
    }

    /// Hears where to connect to; nil when it is something else, which the client was told.
    func target() async throws(SocketError) -> Target? {
        let head = try await bytes(4)
        guard head[0] == 5 else { return nil }
        let host: NWEndpoint.Host?
        switch head[3] {
        case 1: host = IPv4Address(Data(try await bytes(4))).map { .ipv4($0) }
        case 3: host = .name(String(decoding: try await bytes(Int(try await bytes(1)[0])), as: UTF8.self), nil)
        case 4: host = IPv6Address(Data(try await bytes(16))).map { .ipv6($0) }
        default: host = nil
        }
        guard let host else {
            try await reply(.addressUnknown)
            return nil
        }
        let raw = try await bytes(2)
        guard head[1] == 1, let port = NWEndpoint.Port(rawValue: UInt16(raw[0]) << 8 | UInt16(raw[1])) else {
            try await reply(.commandUnknown)
            return nil
        }
        if case .name(let name, _) = host { return .name(name, port) }
        return .address(host, port)
    }

    /// Says how it ended; the address of our end is not known, which is 0.0.0.0:0.
    func reply(_ reply: SocksReply) async throws(SocketError) {
        try await client.send(Data([5, reply.rawValue, 0, 1, 0, 0, 0, 0, 0, 0]))
    }

    /// Exactly so many bytes; ECONNRESET when the client ends before.
    private func bytes(_ count: Int) async throws(SocketError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try await client.receive(count - bytes.count)
            guard !more.isEmpty else { throw SocketError(ECONNRESET) }
            bytes += more
        }
        return bytes
    }
}
