// SPDX-License-Identifier: Apache-2.0

// A simulated Mac with the whole provider under a shipped preset, programs of every kind, and an Internet on loopback.

import CodeIdentity
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

/// A machine on which programs of every kind make flows, and what became of each.
final class ServicesRig: Sendable {
    static let card = "4111 1111 1111 1111"
    static let masked = "XXXX XXXX XXXX 1111"
    static let claimed = SimulatedSocket.Way.claimed(by: "weir")
    static let site = place("203.0.113.7", 80)

    /// Where servers are, for the kernel and for the extension alike.
    let internet = LoopbackInternet()
    let mac: SimulatedMac
    let proxy: InstalledProxy
    let weir: WeirWithServices
    var code: CodeOnMac { weir.code }

    /// Installs and starts Weir; `policy` is a preset or a policy's text.
    init(_ policy: String = "redact", takeover: TakeoverServices? = nil, _ knobs: Knobs = Knobs()) async throws {
        mac = SimulatedMac(knobs, internet: internet)
        let weir = WeirWithServices(policy, takeover, mac.processes)
        self.weir = weir
        proxy = mac.install("weir") { ServicesProvider(weir) }
        try await proxy.start()
    }

    static func place(_ host: String, _ port: UInt16) -> NWEndpoint {
        .hostPort(host: .init(host), port: .init(integerLiteral: port))
    }

    /// A real server in the place of an endpoint, whichever way it is reached.
    @discardableResult
    func serve(_ endpoint: NWEndpoint = site, _ behaviour: Origin.Behaviour = .http(MacRig.ok)) async throws -> Origin {
        let origin = try await Origin(behaviour, on: MultiThreadedEventLoopGroup.singleton)
        try put(endpoint, at: origin.endpoint.port)
        return origin
    }

    /// A real server that handles one connection after the other by hand; it ends with its task.
    func serve(_ endpoint: NWEndpoint, _ body: @escaping @Sendable (RealSocket) async throws -> Void) throws {
        let door = try RealSocket.listen(on: .loopback(port: 0))
        try put(endpoint, at: door.port())
        Task {
            while let socket = try? await door.accept() {
                try? await body(socket)
                socket.close()
            }
        }
    }

    /// A real server of datagrams that gives each back.
    func echoDatagrams(_ endpoint: NWEndpoint) throws {
        let socket = try RealSocket.make(AF_INET, SOCK_DGRAM)
        try socket.bind(to: .loopback(port: 0))
        try put(endpoint, at: socket.port())
        Task {
            while let (data, port) = try? await socket.receiveDatagram() {
                try? socket.send(data, to: .loopback(port: port))
            }
        }
    }

    private func put(_ endpoint: NWEndpoint, at port: UInt16) throws {
        internet.place(endpoint, at: .loopback(port: port))
        let system = try #require(Endpoint(endpoint))
        weir.world.places.change { $0[system] = Endpoint(host: .address(.v4(0x7f00_0001)), port: port) }
    }

    /// Has every connect of the extension to this place fail.
    func fail(_ endpoint: NWEndpoint, _ failure: ConnectFailure) throws {
        let system = try #require(Endpoint(endpoint))
        weir.world.failures.change { $0[system] = failure }
    }

    /// Uploads a card number from a new connection of the program, and says how it was carried and what arrived.
    func upload(
        _ process: SimulatedProcess, to endpoint: NWEndpoint = site, delegate: SimulatedProcess? = nil,
        hostname: String? = nil
    ) async throws -> (way: SimulatedSocket.Way, arrived: String) {
        let origin = try await serve(endpoint)
        let socket = try await process.connect(to: endpoint, hostname: hostname, delegate: delegate)
        let answer = try await socket.upload()
        #expect(answer == MacRig.ok)
        let way = socket.way
        socket.close()
        try await origin.close()
        return (way, String(decoding: origin.received, as: UTF8.self))
    }

    /// Whether the card number of an upload was taken for one and masked.
    func isMasked(
        _ process: SimulatedProcess, to endpoint: NWEndpoint = site, delegate: SimulatedProcess? = nil
    ) async throws -> Bool {
        let (way, arrived) = try await upload(process, to: endpoint, delegate: delegate)
        return way == Self.claimed && arrived.contains(Self.masked) && !arrived.contains(Self.card)
    }

