// SPDX-License-Identifier: Apache-2.0

// A simulated Mac with the whole provider on it, an Internet of real servers on loopback, and a record of it all.

import CodeIdentity
import ContentInspection
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

/// A machine, its applications, and what is installed on it as Weir.
final class MacRig: Sendable {
    /// A site whose connections are inspected, and one that a rule of the system leaves alone.
    static let site = NWEndpoint.hostPort(host: "203.0.113.7", port: 80)
    static let excluded = NWEndpoint.hostPort(host: "198.51.100.7", port: 80)

    let internet = LoopbackInternet()
    let mac: SimulatedMac
    let weir: InstalledWeir
    let proxy: InstalledProxy
    let app: SimulatedProcess

    /// Installs Weir, which a test then starts; `policy` is a preset or a policy's text.
    init(
        _ knobs: Knobs = Knobs(), policy: String = MacRig.policy(), order: Int? = nil, waits: ProviderWaits = .init(),
        beat: Int = AppleIntakeLimits.beatInterval.value
    ) {
        mac = SimulatedMac(knobs, internet: internet)
        (weir, proxy) = InstalledWeir.install(on: mac, "weir", policy, order: order, waits: waits, beat: beat)
        app = mac.launch(SimulatedProgram("app", signingIdentifier: "com.example.app", team: "AB12CD34EF"))
    }

    /// A policy that inspects what third parties send, but to `excluded`.
    static func policy(_ first: String = "", mode: String = "enforce") -> String {
        """
        version: 1
        mode: \(mode)
        unknown: {no-token: bypass, platform-unresolved: bypass, exited: hold, third-party-pending: hold}
        vendor: {teams: [WEIR012345]}
        rules:
          - {name: not ours, when: {address: 198.51.100.0/24}, then: bypass}
          \(first)
          - {name: the system, when: {class: os}, then: bypass}
          - {name: our own helper, when: {class: vendor}, then: bypass}
          - {name: look, then: inspect, profile: strict}
        profiles: {strict: {detect: [payment-card], on_failure: {before_takeover: block}}}
        """
    }

    /// A real server in the place of an endpoint.
    @discardableResult
    func serve(_ endpoint: NWEndpoint = MacRig.site, _ behaviour: Origin.Behaviour = .http(ok)) async throws -> Origin {
        let origin = try await Origin(behaviour, on: MultiThreadedEventLoopGroup.singleton)
        internet.place(endpoint, at: .loopback(port: origin.endpoint.port))
        return origin
    }

    /// A real server that sends datagrams back, in the place of an endpoint; to be closed by the test.
    func serveDatagrams(_ endpoint: NWEndpoint) async throws -> any Channel {
        let server = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(DatagramEcho()) }
            .bind(host: "127.0.0.1", port: 0).get()
        let real = try #require(server.localAddress)
        let shown = try #require(Endpoint(endpoint).flatMap { SocketAddress($0) })
        let port = try #require(real.port)
        weir.datagramServers.change { $0.append((shown, real)) }
        internet.place(endpoint, at: .loopback(port: UInt16(port)))
        return server
    }

    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// How a provider stands, as its app asks it.
    func status() async throws -> ProviderStatus {
        let reply = try #require(await proxy.send(try JSONEncoder().encode(ProviderRequest())))
        return try #require(try JSONDecoder().decode(ProviderReply.self, from: reply).status)
    }

    /// Starts, and holds the flows of four programs until they may be examined; gives how each connect fails.
    func startHolding(until examined: DispatchSemaphore) async throws -> [Task<Int32?, Never>] {
        weir.beforeExamination.change {
            $0 = {
                examined.wait()
                examined.signal()
            }
        }
        try await proxy.start()
        let connecting = (0..<4).map { number in
            let process = mac.launch(SimulatedProgram("tool \(number)", team: "AB12CD34EF"))
            return Task { await process.failure() }
        }
        try await eventually("all are held") { try await self.status().heldFlows == 4 }
        return connecting
    }

    /// Waits until nothing of any flow is left, in any of the extension's processes so far.
    func nothingIsLeft(_ place: SourceLocation = #_sourceLocation) async throws {
        try await eventually("nothing is left, but \(weir.remains)", place) { self.weir.remains.isEmpty }
    }

    /// Waits until something holds; fails after a time that no healthy machine needs.
    func eventually(
        _ what: @autoclosure () -> Comment, _ place: SourceLocation = #_sourceLocation,
        _ holds: () async throws -> Bool
    ) async throws {
        for _ in 0..<3_000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(try await holds(), what(), sourceLocation: place)
    }
}

