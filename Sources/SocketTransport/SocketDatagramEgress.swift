// SPDX-License-Identifier: Apache-2.0

// Sends the datagrams of flows through the system's sockets.

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

/// Opens one UDP socket a flow: of both families where the machine has IPv6, so that all destinations see one port.
///
/// Names are not resolved here: a datagram's destination is an address.
public final class SocketDatagramEgress: DatagramEgress {
    public let loops: any EventLoopGroup
    /// Endpoints on which this process listens: sending there would be a loop.
    private let own = NIOLockedValueBox<Set<Endpoint>>([])

    /// `loops` must be those of `NIOPosix`.
    public init(loops: any EventLoopGroup) { self.loops = loops }

    /// Never sends to this endpoint; a wildcard stands for every address that this machine has now.
    public func forbid(_ listener: Endpoint) {
        var hosts: [Host] = [listener.host]
        if listener.address?.isWildcard == true {
            let devices = (try? System.enumerateDevices()) ?? []
            hosts += devices.compactMap { Endpoint($0.address)?.host }
        }
        own.withLockedValue { own in own.formUnion(hosts.map { Endpoint(host: $0, port: listener.port) }) }
    }

    public func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        guard let bootstrap = DatagramBootstrap(validatingGroup: loop) else {
            return loop.makeFailedFuture(ConnectFailure.unavailable)
        }
        let socket: DatagramSocket
        do { socket = try DatagramSocket.open() } catch { return loop.makeFailedFuture(error) }
        let own = own
        return
            bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try socket.configure(channel)
                    let sender = DatagramSender(socket) { address in
                        own.withLockedValue { !$0.isEmpty && Endpoint(address).map($0.contains) == true }
                    }
                    try channel.pipeline.syncOperations.addHandler(sender)
                }
            }
            .withBoundSocket(socket.descriptor)
            .flatMapErrorThrowing { throw ConnectFailure($0) }
    }
}

/// A UDP socket that is bound to a port of the system's choice.
private struct DatagramSocket {
    let descriptor: CInt
    /// Whether it is of both families, where an IPv4 address is written as the IPv6 address that maps it.
    let isDual: Bool

    static func open() throws(ConnectFailure) -> DatagramSocket {
        if let descriptor = try? bound(AF_INET6, "::", { set($0, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }) {
            return DatagramSocket(descriptor: descriptor, isDual: true)
        }
        return DatagramSocket(descriptor: try bound(AF_INET, "0.0.0.0") { _ in true }, isDual: false)
    }

    private static func bound(
        _ family: CInt, _ wildcard: String, _ prepare: (CInt) -> Bool
    ) throws(ConnectFailure) -> CInt {
        #if canImport(Glibc)
        let kind = CInt(SOCK_DGRAM.rawValue)
        #else
        let kind = SOCK_DGRAM
        #endif
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw ConnectFailure(errno: errno) }
        let isReady =
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 && prepare(descriptor)
            // An application that may not broadcast is stopped by its own socket.
            && set(descriptor, SOL_SOCKET, SO_BROADCAST, 1)
            && (try? SocketAddress(ipAddress: wildcard, port: 0))?.withSockAddr {
                bind(descriptor, $0, socklen_t($1)) == 0
            } == true
        guard isReady else {
            let failure = ConnectFailure(errno: errno)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func set(_ descriptor: CInt, _ level: CInt, _ name: CInt, _ value: CInt) -> Bool {
        withUnsafePointer(to: value) {
            setsockopt(descriptor, level, name, $0, socklen_t(MemoryLayout<CInt>.size)) == 0
        }
    }

    func configure(_ channel: any Channel) throws {
        guard let options = channel.syncOptions else { throw ChannelError.operationUnsupported }
        try options.setOption(.autoRead, value: false)
        try options.setOption(.maxMessagesPerRead, value: UInt(SocketLimits.datagramsPerRead.value))
        // The kernel cuts what does not fit into the buffer, without a word.
        try options.setOption(
            .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: SocketLimits.datagram.value))
        try options.setOption(
            .writeBufferWaterMark,
            value: .init(low: SocketLimits.writeLow.value, high: SocketLimits.writeHigh.value))
        // On macOS the send buffer is also the largest datagram that can be sent, and is 9 KiB unless it is set.
        for buffer: NIOBSDSocket.Option in [.so_rcvbuf, .so_sndbuf] {
            try options.setOption(
                .socketOption(buffer), value: SocketOptionValue(SocketLimits.datagramBuffer.value))
        }
    }

    /// Sends at once; the error number when it could not.
    func send(_ data: ByteBuffer, to address: SocketAddress) -> CInt? {
        address.withSockAddr { address, length in
            data.withUnsafeReadableBytes { bytes in
                sendto(descriptor, bytes.baseAddress, bytes.count, 0, address, socklen_t(length)) < 0 ? errno : nil
            }
        }
    }

    /// The address as this socket must be told it: an IPv4 address may have to be mapped (RFC 4291, section 2.5.5.2).
    func target(_ address: SocketAddress) -> SocketAddress {
        guard isDual, case .v4 = address, let ip = Endpoint(address)?.address, let port = address.port else {
            return address
        }
        var bytes = ByteBuffer(repeating: 0, count: 10)
        bytes.writeInteger(UInt16.max)
        bytes.writeBytes(ip.networkBytes)
        return (try? SocketAddress(packedIPAddress: bytes, port: port)) ?? address
    }
}

/// Sends each datagram by itself, because NIO closes a socket for what only one destination is to blame for.
///
/// What the socket has no room for now goes to NIO, which waits for room.
private final class DatagramSender: ChannelOutboundHandler {
    typealias OutboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let socket: DatagramSocket
    private let isForbidden: (SocketAddress) -> Bool
    /// Most datagrams go where the one before went.
    private var last: (address: SocketAddress, target: SocketAddress)?

    init(_ socket: DatagramSocket, isForbidden: @escaping (SocketAddress) -> Bool) {
        self.socket = socket
        self.isForbidden = isForbidden
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The descriptor is NIO's, which closes it before it says so; until then it is this socket and no other.
        guard context.channel.isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        var envelope = unwrapOutboundIn(data)
        guard !isForbidden(envelope.remoteAddress) else {
            promise?.fail(ConnectFailure.unavailable)
            return
        }
        envelope.remoteAddress = target(envelope.remoteAddress)
        switch socket.send(envelope.data, to: envelope.remoteAddress) {
        case nil:
            promise?.succeed()
        case EAGAIN?, EWOULDBLOCK?:
            context.write(wrapOutboundOut(envelope), promise: promise)
        case let code?:
            promise?.fail(IOError(errnoCode: code, reason: "sendto"))
        }
    }
    private func target(_ address: SocketAddress) -> SocketAddress {
        if let last, last.address == address { return last.target }
        let target = socket.target(address)
        last = (address, target)
        return target
    }
}