    /// Whether the upload of a program went by Weir untouched.
    func isLeftAlone(
        _ process: SimulatedProcess, to endpoint: NWEndpoint = site, delegate: SimulatedProcess? = nil
    ) async throws -> Bool {
        let (way, arrived) = try await upload(process, to: endpoint, delegate: delegate)
        return way == .declined && arrived.contains(Self.card)
    }

    /// Waits until something holds; fails after a time that no healthy machine needs.
    func eventually(_ what: Comment, _ holds: () -> Bool) async throws {
        for _ in 0..<3_000 where !holds() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(holds(), what)
    }

    /// The record of the only flow that has ended so far to this place.
    func record(of endpoint: NWEndpoint) async throws -> FlowRecord {
        let system = try #require(Endpoint(endpoint))
        let record = await weir.records.wait { records in records.first { $0.facts.destination == system } }
        return try #require(record)
    }

    func end() async throws {
        await proxy.stop(.userInitiated)
        #expect(weir.services.read { $0?.engine.liveFlows } == 0)
    }
}

extension SimulatedSocket {
    /// Uploads a card number over HTTP, and returns the answer.
    func upload() async throws -> String {
        let body = #"{"card":"\#(ServicesRig.card)"}"#
        let head = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n"
        try await send(Data("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        return String(decoding: try await receiveExactly(MacRig.ok.utf8.count), as: UTF8.self)
    }

    /// So many bytes, or fewer when it ends before.
    func receiveExactly(_ count: Int) async throws -> Data {
        var all = Data()
        while all.count < count {
            let part = try await receive(count - all.count)
            if part.isEmpty { break }
            all.append(part)
        }
        return all
    }
}

// MARK: Programs

extension SimulatedProgram {
    private static let signed: UInt32 = 0x2001_0301  // signed, runtime, kill, hard, valid

    /// A program of the system.
    static func system(_ identifier: String) -> Self {
        Self(identifier, signingIdentifier: identifier, isPlatform: true, kernelBits: signed | 0x400_0000)
    }
    /// A program with a Developer ID.
    static func app(_ name: String, identifier: String? = nil, team: String = "AB12CD34EF") -> Self {
        Self(name, signingIdentifier: identifier ?? "com.example.\(name)", kernelBits: signed, team: team)
    }
    /// A program that anybody has signed without a certificate.
    static func adHoc(_ name: String, identifier: String) -> Self {
        Self(name, signingIdentifier: identifier, kernelBits: 0x2000_0003)
    }
    static func unsigned(_ name: String) -> Self { Self(name, cdhash: Data(), kernelBits: 0) }
}

/// Both rungs of identity, read from the table of processes.
final class CodeOnMac: CodeSigningKernel, CodeSigningOracle {
    typealias Examine = @Sendable (SimulatedProcess?) throws(CodeSigningError) -> Void

    /// What the system runs itself, as the inventory of a build lists it.
    static let osPrograms = OSProgramSet(
        identifiers: Set(
            [
                "apsd", "trustd", "mDNSResponder", "configd", "timed", "mdmclient", "captiveagent", "backupd",
                "networkserviceproxy", "nsurlsessiond", "sharingd", "rapportd", "remotepairingd",
            ].map { "com.apple.\($0)" }))

    private let processes: ProcessTable
    /// What an examination does first; it may throw what the examination then fails with.
    let before = Gate<Examine?>(nil)
    let examinations = Gate(0)

    init(_ processes: ProcessTable) { self.processes = processes }

    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        guard let process = processes.process(token.processID) else { return .failure(.exited) }
        guard process.token == Data(token.bytes) else { return .failure(.recycled) }
        let program = process.program
        return .success(
            KernelStatus(
                bits: KernelCodeStatus(rawValue: program.kernelBits),
                cdhash: program.cdhash.isEmpty ? nil : CDHash(Array(program.cdhash)),
                claimedIdentifier: program.kernelBits == 0 ? nil : program.signingIdentifier,
                claimedTeam: program.team))
    }

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        examinations.change { $0 += 1 }
        let process = processes.process(named: Data(token.bytes))
        try before.read { $0 }?(process)
        guard let program = processes.process(named: Data(token.bytes))?.program else {
            throw .code(.noSuchCode)
        }
        return CodeExamination(
            outcomes: [
                AppleRequirements.apple: .unsatisfied,
                AppleRequirements.team: program.team == nil ? .unsatisfied : .satisfied,
            ],
            facts: StaticCodeFacts(
                path: "/Applications/\(program.name)", identifier: program.signingIdentifier, team: program.team,
                cdhash: CDHash(Array(program.cdhash)), flags: [.runtime]))
    }
}

