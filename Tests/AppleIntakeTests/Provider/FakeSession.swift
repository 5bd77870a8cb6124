// SPDX-License-Identifier: Apache-2.0

// A provider whose system is the test: it answers what the test lets it answer, and notes what was done and where.

import CodeIdentity
import ContentInspection
import Dispatch
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import NIOCore
import NIOPosix
import NetworkSimulation
import Synchronization
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// What happened, in order, for tests to wait for.
final class Events: Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }

    func add(_ event: String) { state.withLock { $0.append(event) } }

    func count(_ event: String) -> Int { all.count { $0 == event } }

    /// Waits, with much patience, until something has happened so often.
    func wait(for event: String, _ times: Int = 1) async throws {
        for _ in 0..<3000 {
            if count(event) >= times { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(event) has not happened \(times) times: \(all)")
        throw CancellationError()
    }
}

/// A provider as the program would derive it.
// Sendable as its superclass is: what changes is behind locks, and the queue is one that may be shared.
// The script is set before the provider is shared, and read behind a lock all the same.
final class SampleProvider: TransparentProxy, @unchecked Sendable {
    /// What the test decides; set before the provider is started.
    struct Script: Sendable {
        var make: @Sendable (ProviderServices) async throws -> ProviderServices = { $0 }
        /// Nil never answers.
        var rules: @Sendable (NETransparentProxyNetworkSettings) -> (any Error)?? = { _ in .some(nil) }
        var policy = SampleProvider.policy(port: 443)
        var hooks = ProviderHooks()
        /// The simulated Mac answers to rules, as `amend` leaves them, instead of `rules`.
        var amend: (@Sendable (NETransparentProxyNetworkSettings) -> Void)?
    }

    /// The queue on which the system calls, as it would.
    let queue = DispatchQueue(label: "NEFlow")
    private static let isQueue = DispatchSpecificKey<Bool>()
    let events: Events
    let made = Mutex<[ProviderServices]>([])
    private let script: Mutex<Script>

    init(_ script: Script = Script(), waits: ProviderWaits = ProviderWaits(), events: Events = Events()) {
        self.script = Mutex(script)
        self.events = events
        super.init(watchdog: Watchdog(), waits: waits)
        queue.setSpecific(key: Self.isQueue, value: true)
    }

    /// Does what the system does: calls an entry point on the queue, and waits until it has returned.
    func onSystemQueue<Answer>(_ entry: (SampleProvider) -> Answer) -> Answer { queue.sync { entry(self) } }

    /// Notes what is done, and says when it is done on the queue, where it must not be.
    private func note(_ event: String) {
        events.add(event)
        if DispatchQueue.getSpecific(key: Self.isQueue) == true { events.add("on the queue: \(event)") }
    }

    override func makeServices() async throws -> ProviderServices {
        note("make")
        let script = script.withLock { $0 }
        var hooks = script.hooks
        let (close, notify, woke) = (hooks.close, hooks.notify, hooks.woke)
        hooks.close = { [weak self] in
            self?.note("close")
            await close()
        }
        hooks.notify = { [weak self] reason in
            self?.note("notice \(reason.code)")
            notify(reason)
        }
        hooks.woke = { [weak self] in
            self?.note("woke")
            await woke()
        }
        let services = try await script.make(Self.services(script.policy, hooks))
        made.withLock { $0.append(services) }
        return services
    }

    /// Claims what goes to 192.0.2.1.
    override func admit(_ flow: NEAppProxyFlow, _ firstDestination: Endpoint?, _ running: RunningProvider) -> Bool {
        events.add("admit \(firstDestination?.description ?? "anywhere")")
        return firstDestination?.address == FlowModel.IPAddress("192.0.2.1")
    }

    override func setTunnelNetworkSettings(
        _ tunnelNetworkSettings: NETunnelNetworkSettings?, completionHandler: (((any Error)?) -> Void)? = nil
    ) {
        guard let settings = tunnelNetworkSettings as? NETransparentProxyNetworkSettings else { return }
        note("rules \(Self.words(settings))")
        if let amend = script.withLock({ $0.amend }) {
            amend(settings)
            return super.setTunnelNetworkSettings(settings, completionHandler: completionHandler)
        }
        let answer = script.withLock { $0.rules }(settings)
        if let answer { completionHandler?(answer) }
    }

    // MARK: As the system calls

    func start(_ name: String = "start") {
        onSystemQueue { provider in
            provider.startProxy(options: nil) { [events] error in
                events.add("\(name): \((error as? ProviderFailure)?.code.rawValue ?? error.map { "\($0)" } ?? "runs")")
            }
        }
    }

    func stop(_ name: String = "stop") {
        onSystemQueue { provider in
            provider.stopProxy(with: .userInitiated) { [events] in events.add("\(name): done") }
        }
    }

    func send(_ message: Data) async throws -> ProviderReply {
        let (replies, reply) = AsyncStream.makeStream(of: Data?.self)
        onSystemQueue { provider in provider.handleAppMessage(message) { reply.yield($0) } }
        var iterator = replies.makeAsyncIterator()
        let data = try #require(await iterator.next() ?? nil)
        return try JSONDecoder().decode(ProviderReply.self, from: data)
    }

    /// How it stands, asked as an app would.
    func standing() async throws -> ProviderStatus {
        let reply = try await send(JSONEncoder().encode(ProviderRequest()))
        return try #require(reply.status)
    }

    /// Does what the program does when the policy in force is another: no port is the mode `off`.
    func use(port: Int?) async throws {
        let made = made.withLock { $0.last }
        try #require(made).engine.use(Self.snapshot(port: port))
        try await followPolicy()
    }

    // MARK: Samples

    /// The rules in words: the included ports, the number of excluded rules.
    static func words(_ settings: NETransparentProxyNetworkSettings) -> String {
        let ports = (settings.includedNetworkRules ?? []).map { rule -> String in
            guard case .hostPort(_, let port) = rule.matchRemoteHostOrNetworkEndpoint else { return "*" }
            return "\(port.rawValue)"
        }
        return ports.isEmpty ? "none" : Set(ports).sorted().joined(separator: ",")
    }

    /// A policy that takes one port, or nothing because its mode is `off`.
    static func policy(port: Int?) -> Policy {
        let text = """
            version: 1
            mode: \(port == nil ? "off" : "enforce")
            rules:
              - {name: it, when: {transport: tcp, port: \(port ?? 443)}, then: relay}

            """
        do {
            return try Policy.read(yaml: text, file: "sample", PolicyEnvironment(detectors: []))
        } catch {
            Issue.record("\(error)")
            preconditionFailure("a sample that cannot be read")
        }
    }

    static func snapshot(port: Int?) -> PolicySnapshot {
        PolicySnapshot(policy: policy(port: port), key: FindingKey(bytes: [1]))
    }

    static func services(_ policy: Policy, _ hooks: ProviderHooks) -> ProviderServices {
        ProviderServices(
            engine: FlowEngine(
                policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: [1])),
                services: EngineServices(
                    egress: NoEgress(), sink: NoSink(), metrics: NoSink(), takeover: nil, now: { 1_000 })),
            loops: MultiThreadedEventLoopGroup.singleton, identities: Nobody(), datagrams: NoEgress(), sink: NoSink(),
            metrics: NoSink(), now: { 1_000 }, hooks: hooks)
    }

    /// A flow that nobody made.
    static func flow(to host: NWEndpoint.Host = "192.0.2.1") -> NEAppProxyTCPFlow {
        NEAppProxyTCPFlow(
            metaData: NEFlowMetaData(token: nil, unique: Data(), identifier: "", filterFlow: nil), remoteHostname: nil,
            isBound: false, remote: .hostPort(host: host, port: 443), kernel: NoStream())
    }
}

