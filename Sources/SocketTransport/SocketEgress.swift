// SPDX-License-Identifier: Apache-2.0

// Dials origins through the system's sockets.

public import FlowEngine
public import FlowModel
import NIOConcurrencyHelpers
public import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Connects to origins with plain TCP sockets, names resolved by the system, both families raced.
public final class SocketEgress: Egress {
    /// Endpoints on which this process listens: dialling one would be a loop.
    private let own = NIOLockedValueBox<[Endpoint]>([])

    public init() {}

    /// Never dials this endpoint, nor its port on any address of this machine that a wildcard covers.
    public func forbid(_ listener: Endpoint) { own.withLockedValue { $0.append(listener) } }

    /// Whether `endpoint` is one of our own listeners.
    public func isOwn(_ endpoint: Endpoint) -> Bool { own.withLockedValue { $0.contains(endpoint) } }

    public func connect(
        to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        if isOwn(origin) { return loop.makeFailedFuture(ConnectFailure.unavailable) }
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.milliseconds(Int64(SocketLimits.connectWait.value)))
            .channelInitializer { FlowSocket.configure($0) }
        let connecting: EventLoopFuture<any Channel>
        switch origin.host {
        case .name(let name):
            connecting = bootstrap.connect(host: name.description, port: Int(origin.port))
        case .address:
            guard let target = SocketAddress(origin) else {
                return loop.makeFailedFuture(ConnectFailure.hostUnreachable)
            }
            connecting = bootstrap.connect(to: target)
        }
        return connecting.flatMapThrowing { channel in
            guard !self.loopsBack(channel) else {
                channel.close(promise: nil)
                throw ConnectFailure.unavailable
            }
            return channel
        }.flatMapErrorThrowing { throw ConnectFailure($0) }
    }

    /// Whether a connection has reached one of our own listeners by another name.
    private func loopsBack(_ channel: any Channel) -> Bool {
        guard let remote = Endpoint(channel.remoteAddress),
            let local = Endpoint(channel.localAddress)
        else { return false }
        return own.withLockedValue { listeners in
            listeners.contains { listener in
                guard listener.port == remote.port else { return false }
                return listener.host == remote.host
                    || (listener.address?.isWildcard == true && remote.host == local.host)
            }
        }
    }
}

extension IPAddress {
    /// True for 0.0.0.0 and ::.
    var isWildcard: Bool { networkBytes.allSatisfy { $0 == 0 } }
}

extension ConnectFailure {
    /// Says what a failed connect means.
    init(_ error: any Error) {
        switch error {
        case let failure as ConnectFailure: self = failure
        case let failure as IOError: self.init(errno: failure.errnoCode)
        case let failure as NIOConnectionError: self.init(failure)
        case ChannelError.connectTimeout: self = .timedOut
        default: self = .hostUnreachable
        }
    }

    /// The failure of the last address tried stands for all; without an address the name is to blame.
    private init(_ failure: NIOConnectionError) {
        if let last = failure.connectionErrors.last {
            self.init(last.error)
        } else {
            self = .nameNotFound
        }
    }
}

extension IOError {
    /// What the system says of it, without the place in our code.
    var sentence: String {
        switch errnoCode {
        case EADDRINUSE: return "the address is in use; stop what listens there or choose another port"
        case EACCES, EPERM: return "permission denied; ports below 1024 need root"
        case EADDRNOTAVAIL: return "no interface of this machine has this address"
        default: return String(cString: strerror(errnoCode))
        }
    }
}