// MARK: The provider and its way out

/// What makes the services of a provider, and keeps what it records.
final class WeirWithServices: FlowSink, MetricSink {
    let policy: String
    let takeover: TakeoverServices?
    let code: CodeOnMac
    let world = LoopbackWorld()
    let services = Gate<ProviderServices?>(nil)
    let records = Gate<[FlowRecord]>([])
    let counts = Gate<[String: Int]>([:])

    init(_ policy: String, _ takeover: TakeoverServices?, _ processes: ProcessTable) {
        self.policy = policy
        self.takeover = takeover
        code = CodeOnMac(processes)
    }

    func make() throws -> ProviderServices {
        let environment = PolicyEnvironment(
            detectors: Detectors.all.map { DetectorName(id: $0.id, family: $0.family) })
        let policy = try Policy.preset(policy, environment) ?? Policy.read(yaml: policy, file: "policy", environment)
        let engine = FlowEngine(
            policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(egress: world, sink: self, metrics: self, takeover: takeover, now: { 1 }))
        let identities = IdentityWorkers(
            kernel: code, oracle: code, settings: try .init(osPrograms: CodeOnMac.osPrograms), metrics: self)
        var hooks = ProviderHooks()
        hooks.close = { identities.stop() }
        let made = ProviderServices(
            engine: engine, loops: MultiThreadedEventLoopGroup.singleton, identities: identities, datagrams: world,
            sink: self, metrics: self, now: { 1 }, hooks: hooks)
        services.change { $0 = made }
        return made
    }

    func record(flow: FlowRecord) { records.change { $0.append(flow) } }
    func record(message: MessageRecord) {}
    func record(finding: FindingRecord) {}
    func add(_ counter: StaticString, _ amount: Int) { counts.change { $0["\(counter)", default: 0] += amount } }
}

/// The provider as a program derives it.
// Sendable: one constant of a type that is it itself;
// for the rest its class says why.
private final class ServicesProvider: TransparentProxy, @unchecked Sendable {
    private let weir: WeirWithServices

    init(_ weir: WeirWithServices) {
        self.weir = weir
        super.init(watchdog: Watchdog(stacks: nil) {}, waits: ProviderWaits())
    }

    override func makeServices() async throws -> ProviderServices { try weir.make() }
}

/// Real sockets to servers that stand on loopback in the place of others.
final class LoopbackWorld: Egress, DatagramEgress {
    let places = Gate<[Endpoint: Endpoint]>([:])
    let failures = Gate<[Endpoint: ConnectFailure]>([:])
    let dialled = Gate<[Endpoint]>([])
    var loops: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }
    private let sockets = SocketEgress()
    private let datagrams = SocketDatagramEgress(loops: MultiThreadedEventLoopGroup.singleton)

    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        dialled.change { $0.append(origin) }
        if let failure = failures.read({ $0[origin] }) { return loop.makeFailedFuture(failure) }
        guard let place = places.read({ $0[origin] }) else {
            return loop.makeFailedFuture(ConnectFailure.hostUnreachable)
        }
        return sockets.connect(to: place, for: facts, on: loop)
    }

    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        datagrams.open(for: facts, on: loop).flatMapThrowing { [self] channel in
            try channel.pipeline.syncOperations.addHandler(InItsPlace(self))
            return channel
        }
    }

    /// Sends to the place of a destination, and gives answers its address.
    private final class InItsPlace: ChannelDuplexHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias InboundOut = AddressedEnvelope<ByteBuffer>
        typealias OutboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        private let world: LoopbackWorld
        private var senders: [UInt16: SocketAddress] = [:]

        init(_ world: LoopbackWorld) { self.world = world }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            var envelope = unwrapOutboundIn(data)
            guard let destination = Endpoint(envelope.remoteAddress),
                let place = world.places.read({ $0[destination] }), let address = SocketAddress(place)
            else {
                promise?.fail(ConnectFailure.hostUnreachable)
                return
            }
            senders[place.port] = envelope.remoteAddress
            envelope.remoteAddress = address
            context.write(wrapOutboundOut(envelope), promise: promise)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var envelope = unwrapInboundIn(data)
            guard let port = Endpoint(envelope.remoteAddress)?.port, let sender = senders[port] else { return }
            envelope.remoteAddress = sender
            context.fireChannelRead(wrapInboundOut(envelope))
        }
    }
}
