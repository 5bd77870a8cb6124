// SPDX-License-Identifier: Apache-2.0

// The kernel side of a UDP flow as a test plays it, and the services around the flow.

import CodeIdentity
import ContentInspection
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import NIOCore
import NetworkSimulation
import Synchronization
import Testing

@testable import AppleIntake
@testable import NetworkExtension

/// A UDP socket of an application as the kernel hands it over: does nothing that the test does not say.
final class ScriptedDatagrams: KernelDatagrams {
    typealias Batch = [(Data, NWEndpoint)]

    // Completions of the system are not Sendable, and the system calls each on its own queue:
    // here the lock hands each to one caller, which calls it once.
    private struct Completion<Body>: @unchecked Sendable { let body: Body }

    private struct State {
        var interface: NWInterface?
        var open: Completion<((any Error)?) -> Void>?
        var read: Completion<(Batch?, (any Error)?) -> Void>?
        var writes: [(Batch, Completion<((any Error)?) -> Void>)] = []
        var unread: [Batch] = []
        var written: Batch = []
        var opens = 0
        var overlappingReads = 0
        var mostWrites = 0
        var readClosed: [NEAppProxyFlowError?] = []
        var writeClosed: [NEAppProxyFlowError?] = []
        var ends = false
        /// Writes complete at once when set.
        var takes = true
        var writeError: NEAppProxyFlowError?
    }
    private let state = Mutex(State())

    /// Whether writes are taken at once; otherwise they wait for `take`.
    init(takes: Bool = true) { state.withLock { $0.takes = takes } }

    var interface: NWInterface? {
        get { state.withLock { $0.interface } }
        set { state.withLock { $0.interface = newValue } }
    }

    // MARK: What the provider calls

    func open(_ local: NWEndpoint?, _ done: @escaping ((any Error)?) -> Void) {
        state.withLock { $0.opens += 1 }
        done(nil)
    }

    func read(_ done: @escaping (Batch?, (any Error)?) -> Void) {
        let completion = Completion(body: done)
        state.withLock { state in
            if state.read != nil { state.overlappingReads += 1 }
            state.read = completion
        }
        deliver()
    }

    func write(_ datagrams: Batch, _ done: @escaping ((any Error)?) -> Void) {
        let completion = Completion(body: done)
        let answer: (error: NEAppProxyFlowError?, isNow: Bool) = state.withLock { state in
            guard state.takes else {
                state.writes.append((datagrams, completion))
                state.mostWrites = max(state.mostWrites, state.writes.count)
                return (nil, false)
            }
            let error = datagrams.contains { $0.0.isEmpty } ? NEAppProxyFlowError(.invalidArgument) : state.writeError
            if error == nil { state.written += datagrams }
            return (error, true)
        }
        if answer.isNow { done(answer.error) }
    }

    func closeRead(_ error: (any Error)?) {
        // A pending read is dropped without a word, as the system drops it.
        let dropped = state.withLock { state in
            state.readClosed.append(error as? NEAppProxyFlowError)
            return state.read.take()
        }
        _ = dropped
    }

    func closeWrite(_ error: (any Error)?) {
        state.withLock { $0.writeClosed.append(error as? NEAppProxyFlowError) }
    }

    // MARK: What the test does

    /// The application sends; what comes together is read together.
    func send(_ datagrams: [(String, String)]) throws {
        let batch = try datagrams.map { (Data($0.0.utf8), try ScriptedDatagrams.endpoint($0.1)) }
        send(batch)
    }

    func send(_ text: String, to destination: String) throws { try send([(text, destination)]) }

    func send(_ batch: Batch) {
        state.withLock { $0.unread.append(batch) }
        deliver()
    }

    /// The application closes its socket.
    func close() {
        state.withLock { $0.ends = true }
        deliver()
    }

    /// Completes the oldest write.
    func take(_ error: NEAppProxyFlowError? = nil) {
        let write = state.withLock { state in
            guard !state.writes.isEmpty else { return Optional<(Batch, Completion<((any Error)?) -> Void>)>.none }
            let write = state.writes.removeFirst()
            if error == nil { state.written += write.0 }
            return write
        }
        write?.1.body(error)
    }

