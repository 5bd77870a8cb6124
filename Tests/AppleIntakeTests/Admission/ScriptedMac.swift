// SPDX-License-Identifier: Apache-2.0

// A Mac in tables: programs, an oracle and flows that do what a test says.

import AppleIntake
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

@testable import NetworkExtension

/// The programs of these tests.
enum ScriptedProgram: UInt8, CaseIterable {
    case trustd = 1
    case app, helper, unsigned

    var status: KernelStatus {
        let hash = CDHash([UInt8](repeating: rawValue, count: 20))
        return switch self {
        case .trustd:
            KernelStatus(
                bits: [.valid, .signed, .platformBinary, .hard, .kill], cdhash: hash,
                claimedIdentifier: "com.apple.trustd")
        case .app, .helper:
            KernelStatus(
                bits: [.valid, .signed, .runtime, .hard, .kill], cdhash: hash, claimedIdentifier: "com.example.app",
                claimedTeam: team)
        case .unsigned: KernelStatus(bits: [])
        }
    }

    var team: String { self == .helper ? "WEIR012345" : "AB12CD34EF" }

    var examination: CodeExamination {
        CodeExamination(
            outcomes: [AppleRequirements.apple: .unsatisfied, AppleRequirements.team: .satisfied],
            facts: StaticCodeFacts(
                path: "/Applications/App", identifier: "com.example.app", team: team, cdhash: status.cdhash,
                flags: [.runtime]))
    }

    /// A process that runs it; each number is a process of its own.
    func process(_ number: UInt32 = 0) -> AuditToken {
        AuditToken(fields: [501, 501, 20, 501, 20, 1_000_000 * UInt32(rawValue) + number, 100_007, 1])
    }

    init?(_ token: AuditToken) { self.init(rawValue: UInt8(clamping: token.processID / 1_000_000)) }
}

struct ScriptedKernel: CodeSigningKernel {
    func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        ScriptedProgram(token).map { .success($0.status) } ?? .failure(.exited)
    }
}

/// Answers truly, after whatever a test has it do first.
final class ScriptedOracle: CodeSigningOracle {
    private let before = Mutex<@Sendable (AuditToken) -> Void>({ _ in })

    func first(_ body: @escaping @Sendable (AuditToken) -> Void) { before.withLock { $0 = body } }

    func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
        before.withLock { $0 }(token)
        return ScriptedProgram(token)?.examination ?? CodeExamination()
    }
}

/// The kernel's side of a flow: to open it fails, for the application has gone; or nothing is ever heard of it.
final class ScriptedLine: KernelStream, KernelDatagrams {
    private struct State {
        var closes: [Int?] = []
        var opens = 0
        var reads = 0
    }
    private let state = Mutex(State())
    private let isSilent: Bool

    init(isSilent: Bool) { self.isSilent = isSilent }

    var interface: NWInterface? {
        get { nil }
        set {}
    }
    /// Whether both sides were closed.
    var isClosed: Bool { state.withLock { $0.closes.count >= 2 } }
    var opens: Int { state.withLock { $0.opens } }
    var reads: Int { state.withLock { $0.reads } }

    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {
        state.withLock { $0.opens += 1 }
        if !isSilent { done(NEAppProxyFlowError(.peerReset)) }
    }
    func closeRead(_ error: (any Error)?) { close(error) }
    func closeWrite(_ error: (any Error)?) { close(error) }
    func read(_ done: @escaping (Data?, (any Error)?) -> Void) { state.withLock { $0.reads += 1 } }
    func write(_ data: Data, _ done: @escaping @Sendable ((any Error)?) -> Void) {}
    func read(_ done: @escaping ([(Data, NWEndpoint)]?, (any Error)?) -> Void) { state.withLock { $0.reads += 1 } }
    func write(_ datagrams: [(Data, NWEndpoint)], _ done: @escaping ((any Error)?) -> Void) {}