// MARK: Applications

extension SimulatedProcess {
    /// Connects, asks once over HTTP, and keeps the connection; fails as the application would.
    func ask(_ endpoint: NWEndpoint = MacRig.site, delegate: SimulatedProcess? = nil) async throws -> SimulatedSocket {
        let socket = try await connect(to: endpoint, delegate: delegate)
        try await socket.ask()
        return socket
    }

    /// The error of a connect that fails; nil when it does not.
    func failure(_ endpoint: NWEndpoint = MacRig.site) async -> Int32? {
        await errno { try await self.connect(to: endpoint).close() }
    }
}

extension SimulatedSocket {
    /// Sends one request and takes its answer.
    func ask() async throws {
        try await send(MacRig.request)
        var answer = Data()
        while answer.count < MacRig.ok.utf8.count {
            let part = try await receive()
            if part.isEmpty { break }
            answer.append(part)
        }
        try #require(answer == Data(MacRig.ok.utf8), "\(way)")
    }

    /// How it ends when nothing more is asked: the error, nil for an orderly end.
    func end() async -> Int32? { await errno { while try await !self.receive().isEmpty {} } }
}

extension MacRig {
    static let request = Data(
        "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}"
            .utf8)
}

/// The number of the socket error that the body ends with; nil when it does not.
func errno(_ body: () async throws -> Void) async -> Int32? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? SocketError)?.errno ?? -1
    }
}

// MARK: What is installed

/// Weir as installed on one machine: what outlives each process of its extension.
final class InstalledWeir: Sendable, FlowSink, MetricSink {
    let policy: Gate<String>
    let modeCap = Gate<ModeCap?>(nil)
    private let deaths = DeathsInMemory()
    /// One for each process, by its token.
    private let registers = Gate<[Data: DeathRegister]>([:])
    let waits: ProviderWaits
    /// Milliseconds between two looks of the watchdog, which ends the extension's process.
    let beat: Int
    let kernel: TableOfPrograms
    let proxy = Gate<InstalledProxy?>(nil)
    let runs = Gate<[(RunningProvider, SimulatedProcess)]>([])
    /// The provider that was made last, and its engine.
    private let running = Gate<(provider: WeakProvider, engine: FlowEngine)?>(nil)
    /// Connections that the engines have open.
    let channels = Atomic(0)
    private let flows = Gate<[WeakFlow]>([])
    /// The real address that stands for one that programs see.
    let datagramServers = Gate<[(shown: SocketAddress, real: SocketAddress)]>([])
    let records = Gate<[FlowRecord]>([])
    let notices = Gate<[NoticeRecord]>([])
    let counts = Gate<[String: Int]>([:])
    /// Callbacks of the system, by name.
    let calls = Gate<[String: Int]>([:])
    /// What each new flow is made to do first, on the provider's queue.
    let beforeFlow = Gate<(@Sendable () -> Void)?>(nil)
    /// What each examination of a program does first, on a thread of its own.
    let beforeExamination: Gate<(@Sendable () -> Void)?>
    /// What a reading of the policy waits for.
    let beforeReading = Gate<(@Sendable () async -> Void)?>(nil)
    /// Milliseconds since 1970-01-01 UTC, which is also the time since the machine was started.
    let time = Gate<Int64>(1_800_000_000_000)

    private init(_ policy: String, _ processes: ProcessTable, _ waits: ProviderWaits, beat: Int) {
        self.policy = Gate(policy)
        self.waits = waits
        self.beat = beat
        let beforeExamination = Gate<(@Sendable () -> Void)?>(nil)
        self.beforeExamination = beforeExamination
        kernel = TableOfPrograms(processes) { beforeExamination.read { $0 }?() }
    }

