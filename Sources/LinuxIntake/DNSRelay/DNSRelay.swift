// SPDX-License-Identifier: Apache-2.0

// Carries DNS queries of a namespace to the nameservers of the machine.

public import FlowModel
public import NIOCore
import NIOPosix

/// Answers UDP queries that arrive at bound sockets with what the machine's nameservers say.
///
/// Messages pass untouched, truncated ones included: the program then asks again over TCP, which is a connection like any
/// other. Retries are left to the program. A nameserver that refuses is followed by the next at once; one that stays silent
/// loses its turn for later queries, and the configuration is read again, as the machine may have changed networks.
public final class DNSRelay: Sendable {
    private let channels: [any Channel]

    /// Serves the sockets, which it takes over, on one event loop.
    ///
    /// `nameservers` is asked at the start and after failures, never on the event loop.
    public static func start(
        sockets: [CInt], on loop: any EventLoop, metrics: any MetricSink = NoSink(),
        nameservers: @escaping @Sendable () -> [SocketAddress] = { ResolverConfiguration.system().nameservers }
    ) async throws -> DNSRelay {
        let patience = TimeAmount.milliseconds(Int64(LinuxIntakeLimits.dnsPatience.value))
        return try await start(
            sockets: sockets, on: loop, metrics: metrics, patience: patience, nameservers: nameservers)
    }

    static func start(
        sockets: [CInt], on loop: any EventLoop, metrics: any MetricSink, patience: TimeAmount,
        nameservers: @escaping @Sendable () -> [SocketAddress]
    ) async throws -> DNSRelay {
        let first = nameservers()
        var channels: [any Channel] = []
        for socket in sockets {
            let channel = try await DatagramBootstrap(group: loop)
                .channelOption(.recvAllocator, value: DNSRelay.buffer)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = DNSQueryHandler(first, metrics, patience, reload: nameservers)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .withBoundSocket(socket).get()
            channels.append(channel)
        }
        return DNSRelay(channels)
    }

    private init(_ channels: [any Channel]) { self.channels = channels }

    /// Closes the sockets; queries that wait stay without an answer.
    public func close() async {
        for channel in channels { try? await channel.close() }
    }

    /// A datagram larger than its buffer would be cut without a sign.
    static var buffer: FixedSizeRecvByteBufferAllocator {
        FixedSizeRecvByteBufferAllocator(capacity: LinuxIntakeLimits.dnsMessage.value)
    }
}

/// The four bytes of a DNS header that a relay has to know (RFC 1035 section 4.1.1).
struct DNSHeader {
    let id: UInt16
    let isResponse: Bool

    /// Reads the header of a whole message; nil when there is not even that.
    init?(_ message: ByteBuffer) {
        guard message.readableBytes >= 12,
            let id = message.getInteger(at: message.readerIndex, as: UInt16.self),
            let flags = message.getInteger(at: message.readerIndex + 2, as: UInt16.self)
        else { return nil }
        self.id = id
        isResponse = flags & 0x8000 != 0
    }

    /// The answer SERVFAIL to a query: the query itself, marked as a response with code 2.
    static func failure(of query: ByteBuffer) -> ByteBuffer {
        var answer = query
        let flags = query.getInteger(at: query.readerIndex + 2, as: UInt16.self) ?? 0
        answer.setInteger(flags & 0x7910 | 0x8082, at: answer.readerIndex + 2)
        return answer
    }
}
