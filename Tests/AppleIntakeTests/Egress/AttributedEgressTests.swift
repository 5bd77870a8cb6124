// SPDX-License-Identifier: Apache-2.0

// Connections in the application's name, as far as they do not need the system.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import NetworkSimulation
import Synchronization
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// Dials into memory, and keeps in whose name.
private final class FakeDialler: SystemDialler {
    private let state = Mutex<(error: (any Error & Sendable)?, tokens: [Data?])>((nil, []))
    var tokens: [Data?] { state.withLock { $0.tokens } }

    func fail(with error: any Error) { state.withLock { $0.error = error } }

    func dial(
        _ origin: Endpoint, for flow: SystemFlow<NEAppProxyFlow>?, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let parameters = NWParameters()
        parameters.prepare(for: flow?.flow)
        state.withLock { $0.tokens.append(parameters.simulatedSourceToken) }
        if let error = state.withLock({ $0.error }) { return loop.makeFailedFuture(error) }
        return loop.submit {
            let channel = EmbeddedChannel(loop: loop as? EmbeddedEventLoop ?? EmbeddedEventLoop())
            return channel as any Channel
        }
    }
}

private func flow(token: Data?) -> NEAppProxyFlow {
    let metaData = NEFlowMetaData(token: token, unique: Data(), identifier: "", filterFlow: nil)
    return NEAppProxyUDPFlow(
        metaData: metaData, remoteHostname: nil, isBound: false, local: nil, kernel: ScriptedDatagrams())
}

@Suite("The attributed egress")
struct AttributedEgressTests {
    private let loop = EmbeddedEventLoop()
    private let attribution = FlowAttribution(capacity: 2)
    private let dialler = FakeDialler()
    private let records = DatagramRecords()
    private let egress: AttributedEgress
    private let facts: FlowFacts
    private let origin: Endpoint

    init() throws {
        egress = AttributedEgress(attribution, dialler: dialler, metrics: records)
        origin = try #require(Endpoint("192.0.2.1:443"))
        facts = FlowFacts(intake: .networkExtension, destination: origin, startedAt: 0)
    }

    private func connect() throws -> EmbeddedChannel {
        let connected = egress.connect(to: origin, for: facts, on: loop)
        loop.run()
        return try #require(try connected.wait() as? EmbeddedChannel)
    }

    @Test("A connection is made in the name of its flow's application, and in ours when the flow is not known")
    func inWhoseName() throws {
        attribution.attribute(facts.id, to: flow(token: Data([1, 2, 3])))
        _ = try connect()
        attribution.forget(facts.id)
        _ = try connect()
        #expect(dialler.tokens == [Data([1, 2, 3]), nil])
        #expect(records.count("egress_unattributed_total") == 1)
        #expect(attribution.count == 0)
    }

    @Test("A full table takes no more, and a flow it has is replaced")
    func capacity() throws {
        let ids = [FlowID(1), FlowID(2), FlowID(3)]
        for id in ids { attribution.attribute(id, to: flow(token: nil)) }
        attribution.attribute(ids[0], to: flow(token: Data([9])))
        #expect(attribution.count == 2)
        #expect(attribution.flow(ids[2]) == nil)
        #expect(attribution.flow(ids[0])?.flow.metaData.sourceAppAuditToken == Data([9]))
    }

    @Test("No connection goes through a proxy of the system's settings")
    func noProxies() {
        let parameters = NWParameters()
        parameters.prepare(for: nil)
        #expect(parameters.preferNoProxies)
        #expect(parameters.simulatedSourceToken == nil)
    }

    @Test(
        "The system's error becomes what the application hears",
        arguments: [
            (DialError.posix(ECONNREFUSED), ConnectFailure.refused), (.posix(ETIMEDOUT), .timedOut),
            (.posix(EHOSTUNREACH), .hostUnreachable), (.posix(ENETUNREACH), .networkUnreachable),
            (.posix(ENETDOWN), .networkUnreachable), (.posix(ECONNRESET), .reset), (.posix(ECONNABORTED), .reset),
            (.posix(ENOMEM), .unavailable), (.posix(EMFILE), .unavailable), (.posix(EPERM), .hostUnreachable),
            (.dns(-65538), .nameNotFound), (.dns(-65554), .nameNotFound), (.dns(-65568), .timedOut),
            (.dns(-65570), .denied), (.dns(-65569), .unavailable), (.tls(-9807), .hostUnreachable),
            (.other, .hostUnreachable),
        ])
    func failures(error: DialError, failure: ConnectFailure) throws {
        dialler.fail(with: error)
        #expect(throws: failure) { try connect() }
        #expect(egress.liveConnections == 0)
    }

    @Test("A dial that takes too long timed out, and our own failure stays what it is")
    func otherFailures() {
        dialler.fail(with: ChannelError.connectTimeout(.seconds(30)))
        #expect(throws: ConnectFailure.timedOut) { try connect() }
        dialler.fail(with: ConnectFailure.unavailable)
        #expect(throws: ConnectFailure.unavailable) { try connect() }
    }

    // MARK: After sleep

    private var grace: Int64 { Int64(AppleIntakeLimits.wakeGrace.value) }

    private func wake(_ channel: EmbeddedChannel) {
        egress.woke()
        loop.run()
    }

