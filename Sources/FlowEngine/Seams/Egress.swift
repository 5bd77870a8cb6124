// SPDX-License-Identifier: Apache-2.0

// The seam through which every flow leaves: who dials the origin.

public import FlowModel
public import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Dials origins.
///
/// Sockets on Linux; on macOS a connection that keeps the application's attribution.
public protocol Egress: Sendable {
    /// Connects to an origin on the flow's own loop.
    ///
    /// The channel reads only when asked, one buffer at a time, and reports half-closes. Fails with `ConnectFailure`.
    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel>
}

/// An outbound event: the close that follows shall be seen as a reset.
///
/// A channel that is no socket, as the one of a macOS flow, learns of it this way.
public struct ResetConnection: Sendable {
    public init() {}
}

/// Ends a connection so that the peer sees a reset and not an orderly end.
enum Abort {
    static func reset(_ channel: any Channel) {
        guard channel.isActive, let socket = channel as? any SocketOptionProvider else {
            channel.triggerUserOutboundEvent(ResetConnection(), promise: nil)
            channel.close(promise: nil)
            return
        }
        // Linger 0 turns the close into RST; what was not sent yet is dropped, as a reset drops it.
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in close(channel) }
    }

    /// The name under which a leg's TLS handler stands in its pipeline.
    static let tlsHandler = "tls"

    /// Closes the connection itself, past TLS, which would wait for the peer's goodbye and keep the memory meanwhile.
    static func close(_ channel: any Channel) {
        if let tls = try? channel.pipeline.syncOperations.context(name: tlsHandler) {
            tls.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }
}

extension ConnectFailure {
    /// What the system's number for an error of a socket means.
    public init(errno code: CInt) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT: self = .timedOut
        case ENETUNREACH, ENETDOWN: self = .networkUnreachable
        case ECONNRESET, ECONNABORTED: self = .reset
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL: self = .unavailable
        default: self = .hostUnreachable
        }
    }
}

extension Endpoint {
    /// The endpoint of an IP socket address, its scope kept; nil for others.
    public init?(_ address: SocketAddress?) {
        guard let address, let port = address.port, let port = UInt16(exactly: port) else { return nil }
        let ip = address.withSockAddr { start, length -> IPAddress? in
            // Where address and scope stand is the same on all systems (RFC 3493, section 3.3).
            let bytes = UnsafeRawBufferPointer(start: start, count: length)
            switch address {
            case .v4 where length >= 8:
                return .v4(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            case .v6 where length >= 28:
                let scope = bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
                return IPAddress(v6Bytes: Array(bytes[8..<24]), scope: scope)
            case .v4, .v6, .unixDomainSocket:
                return nil
            }
        }
        guard let ip else { return nil }
        self.init(host: .address(ip), port: port)
    }
}

extension SocketAddress {
    /// The socket address of an endpoint, its scope kept; nil when its host is a name.
    public init?(_ endpoint: Endpoint) {
        guard let ip = endpoint.address,
            let address = try? SocketAddress(
                packedIPAddress: ByteBuffer(bytes: ip.networkBytes), port: Int(endpoint.port))
        else { return nil }
        self = address
        guard case .v6(_, _, let scope) = ip, scope != 0, case .v6(let v6) = address else { return }
        var scoped = v6.address
        withUnsafeMutableBytes(of: &scoped) { $0.storeBytes(of: scope, toByteOffset: 24, as: UInt32.self) }
        self.init(scoped)
    }
}
