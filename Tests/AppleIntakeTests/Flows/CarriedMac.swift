// SPDX-License-Identifier: Apache-2.0

// A simulated Mac whose provider hands each TCP flow to the whole engine, and a real server behind it.

import ContentInspection
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import NIOCore
import NIOPosix
import NetworkSimulation
import SocketTransport
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// A machine, its provider, the engine and the origin.
final class CarriedMac: Sendable {
    static let destination = NWEndpoint.hostPort(host: "203.0.113.7", port: 80)

    let mac: SimulatedMac
    let proxy: InstalledProxy
    let engine: FlowEngine
    let origin: Origin
    private let flows = Gate<[WeakFlow]>([])
    private let app: SimulatedProcess

    // Every one is behind the lock of `flows`;
    // the reference is only compared with nil.
    private struct WeakFlow: @unchecked Sendable { weak var flow: NEAppProxyFlow? }

    /// Starts everything; `origin` is what the server does, nil when nobody listens.
    init(_ knobs: Knobs = Knobs(), policy text: String, origin behaviour: Origin.Behaviour?) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        origin = try await Origin(behaviour ?? .echo, on: group)
        if behaviour == nil { try await origin.close() }
        let environment = PolicyEnvironment(
            detectors: Detectors.all.map { DetectorName(id: $0.id, family: $0.family) })
        let policy = try Policy.preset(text, environment) ?? Policy.read(yaml: text, file: "test.yaml", environment)
        let engine = FlowEngine(
            policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(
                egress: OneOrigin(endpoint: origin.endpoint), sink: NoSink(), metrics: NoSink(), takeover: nil,
                now: { 0 }))
        self.engine = engine
        mac = SimulatedMac(knobs, internet: MemoryInternet())
        app = mac.launch(SimulatedProgram("app"))
        let destination = try #require(Endpoint(Self.destination))
        proxy = mac.install("weir") { [flows] in
            CarryingProvider { flow in
                flows.change { $0.append(WeakFlow(flow: flow.flow)) }
                let loop = group.next()
                let facts = FlowFacts(intake: .networkExtension, destination: destination, startedAt: 0)
                loop.execute { engine.handle(StreamFlow(flow, facts: facts, on: loop)) }
            }
        }
        try await proxy.start(options: nil)
    }

    func connect() async throws -> SimulatedSocket { try await app.connect(to: Self.destination) }

    /// Waits until the engine has no flow, and says how many of the system's flows are still in memory.
    func flowsLeft() async throws -> Int {
        for _ in 0..<1_000 {
            let left = flows.change { $0.count { $0.flow != nil } }
            if engine.liveFlows == 0, left == 0 { return 0 }
            try await Task.sleep(for: .milliseconds(10))
        }
        return flows.change { $0.count { $0.flow != nil } } + engine.liveFlows
    }

    func end() async throws {
        await proxy.stop(.userInitiated)
        try? await origin.close()
    }
}

/// Claims every TCP flow and hands it on.
private final class CarryingProvider: NETransparentProxyProvider {
    private let carry: (SystemFlow<NEAppProxyTCPFlow>) -> Void

    init(_ carry: @escaping (SystemFlow<NEAppProxyTCPFlow>) -> Void) { self.carry = carry }

    override func startProxy(options: [String: Any]?, completionHandler: @escaping @Sendable ((any Error)?) -> Void) {
        let settings = NETransparentProxyNetworkSettings(tunnelRemoteAddress: "127.0.0.1")
        settings.includedNetworkRules = [
            NENetworkRule(
                remoteNetworkEndpoint: nil, remotePrefix: 0, localNetworkEndpoint: nil, localPrefix: 0, protocol: .TCP,
                direction: .outbound)
        ]
        setTunnelNetworkSettings(settings, completionHandler: completionHandler)
    }

    override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool {
        guard let flow = flow as? NEAppProxyTCPFlow else { return false }
        carry(SystemFlow(flow))
        return true
    }
}

/// Dials the one server there is, whatever the destination.
private struct OneOrigin: Egress {
    let endpoint: Endpoint
    private let sockets = SocketEgress()

    init(endpoint: Endpoint) { self.endpoint = endpoint }

    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        sockets.connect(to: endpoint, for: facts, on: loop)
    }
}

/// A server on loopback.
final class Origin: Sendable {
    enum Behaviour: Sendable {
        /// Gives back what comes, and ends when that ends.
        case echo
        /// Sends so many bytes and ends.
        case pour(Int)
        /// Answers each piece that ends a request.
        case http(String)
        /// Resets at the first byte.
        case reset
    }

    let endpoint: Endpoint
    private let channel: any Channel
    private let heard = Gate<(bytes: Data, ends: [String])>((Data(), []))

    init(_ behaviour: Behaviour, on group: any EventLoopGroup) async throws {
        channel = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [heard] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(OriginHandler(behaviour, heard))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        endpoint = try #require(Endpoint(channel.localAddress))
    }

    /// What has come of requests.
    var received: Data { heard.change { $0.bytes } }

    /// Waits until a connection has ended, and says how: `end` or `error`.
    func firstEnd() async -> String? {
        await heard.wait { $0.ends.first }
    }

    func close() async throws { try await channel.close() }
}

private final class OriginHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let behaviour: Origin.Behaviour
    private let heard: Gate<(bytes: Data, ends: [String])>

    init(_ behaviour: Origin.Behaviour, _ heard: Gate<(bytes: Data, ends: [String])>) {
        self.behaviour = behaviour
        self.heard = heard
    }

    func channelActive(context: ChannelHandlerContext) {
        guard case .pour(let count) = behaviour else { return }
        context.writeAndFlush(NIOAny(CarriedBytes.buffer(count)), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch behaviour {
        case .echo:
            context.writeAndFlush(data, promise: nil)
        case .http(let answer):
            let isWhole = heard.change {
                $0.bytes.append(contentsOf: buffer.readableBytesView)
                return $0.bytes.last == UInt8(ascii: "}")
            }
            if isWhole { context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil) }
        case .reset:
            let channel = context.channel
            (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenComplete { _ in channel.close(promise: nil) }
        case .pour:
            break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else { return }
        heard.change { $0.ends.append("end") }
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        heard.change { $0.ends.append("error") }
        context.close(promise: nil)
    }
}

/// Bytes in which a loss, a doubling or a swap shows.
enum CarriedBytes {
    static func data(_ count: Int) -> Data {
        var data = Data(capacity: count + 8)
        var state: UInt64 = 1
        while data.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
        }
        return data.prefix(count)
    }

    static func buffer(_ count: Int) -> ByteBuffer { ByteBuffer(bytes: data(count)) }
}

extension SimulatedSocket {
    /// All until the end.
    func receiveAll() async throws -> Data {
        var all = Data()
        while true {
            let part = try await receive(65_536)
            if part.isEmpty { return all }
            all.append(part)
        }
    }
}
