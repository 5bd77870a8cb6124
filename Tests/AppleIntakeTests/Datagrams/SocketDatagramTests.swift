// SPDX-License-Identifier: Apache-2.0

// Datagrams through real sockets of the loopback.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import SocketTransport
import Synchronization
import Testing

@testable import AppleIntake

/// Sends every datagram back to where it came from.
private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }

    /// Starts one; the endpoint is where it listens.
    static func start(_ address: String) async throws -> (channel: any Channel, endpoint: Endpoint) {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 70_000))
            .channelOption(.socketOption(.so_rcvbuf), value: 4 << 20)
            .channelInitializer { channel in channel.pipeline.addHandler(Echo()) }
            .bind(host: address, port: 0).get()
        return (channel, try #require(Endpoint(channel.localAddress)))
    }
}

/// Keeps what came out of a socket.
private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let kept = Mutex<[(Endpoint?, Int)]>([])

    var received: [(sender: Endpoint?, size: Int)] { kept.withLock { $0.map { ($0.0, $0.1) } } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        kept.withLock { $0.append((Endpoint(envelope.remoteAddress), envelope.data.readableBytes)) }
    }
}

/// Counts what was opened and what was closed again.
private final class CountingEgress: DatagramEgress {
    private let sockets: SocketDatagramEgress
    private let counts = Mutex((opened: 0, closed: 0))
    var loops: any EventLoopGroup { sockets.loops }
    var isBalanced: Bool { counts.withLock { $0.opened == $0.closed } }
    var opened: Int { counts.withLock { $0.opened } }

    init(_ sockets: SocketDatagramEgress) { self.sockets = sockets }

    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        sockets.open(for: facts, on: loop).map { channel in
            self.counts.withLock { $0.opened += 1 }
            channel.closeFuture.whenComplete { _ in self.counts.withLock { $0.closed += 1 } }
            return channel
        }
    }
}

/// Waits until something holds; fails after a time that no healthy machine needs.
private func eventually(_ what: Comment, _ holds: @Sendable () -> Bool) async throws {
    for _ in 0..<6000 {
        if holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what)
}

/// A flow on a loop of real sockets.
private final class LiveFlow: Sendable {
    /// Keeps a flow as its owner does, until it has ended.
    private final class Owner {
        var flow: DatagramFlow?
        weak var last: DatagramFlow?
    }

    let application = ScriptedDatagrams()
    private let endings = Mutex(0)
    private let loop: any EventLoop
    private let owner: NIOLoopBound<Owner>

    var hasEnded: Bool { endings.withLock { $0 > 0 } }
    var endCount: Int { endings.withLock { $0 } }

    init(_ services: ProviderServices, to destination: Endpoint) async throws {
        let loop = services.datagrams.loops.next()
        self.loop = loop
        owner = try await loop.submit { NIOLoopBound(Owner(), eventLoop: loop) }.get()
        let facts = FlowFacts(
            transport: .udp, intake: .networkExtension, destination: destination,
            identity: IdentitySummary(.known(.thirdParty)), startedAt: 0)
        let system = application.flow()
        try await loop.submit {
            let owner = self.owner.value
            let flow = DatagramFlow(system, facts: facts, services: services, on: loop) {
                self.endings.withLock { $0 += 1 }
                owner.flow = nil
            }
            owner.flow = flow
            owner.last = flow
            flow.begin()
        }.get()
    }

    func end() { loop.execute { self.owner.value.flow?.end() } }

    /// Whether nobody keeps the flow.
    func isGone() async throws -> Bool { try await loop.submit { self.owner.value.last == nil }.get() }
}

@Suite("Datagrams through real sockets")
struct SocketDatagramTests {
    private let egress = SocketDatagramEgress(loops: MultiThreadedEventLoopGroup.singleton)
    private let facts = FlowFacts(
        transport: .udp, intake: .networkExtension, destination: Endpoint(host: .address(.v4(0)), port: 1), startedAt: 0
    )

    private func open() async throws -> (any Channel, Collector) {
        let collector = Collector()
        let channel = try await egress.open(for: facts, on: egress.loops.next()).get()
        try await channel.pipeline.addHandler(collector).get()
        return (channel, collector)
    }