    @Test("A connection that is still without a path a while after a wake-up is ended, as one that failed")
    func deadAfterWake() throws {
        let channel = try connect()
        channel.pipeline.fireUserInboundEventTriggered(PathViability(isViable: false))
        wake(channel)
        loop.advanceTime(by: .milliseconds(grace - 1))
        #expect(egress.liveConnections == 1)
        loop.advanceTime(by: .milliseconds(1))
        #expect(throws: ChannelError.eof) { try channel.throwIfErrorCaught() }
        #expect(egress.liveConnections == 0)
        #expect(records.count(AppleIntakeLimits.wakeGrace.metric) == 1)
    }

    @Test("A path that is lost within the grace counts, one that comes back does not", arguments: [false, true])
    func pathChanges(comesBack: Bool) throws {
        let channel = try connect()
        channel.pipeline.fireUserInboundEventTriggered(PathViability(isViable: comesBack ? false : true))
        wake(channel)
        loop.advanceTime(by: .seconds(1))
        channel.pipeline.fireUserInboundEventTriggered(PathViability(isViable: comesBack))
        loop.advanceTime(by: .milliseconds(grace))
        #expect(egress.liveConnections == (comesBack ? 1 : 0))
    }

    @Test("Bytes show that a connection lives, whatever the system says of its path")
    func bytesCount() throws {
        let channel = try connect()
        channel.pipeline.fireUserInboundEventTriggered(PathViability(isViable: false))
        wake(channel)
        channel.pipeline.fireChannelRead(ByteBuffer(string: "a"))
        loop.advanceTime(by: .milliseconds(grace))
        #expect(egress.liveConnections == 1)
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "a"))
    }

    @Test("A silent connection that has a path is left alone, and one without a path too while nothing woke up")
    func leftAlone() throws {
        let silent = try connect()
        wake(silent)
        let pathless = try connect()
        pathless.pipeline.fireUserInboundEventTriggered(PathViability(isViable: false))
        loop.advanceTime(by: .hours(1))
        #expect(egress.liveConnections == 2)
    }

    @Test("A second wake-up gives the whole grace again, and the events of others pass through")
    func wokenTwice() throws {
        let channel = try connect()
        channel.pipeline.fireUserInboundEventTriggered(PathViability(isViable: false))
        wake(channel)
        loop.advanceTime(by: .milliseconds(grace - 1))
        wake(channel)
        loop.advanceTime(by: .milliseconds(grace - 1))
        #expect(egress.liveConnections == 1)
        channel.close(promise: nil)
        loop.run()
        loop.advanceTime(by: .milliseconds(grace))
        #expect(records.count(AppleIntakeLimits.wakeGrace.metric) == 0, "it was closed before the look")
    }
}

@Suite("The choice of the way out, and its endpoints")
struct FlowEgressTests {
    private struct Sockets: Egress {
        func connect(
            to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop
        ) -> EventLoopFuture<any Channel> { loop.makeFailedFuture(ConnectFailure.refused) }
    }

    @Test("Where the system cannot attribute connections, sockets are used on their own loops")
    func choice() {
        let loop = EmbeddedEventLoop()
        let best = FlowEgress.best(FlowAttribution(), metrics: NoSink()) {
            FlowEgress(egress: Sockets(), loops: loop)
        }
        #expect(best.egress is Sockets)
        #expect(best.loops === loop)
        best.woke()
    }

    @Test(
        "An endpoint of ours survives the way to the system's and back",
        arguments: ["192.0.2.1:443", "[2001:db8::1]:5000", "host.example:80", "[::1]:1"])
    func roundTrip(text: String) throws {
        let endpoint = try #require(Endpoint(text))
        let system = try #require(SystemEndpoint(endpoint))
        #expect(Endpoint(system) == endpoint)
    }

    @Test("A link-local address names the interface of its scope")
    func scope() throws {
        let endpoint = try #require(Endpoint("[fe80::1%1]:9"))
        guard case .hostPort(.ipv6(let address), _) = try #require(SystemEndpoint(endpoint)) else {
            Issue.record("no IPv6 address")
            return
        }
        #expect(address.interface?.name.hasPrefix("lo") == true, "interface 1 is the loopback")
    }

    @Test(
        "An endpoint of ours survives the way to a socket's and back, its scope too",
        arguments: ["192.0.2.1:443", "[2001:db8::1]:5000", "[fe80::1%7]:65535", "0.0.0.0:1"])
    func socketAddress(text: String) throws {
        let endpoint = try #require(Endpoint(text))
        let address = try #require(SocketAddress(endpoint))
        #expect(Endpoint(address) == endpoint)
    }

    @Test("A mapped IPv4 address of a socket is the IPv4 address, and what is no address is none")
    func mapped() throws {
        #expect(
            Endpoint(try SocketAddress(ipAddress: "::ffff:192.0.2.1", port: 7)) == Endpoint("192.0.2.1:7"))
        #expect(Endpoint(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
        #expect(Endpoint(Optional<SocketAddress>.none) == nil)
        #expect(try SocketAddress(#require(Endpoint("host.example:1"))) == nil)
    }

    @Test("Limits have names of their own")
    func limits() {
        let names = AppleIntakeLimits.datagrams.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(AppleIntakeLimits.datagrams.allSatisfy { $0.value > 0 && !$0.reason.isEmpty })
    }
}
