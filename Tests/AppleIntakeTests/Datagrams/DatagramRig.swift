// SPDX-License-Identifier: Apache-2.0

// A UDP flow in memory: a scripted kernel on one side, a socket that the test holds on the other.

import FlowEngine
import FlowModel
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// Opens channels into memory.
// It lives on the embedded loop of one test, which runs on one thread;
// the flow calls it on that loop alone.
final class FakeDatagramEgress: DatagramEgress, @unchecked Sendable {
    let loop: EmbeddedEventLoop
    var loops: any EventLoopGroup { loop }
    var failure: ConnectFailure?
    var waits = false
    private(set) var channels: [EmbeddedChannel] = []
    private var waiting: [EventLoopPromise<any Channel>] = []

    init(_ loop: EmbeddedEventLoop) { self.loop = loop }

    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        let promise = loop.makePromise(of: (any Channel).self)
        waiting.append(promise)
        if !waits { answer() }
        return promise.futureResult
    }

    func answer() {
        for promise in waiting {
            if let failure {
                promise.fail(failure)
                continue
            }
            let channel = EmbeddedChannel(loop: loop)
            // Any address makes it active.
            if let address = try? SocketAddress(ipAddress: "192.0.2.1", port: 1) { _ = channel.connect(to: address) }
            channels.append(channel)
            promise.succeed(channel)
        }
        waiting = []
    }
}

/// A flow under test.
///
/// Time stands still except where a test moves it, and nothing happens except what the test does.
final class DatagramRig {
    let loop = EmbeddedEventLoop()
    let application: ScriptedDatagrams
    let egress: FakeDatagramEgress
    let records = DatagramRecords()
    private(set) var endings = 0
    private var flow: DatagramFlow?
    /// The system's flow, which nobody should keep longer than it lives.
    private(set) weak var system: NEAppProxyUDPFlow?

    init(
        _ codeClass: CodeClass = .thirdParty, to destination: String = "192.0.2.10:4000", hostname: String? = nil,
        takes: Bool = true, policy: String = datagramPolicy, begins: Bool = true
    ) throws {
        application = ScriptedDatagrams(takes: takes)
        egress = FakeDatagramEgress(loop)
        var facts = FlowFacts(
            transport: .udp, intake: .networkExtension, destination: try #require(Endpoint(destination)),
            identity: IdentitySummary(.known(codeClass)), startedAt: 0)
        if let hostname = hostname.flatMap({ HostName($0) }) { facts.learn(hostname, .claimed) }
        let system = application.flow(hostname: hostname)
        self.system = system.flow
        flow = DatagramFlow(
            system, facts: facts,
            services: try .datagrams(egress, records: records, policy: policy), on: loop
        ) { [unowned self] in endings += 1 }
        if begins { begin() }
    }

    func begin() {
        flow?.begin()
        run()
    }

    func run() { loop.run() }

    func wait(seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

    /// The application sends; what comes together is read together.
    func send(_ datagrams: (String, String)...) throws {
        try application.send(datagrams)
        run()
    }

    /// Somebody sends to the socket of the flow.
    func answer(_ datagrams: (String, String)...) throws {
        let channel = try #require(egress.channels.last, "nothing was opened")
        for (text, sender) in datagrams {
            let address = try #require(Endpoint(sender).flatMap(SocketAddress.init))
            channel.pipeline.fireChannelRead(
                AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: text)))
        }
        channel.pipeline.fireChannelReadComplete()
        run()
    }

    /// What left, as `text to endpoint`.
    func sent() throws -> [String] {
        guard let channel = egress.channels.last else { return [] }
        var sent: [String] = []
        while let envelope = try channel.readOutbound(as: AddressedEnvelope<ByteBuffer>.self) {
            let endpoint = try #require(Endpoint(envelope.remoteAddress))
            sent.append("\(String(buffer: envelope.data)) to \(endpoint)")
        }
        return sent
    }

    func end() {
        flow?.end()
        run()
    }

    /// Forgets the flow, as its owner does when it has ended; the answer is whether anything else still keeps it.
    func isKept() -> Bool {
        weak let flow = self.flow
        self.flow = nil
        run()
        return flow != nil
    }

    var record: FlowRecord {
        get throws {
            let flows = records.flows
            try #require(flows.count == 1, "\(flows.count) records")
            return flows[0]
        }
    }

    func note(_ code: String) throws -> String? { try record.notes.first { $0.code == code }?.detail }
}