    @Test("One socket serves both families, and nothing is read unasked")
    func bothFamilies() async throws {
        let v4 = try await Echo.start("127.0.0.1")
        let v6 = try await Echo.start("::1")
        let (channel, collector) = try await open()
        for endpoint in [v4.endpoint, v6.endpoint] {
            let address = try #require(SocketAddress(endpoint))
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: "hello")))
        }
        #expect(collector.received.isEmpty)
        try await eventually("two answers") {
            channel.read()
            return collector.received.count == 2
        }
        #expect(Set(collector.received.map(\.sender)) == [v4.endpoint, v6.endpoint])
        try await channel.close()
        try await v4.channel.close()
        try await v6.channel.close()
    }

    @Test("The largest and the smallest datagram pass whole")
    func sizes() async throws {
        let echo = try await Echo.start("127.0.0.1")
        let address = try #require(SocketAddress(echo.endpoint))
        let (channel, collector) = try await open()
        for size in [65_507, 0] {
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: address, data: ByteBuffer(repeating: 7, count: size)))
        }
        try await eventually("two answers") {
            channel.read()
            return collector.received.count == 2
        }
        #expect(collector.received.map(\.size).sorted() == [0, 65_507])
        try await channel.close()
        try await echo.channel.close()
    }

    @Test("A datagram that cannot be sent fails by itself, and the socket goes on")
    func errorsOfOne() async throws {
        let echo = try await Echo.start("127.0.0.1")
        let address = try #require(SocketAddress(echo.endpoint))
        let noPort = try #require(Endpoint("127.0.0.1", defaultPort: 0).flatMap(SocketAddress.init))
        let (channel, collector) = try await open()
        await #expect(throws: IOError.self) {
            try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: noPort, data: ByteBuffer(string: "a")))
        }
        await #expect(throws: IOError.self) {
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: address, data: ByteBuffer(repeating: 0, count: 65_508)))
        }
        try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: "b")))
        try await eventually("an answer") {
            channel.read()
            return collector.received.count == 1
        }
        #expect(channel.isActive)
        try await channel.close()
        await #expect(throws: ChannelError.self) {
            try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: "c")))
        }
        try await echo.channel.close()
    }

    @Test("Our own listeners are not sent to, by any address of this machine")
    func ownListeners() async throws {
        let echo = try await Echo.start("127.0.0.1")
        egress.forbid(Endpoint(host: .address(.v4(0)), port: echo.endpoint.port))
        let address = try #require(SocketAddress(echo.endpoint))
        let (channel, _) = try await open()
        await #expect(throws: ConnectFailure.unavailable) {
            try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: "a")))
        }
        try await channel.close()
        try await echo.channel.close()
    }

    @Test("A loop that is not of sockets is refused, not trapped on")
    func foreignLoop() async throws {
        let loop = NIOAsyncTestingEventLoop()
        let opened = egress.open(for: facts, on: loop)
        await #expect(throws: ConnectFailure.unavailable) { _ = try await opened.get() }
        await loop.shutdownGracefully()
    }

    @Test("A burst to many destinations comes back whole through a flow")
    func burst() async throws {
        var echoes: [(channel: any Channel, endpoint: Endpoint)] = []
        for _ in 0..<8 { echoes.append(try await Echo.start("127.0.0.1")) }
        let records = DatagramRecords()
        let live = try await LiveFlow(.datagrams(egress, records: records), to: echoes[0].endpoint)
        let endpoints = try echoes.map { try #require(SystemEndpoint($0.endpoint)) }
        for round in 0..<8 {
            live.application.send(endpoints.map { (Data("\(round)".utf8), $0) })
            try await eventually("round \(round)") { live.application.receivedCount == (round + 1) * 8 }
        }
        #expect(Set(live.application.received).count == 64)
        live.application.close()
        try await eventually("the end") { live.hasEnded }
        #expect(records.flows.first?.bytesOutbound == 64)
        #expect(records.flows.first?.bytesInbound == 64)
        for echo in echoes { try await echo.channel.close() }
    }

    @Test("Ten thousand flows leave no socket and no record behind, however they end")
    func manyFlows() async throws {
        let echo = try await Echo.start("127.0.0.1")
        let endpoint = try #require(SystemEndpoint(echo.endpoint))
        let counting = CountingEgress(egress)
        let records = DatagramRecords()
        let services = try ProviderServices.datagrams(counting, records: records)
        for _ in 0..<100 {
            var wave: [LiveFlow] = []
            for _ in 0..<100 {
                let flow = try await LiveFlow(services, to: echo.endpoint)
                flow.application.send([(Data("q".utf8), endpoint)])
                wave.append(flow)
            }
            let flows = wave
            for (number, flow) in flows.enumerated() {
                // Some are ended before their answer, some after it, some by the application.
                switch number % 3 {
                case 0: flow.end()
                case 1:
                    try await eventually("an answer") { flow.application.receivedCount == 1 }
                    flow.application.close()
                default: flow.application.close()
                }
            }
            try await eventually("the end of a wave") { flows.allSatisfy(\.hasEnded) }
            #expect(flows.allSatisfy { $0.endCount == 1 && $0.application.isClosed })
            try await eventually("every socket of a wave closed") { counting.isBalanced }
            for flow in flows { #expect(try await flow.isGone()) }
        }
        #expect(counting.opened > 6_000)
        #expect(records.flows.count == 10_000)
        try await echo.channel.close()
    }
}