    /// Installs it beside what is there already.
    static func install(
        on mac: SimulatedMac, _ name: String, _ policy: String = MacRig.policy(), order: Int? = nil,
        waits: ProviderWaits = .init(), beat: Int = AppleIntakeLimits.beatInterval.value
    ) -> (InstalledWeir, InstalledProxy) {
        let weir = InstalledWeir(policy, mac.processes, waits, beat: beat)
        let proxy = mac.install(name, order: order) { WeirUnderTest(weir) }
        weir.proxy.change { $0 = proxy }
        return (weir, proxy)
    }

    /// Reads the policy that is installed now.
    private func reading() async throws -> Policy {
        await beforeReading.read { $0 }?()
        let environment = PolicyEnvironment(
            detectors: Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }, modeCap: modeCap.read { $0 })
        let text = policy.read { $0 }
        return try Policy.preset(text, environment) ?? Policy.read(yaml: text, file: "policy", environment)
    }

    private func snapshot(_ policy: Policy) -> PolicySnapshot {
        PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32)))
    }

    /// The register of deaths as one process has it.
    private func register(of process: SimulatedProcess) -> DeathRegister {
        registers.change { registers in
            if let register = registers[process.token] { return register }
            let register = DeathRegister(storage: deaths, metrics: NoSink()) { [time] in
                MachineMoment(boot: "one", milliseconds: time.read { $0 })
            }
            registers[process.token] = register
            return register
        }
    }

    // MARK: What the program does around its provider

    /// Reads the policy again; it is in force for new flows, and the rules follow.
    func reload() async throws {
        let (provider, engine) = try #require(running.read { $0 })
        engine.use(snapshot(try await reading()))
        try await provider.provider?.followPolicy()
    }

    /// Takes nothing, or takes flows again.
    func rest(_ isResting: Bool) async throws {
        modeCap.change { $0 = isResting ? ModeCap(.off, because: "somebody wants it to rest") : nil }
        try await reload()
    }

    /// Takes flows again after too many deaths.
    func rearm() async throws {
        let process = try #require(proxy.read { $0?.process })
        for notice in register(of: process).rearm(at: time.read { $0 }) { record(notice: notice) }
        try await running.read { $0 }?.provider.provider?.arm()
    }

    fileprivate func runs(_ provider: WeirUnderTest, _ engine: FlowEngine) {
        running.change { $0 = (WeakProvider(provider: provider), engine) }
    }

    func services() async throws -> ProviderServices {
        guard let process = proxy.read({ $0?.process }) else { throw CocoaError(.featureUnsupported) }
        let policy = try await reading()
        let now: @Sendable () -> Int64 = { [time] in time.read { $0 } }
        let loops = MultiThreadedEventLoopGroup.singleton
        let engine = FlowEngine(
            policy: snapshot(policy),
            services: EngineServices(
                egress: ExtensionEgress(process, self), sink: self, metrics: self, takeover: nil, now: now))
        let texts = policy.requirements.map { RequirementPrinter.text($0.compiled.expression) }
        let settings = try AppleIdentityResolver.Settings(
            requirements: Array(Set(texts)).sorted(), osPrograms: TableOfPrograms.osPrograms)
        let identities = IdentityWorkers(kernel: kernel, oracle: kernel, settings: settings, metrics: self)
        let deaths = register(of: process)
        let beginning = deaths.begin(approved: policy.digest, at: now())
        for notice in beginning.notices { record(notice: notice) }
        var hooks = ProviderHooks()
        hooks.disarmed = beginning.isArmed ? nil : "it died too often"
        hooks.woke = { self.count("woke") }
        hooks.notify = { self.record(notice: NoticeRecord(at: now(), .warning, $0)) }
        hooks.close = {
            self.count("close")
            identities.stop()
            deaths.end()
        }
        return ProviderServices(
            engine: engine, loops: loops, identities: identities, datagrams: LoopbackDatagrams(loops, self),
            sink: self, metrics: self, now: now, hooks: hooks)
    }

    /// What is there of flows, by name; empty when none.
    var remains: [String: Int] {
        let proxy = proxy.read { $0 }
        var counts = [
            "flows of the system": proxy?.flowCount ?? 0,
            "connections of the extension": proxy?.process.egressCount ?? 0,
            "channels": channels.load(ordering: .relaxed),
            "flow objects": flows.change { flows in
                flows.removeAll { $0.flow == nil }
                return flows.count
            },
        ]
        for (run, process) in runs.read({ $0 }) {
            // The memory of a dead process is gone; here it is let go of.
            if !process.isAlive {
                run.admission.stop()
                run.services.engine.abortAll()
                (run.services.identities as? IdentityWorkers)?.stop()
            }
            counts["live flows", default: 0] += run.services.engine.liveFlows
            counts["seats", default: 0] += run.admission.budget.flows.taken
            counts["held", default: 0] += run.admission.held.count + run.admission.budget.held.taken
            counts["attributed", default: 0] += run.services.attribution.count
        }
        return counts.filter { $0.value != 0 }
    }

    fileprivate func claimed(_ flow: NEAppProxyFlow) { flows.change { $0.append(WeakFlow(flow: flow)) } }
    func count(_ call: String) { calls.change { $0[call, default: 0] += 1 } }
    func calls(_ name: String) -> Int { calls.read { $0[name] ?? 0 } }
    var codes: [String] { notices.read { $0.map(\.reason.code) } }

    func record(flow: FlowRecord) { records.change { $0.append(flow) } }
    func record(message: MessageRecord) {}
    func record(finding: FindingRecord) {}
    func record(notice: NoticeRecord) { notices.change { $0.append(notice) } }
    func add(_ counter: StaticString, _ amount: Int) { counts.change { $0["\(counter)", default: 0] += amount } }
}

