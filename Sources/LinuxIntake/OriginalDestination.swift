// SPDX-License-Identifier: Apache-2.0

// Where a redirected connection wanted to go.

import CLinuxFlow
public import FlowModel
public import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads the destination that a connection had before the kernel redirected it to our listener.
public enum OriginalDestination {
    /// The destination of a connected socket; nil when the connection was made to the listener itself.
    ///
    /// A connection of IPv4 on an IPv6 socket is told as IPv4.
    public static func of(descriptor: CInt) throws(KernelError) -> Endpoint? {
        var destination = weir_address()
        let code = weir_original_destination(descriptor, &destination)
        if code == ENOENT { return nil }
        guard code == 0 else { throw KernelError("original destination of a connection", code: code) }
        return Endpoint(destination)
    }

    /// The same for an accepted channel, on its event loop; nil also for channels without a socket.
    public static func of(channel: any Channel) -> EventLoopFuture<Endpoint?> {
        guard let options = channel as? any SocketOptionProvider,
            let own = channel.localAddress.flatMap({ Endpoint($0) })
        else { return channel.eventLoop.makeSucceededFuture(nil) }
        var level = NIOBSDSocket.OptionLevel.ipv6
        if case .v4 = own.address { level = .ip }
        // SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST have one number.
        return options.unsafeGetSocketOption(level: level, name: NIOBSDSocket.Option(rawValue: 80))
            .map { (storage: sockaddr_storage) in
                var destination = weir_address()
                let code = withUnsafeBytes(of: storage) { bytes in
                    bytes.baseAddress.map { weir_address_read($0.assumingMemoryBound(to: sockaddr.self), &destination) }
                }
                let endpoint = code == 0 ? Endpoint(destination) : nil
                return endpoint == own ? nil : endpoint
            }
            .flatMapErrorThrowing { error in
                guard let code = (error as? IOError)?.errnoCode, code == ENOENT || code == ENOPROTOOPT else {
                    throw error
                }
                return nil
            }
    }
}