extension SampleProvider {
    /// A UDP flow that nobody made, and where it goes first.
    static func datagramFlow() -> (NEAppProxyUDPFlow, NWEndpoint) {
        (
            NEAppProxyUDPFlow(
                metaData: NEFlowMetaData(token: nil, unique: Data(), identifier: "", filterFlow: nil),
                remoteHostname: nil, isBound: false, local: nil, kernel: NoStream()),
            .hostPort(host: "192.0.2.1", port: 443)
        )
    }
}

/// Nothing is known of anybody.
private struct Nobody: SystemCode {
    func immediate(_ process: AuditToken?, now: ContinuousClock.Instant) -> MakerAnswer {
        MakerAnswer(summary: IdentitySummary(.unknown(.noToken)), unknown: .noProcess)
    }
    func later(
        _ process: AuditToken?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) { receive(immediate(process, now: now)) }
}

/// Nothing can be reached.
private struct NoEgress: Egress, DatagramEgress {
    var loops: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }
    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(ConnectFailure.unavailable)
    }
    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(ConnectFailure.unavailable)
    }
}

/// The kernel side of a flow that nothing happens to.
private final class NoStream: KernelStream, KernelDatagrams {
    var interface: NWInterface? {
        get { nil }
        set {}
    }
    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {}
    func closeRead(_ error: (any Error)?) {}
    func closeWrite(_ error: (any Error)?) {}
    func read(_ done: @escaping (Data?, (any Error)?) -> Void) {}
    func write(_ data: Data, _ done: @escaping @Sendable ((any Error)?) -> Void) {}
    func read(_ done: @escaping ([(Data, NWEndpoint)]?, (any Error)?) -> Void) {}
    func write(_ datagrams: [(Data, NWEndpoint)], _ done: @escaping ((any Error)?) -> Void) {}
}