// Every one is behind the lock of its list;
// the reference is only compared with nil.
private struct WeakFlow: @unchecked Sendable { weak var flow: NEAppProxyFlow? }

// The class is Sendable;
// only the reference to it changes, when it goes.
private struct WeakProvider: @unchecked Sendable { weak var provider: WeirUnderTest? }

/// The provider as a program derives it, in one process.
// Sendable: two constants of types that are it themselves;
// for the rest its class says why.
final class WeirUnderTest: TransparentProxy, @unchecked Sendable {
    private let weir: InstalledWeir
    private let isKnown = Atomic(false)

    init(_ weir: InstalledWeir) {
        self.weir = weir
        super.init(
            watchdog: Watchdog(interval: weir.beat, stacks: nil) { [weir] in weir.proxy.read { $0 }?.kill() },
            waits: weir.waits)
    }

    override func makeServices() async throws -> ProviderServices {
        weir.count("make")
        let services = try await weir.services()
        weir.runs(self, services.engine)
        return services
    }

    override func stopProxy(with reason: NEProviderStopReason, completionHandler: @escaping @Sendable () -> Void) {
        weir.count("stop")
        super.stopProxy(with: reason, completionHandler: completionHandler)
    }

    override func admit(_ flow: NEAppProxyFlow, _ firstDestination: Endpoint?, _ running: RunningProvider) -> Bool {
        weir.beforeFlow.read { $0 }?()
        if !isKnown.exchange(true, ordering: .relaxed), let process = weir.proxy.read({ $0?.process }) {
            weir.runs.change { $0.append((running, process)) }
        }
        let isClaimed = super.admit(flow, firstDestination, running)
        if isClaimed { weir.claimed(flow) }
        return isClaimed
    }
}

/// The register of deaths of a machine that is not restarted.
final class DeathsInMemory: DeathStorage {
    private let data = Mutex<Data?>(nil)
    func read() throws -> Data? { data.withLock { $0 } }
    func write(_ data: Data) throws { self.data.withLock { $0 = data } }
    func remove() throws { data.withLock { $0 = nil } }
}