    private func deliver() {
        let delivery = state.withLock { state -> (Completion<(Batch?, (any Error)?) -> Void>, Batch?)? in
            guard !state.unread.isEmpty || state.ends, let read = state.read.take() else { return nil }
            return (read, state.unread.isEmpty ? nil : state.unread.removeFirst())
        }
        if let (read, batch) = delivery { read.body(batch, nil) }
    }

    // MARK: What the test asks

    /// What the application received, as `text from endpoint`.
    var received: [String] {
        state.withLock { $0.written }.map { "\(String(decoding: $0.0, as: UTF8.self)) from \(Self.text($0.1))" }
    }
    var receivedCount: Int { state.withLock { $0.written.count } }
    /// Datagrams of the writes that wait.
    var pendingWrites: [Int] { state.withLock { $0.writes.map(\.0.count) } }
    var mostWrites: Int { state.withLock { $0.mostWrites } }
    var opens: Int { state.withLock { $0.opens } }
    var overlappingReads: Int { state.withLock { $0.overlappingReads } }
    var isReading: Bool { state.withLock { $0.read != nil } }
    var isClosed: Bool { state.withLock { !$0.readClosed.isEmpty && !$0.writeClosed.isEmpty } }
    var closes: Int { state.withLock { $0.readClosed.count } }
    func fail(writesWith error: NEAppProxyFlowError?) { state.withLock { $0.writeError = error } }

    static func endpoint(_ text: String) throws -> NWEndpoint {
        let endpoint = try #require(Endpoint(text))
        return try #require(SystemEndpoint(endpoint))
    }

    static func text(_ endpoint: NWEndpoint) -> String { Endpoint(endpoint)?.description ?? "\(endpoint)" }

    /// The flow of this socket.
    func flow(hostname: String? = nil) -> SystemFlow<NEAppProxyUDPFlow> {
        let metaData = NEFlowMetaData(token: nil, unique: Data(), identifier: "", filterFlow: nil)
        return SystemFlow(
            NEAppProxyUDPFlow(
                metaData: metaData, remoteHostname: hostname, isBound: false, local: nil, kernel: self))
    }
}

/// Keeps what flows leave behind.
final class DatagramRecords: FlowSink, MetricSink {
    private let kept = Mutex<(flows: [FlowRecord], counts: [String: Int])>(([], [:]))

    var flows: [FlowRecord] { kept.withLock { $0.flows } }
    func count(_ counter: StaticString) -> Int { kept.withLock { $0.counts["\(counter)"] ?? 0 } }
    func record(flow: FlowRecord) { kept.withLock { $0.flows.append(flow) } }
    func record(message: MessageRecord) {}
    func record(finding: FindingRecord) {}
    func add(_ counter: StaticString, _ amount: Int) { kept.withLock { $0.counts["\(counter)", default: 0] += amount } }
}

/// Knows nobody.
private struct NobodysCode: SystemCode {
    func immediate(_ process: AuditToken?, now: ContinuousClock.Instant) -> MakerAnswer {
        MakerAnswer(summary: .init(.unknown(.noToken)), unknown: .noProcess)
    }
    func later(
        _ process: AuditToken?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) { receive(immediate(process, now: now)) }
}

/// Dials nothing.
private struct NoEgress: Egress {
    func connect(
        to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> { loop.makeFailedFuture(ConnectFailure.unavailable) }
}

/// A policy under which third-party programs are inspected, with a forbidden network and a host that is left alone.
let datagramPolicy = """
    version: 1
    mode: enforce
    dns: {others: report}
    rules:
      - {name: system, when: {class: os}, then: bypass}
      - {name: forbidden, when: {to: 203.0.113.0/24}, then: block}
      - {name: pinned, when: {to: 198.51.100.7}, then: relay}
      - {name: rest, then: inspect, profile: look}
    profiles:
      look: {detect: [payment-card], outbound: report}
    """

extension ProviderServices {
    static func datagrams(
        _ egress: any DatagramEgress, records: DatagramRecords, policy: String = datagramPolicy
    ) throws -> ProviderServices {
        let policy = try Policy.read(
            yaml: policy, file: "test.yaml",
            PolicyEnvironment(detectors: Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }))
        let engine = FlowEngine(
            policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(
                egress: NoEgress(), sink: records, metrics: records, takeover: nil, now: { 0 }))
        return ProviderServices(
            engine: engine, loops: egress.loops, identities: NobodysCode(), datagrams: egress, sink: records,
            metrics: records, now: { 7 })
    }
}
