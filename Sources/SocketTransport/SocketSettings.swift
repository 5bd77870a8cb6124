// SPDX-License-Identifier: Apache-2.0

// How every TCP socket of Weir is set, on both sides of a flow.

public import FlowModel
import NIOCore

/// The limits of sockets.
public enum SocketLimits {
    public static let receiveBuffer = Limit(
        "socket.receive-buffer", 1024 * 1024, .bytes, metric: "limit_receive_buffer_total",
        "NIO drains a socket at FIN whatever was asked for, so this bounds what one leg can pour out unasked.")
    public static let readSize = Limit(
        "socket.read", 256 * 1024, .bytes, metric: "limit_socket_read_total",
        "The largest single read; reads begin small and grow with the flow.")
    public static let writeHigh = Limit(
        "socket.write-high", 256 * 1024, .bytes, metric: "limit_write_high_total",
        "Unsent bytes of a leg beyond which the other leg is not read.")
    public static let writeLow = Limit(
        "socket.write-low", 64 * 1024, .bytes, metric: "limit_write_low_total",
        "Unsent bytes below which the other leg is read again.")
    public static let connectWait = Limit(
        "egress.connect-wait", 30_000, .milliseconds, metric: "limit_connect_wait_total",
        "How long an origin may take to accept; the application then hears that it timed out.")
    public static let backlog = Limit(
        "listener.backlog", 1024, .count, metric: "limit_backlog_total",
        "Connections that wait in the kernel while no flow may be begun.")
    public static let datagram = Limit(
        "socket.datagram", 64 * 1024, .bytes, metric: "limit_datagram_total",
        "The largest datagram: 65,535 bytes with its headers (RFC 768).")
    public static let datagramBuffer = Limit(
        "socket.datagram-buffer", 256 * 1024, .bytes, metric: "limit_datagram_buffer_total",
        "Datagrams that the kernel keeps in each direction of a UDP socket; it drops those beyond.")
    public static let datagramsPerRead = Limit(
        "socket.datagrams-per-read", 32, .count, metric: "limit_datagrams_per_read_total",
        "Datagrams taken in one turn, so that a flood on one socket does not hold up its loop.")

    public static let all = [
        receiveBuffer, readSize, writeHigh, writeLow, connectWait, backlog, datagram, datagramBuffer, datagramsPerRead,
    ]
}

/// Sets a connection the way the engine's seams promise: read when asked, one buffer at a time, half-closes kept.
enum FlowSocket {
    static func configure(_ channel: any Channel) -> EventLoopFuture<Void> {
        let loop = channel.eventLoop
        do {
            guard let options = channel.syncOptions else { throw ChannelError.operationUnsupported }
            try options.setOption(.autoRead, value: false)
            try options.setOption(.allowRemoteHalfClosure, value: true)
            try options.setOption(.maxMessagesPerRead, value: 1)
            try options.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 1024, initial: 4 * 1024, maximum: SocketLimits.readSize.value))
            try options.setOption(
                .writeBufferWaterMark,
                value: .init(low: SocketLimits.writeLow.value, high: SocketLimits.writeHigh.value))
            try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
            try options.setOption(.socketOption(.so_keepalive), value: 1)
            try options.setOption(
                .socketOption(.so_rcvbuf), value: SocketOptionValue(SocketLimits.receiveBuffer.value))
            return loop.makeSucceededVoidFuture()
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
}