    private func close(_ error: (any Error)?) {
        state.withLock { $0.closes.append((error as? NEAppProxyFlowError)?.code.rawValue) }
    }
}

/// A new flow with its kernel's side.
struct ScriptedFlow {
    let flow: NEAppProxyFlow
    let line: ScriptedLine

    static func tcp(
        _ program: AuditToken?, _ host: String = "192.0.2.1", _ port: UInt16 = 443, name: String? = nil
    ) -> ScriptedFlow { tcp(token: program.map { Data($0.bytes) }, host, port, name: name) }

    static func tcp(token: Data?, _ host: String, _ port: UInt16, name: String? = nil) -> ScriptedFlow {
        ScriptedFlow(isSilent: false) { line in
            NEAppProxyTCPFlow(
                metaData: metaData(token), remoteHostname: name, isBound: false,
                remote: .hostPort(host: .init(host), port: .init(integerLiteral: port)), kernel: line)
        }
    }

    static func udp(_ program: AuditToken?, name: String? = nil) -> ScriptedFlow {
        ScriptedFlow(isSilent: true) { line in
            NEAppProxyUDPFlow(
                metaData: metaData(program.map { Data($0.bytes) }), remoteHostname: name, isBound: false, local: nil,
                kernel: line)
        }
    }

    private init(isSilent: Bool, _ make: (ScriptedLine) -> NEAppProxyFlow) {
        line = ScriptedLine(isSilent: isSilent)
        flow = make(line)
    }

    private static func metaData(_ token: Data?) -> NEFlowMetaData {
        NEFlowMetaData(token: token, unique: Data(), identifier: "com.apple.trustd", filterFlow: nil)
    }
}

/// Dials nobody, and remembers for whom it was asked.
final class DeadEnd: Egress, DatagramEgress, FlowSink, MetricSink {
    let loops: any EventLoopGroup

    init(_ loops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) { self.loops = loops }

    private let asked = Mutex<[(destination: Endpoint, facts: FlowFacts)]>([])
    private let kept = Mutex<[FlowRecord]>([])
    private let counts = Mutex<[String: Int]>([:])

    var dialled: [Endpoint] { asked.withLock { $0.map(\.destination) } }
    var dialledFor: [FlowFacts] { asked.withLock { $0.map(\.facts) } }
    var records: [FlowRecord] { kept.withLock { $0 } }
    func count(_ name: String) -> Int { counts.withLock { $0[name] ?? 0 } }

    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        asked.withLock { $0.append((origin, facts)) }
        return loop.makeFailedFuture(ConnectFailure.refused)
    }
    func open(for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        loop.makeFailedFuture(ConnectFailure.unavailable)
    }
    func record(flow: FlowRecord) { kept.withLock { $0.append(flow) } }
    func record(message: MessageRecord) {}
    func record(finding: FindingRecord) {}
    func add(_ counter: StaticString, _ amount: Int) { counts.withLock { $0["\(counter)", default: 0] += amount } }
}

/// The policies of these tests.
func admissionPolicy(
    _ more: String = "", mode: String = "enforce", noToken: String = "bypass", pending: String = "hold",
    profile: String = "on_failure: {before_takeover: block}"
) throws -> Policy {
    let text = """
        version: 1
        mode: \(mode)
        unknown: {no-token: \(noToken), platform-unresolved: bypass, exited: hold, third-party-pending: \(pending)}
        vendor: {teams: [WEIR012345]}
        \(more)
        rules:
          - {name: leave the system alone, when: {class: os}, then: bypass}
          - {name: our own helper, when: {class: vendor}, then: bypass}
          - {name: bank, when: {to: bank.example}, then: relay}
          - {name: mail, when: {port: 25}, then: relay}
          - {name: bad, when: {address: 192.0.2.66}, then: block}
          - {name: look, then: inspect, profile: strict}
        profiles: {strict: {detect: [payment-card], \(profile)}}
        """
    let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }
    return try Policy.read(yaml: text, file: "test.yaml", PolicyEnvironment(detectors: detectors))
}
