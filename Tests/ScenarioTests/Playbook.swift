// SPDX-License-Identifier: Apache-2.0

// A whole flow played in memory: a fake application, a fake origin, the real engine and a real policy.

import ContentInspection
import FlowEngine
import FlowModel
import FlowPolicy
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

/// Plays one flow.
///
/// Time stands still except where a test moves it, and nothing happens except what the test does.
final class Playbook {
    let loop = EmbeddedEventLoop()
    let flow: FakeFlow
    let application: FakeLine
    let egress: FakeEgress
    let records = Records()
    private let engine: FlowEngine

    /// The line to the origin of the last dial.
    var origin: FakeLine {
        get throws { try #require(egress.lines.last, "the origin was not dialled") }
    }

    /// Starts a flow under a policy: a preset's name, or a document.
    init(
        policy: String = "redact", to destination: String = "origin.example:80", intake: IntakeKind = .connect,
        isConnected: Bool = false, canDecline: Bool = false, originFails: ConnectFailure? = nil,
        dialsWait: Bool = false, takeover: TakeoverServices? = nil
    ) throws {
        let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }
        let read =
            try Policy.preset(policy, PolicyEnvironment(detectors: detectors))
            ?? Policy.read(yaml: policy, file: "test.yaml", PolicyEnvironment(detectors: detectors))
        let endpoint = try #require(Endpoint(destination))
        application = try FakeLine(loop)
        flow = FakeFlow(
            facts: FlowFacts(intake: intake, destination: endpoint, startedAt: 0), line: application,
            isConnected: isConnected, canDecline: canDecline)
        egress = FakeEgress(loop, failure: originFails)
        egress.dialsWait = dialsWait
        engine = FlowEngine(
            policy: PolicySnapshot(policy: read, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(egress: egress, sink: records, metrics: NoSink(), takeover: takeover, now: { 0 }))
        engine.handle(flow)
        run()
    }

    /// Lets everything happen that can.
    func run() { loop.run() }

    /// Moves time on.
    func wait(milliseconds: Int64) { loop.advanceTime(by: .milliseconds(milliseconds)) }

    /// The application sends.
    func say(_ text: String) {
        application.send(text)
        run()
    }

    /// The origin sends.
    func answer(_ text: String) throws {
        try origin.send(text)
        run()
    }

    var liveFlows: Int { engine.liveFlows }

    /// Ends every flow, as a program that stops does.
    func abortAll() {
        engine.abortAll()
        run()
    }
}

/// An incoming flow that counts how it is answered.
final class FakeFlow: IncomingFlow {
    enum Answer: Equatable { case declined, opened, refused(ConnectFailure) }

    let facts: FlowFacts
    let isConnected: Bool
    let canDecline: Bool
    private let line: FakeLine
    /// Exactly one of these may come, once.
    private(set) var answers: [Answer] = []
    /// Whether a byte was asked for before the flow was opened.
    private(set) var wasReadBeforeOpen = false

    init(facts: FlowFacts, line: FakeLine, isConnected: Bool, canDecline: Bool) {
        self.facts = facts
        self.line = line
        self.isConnected = isConnected
        self.canDecline = canDecline
    }

    var eventLoop: any EventLoop { line.channel.eventLoop }

    func decline() { answers.append(.declined) }

    func open() -> EventLoopFuture<any Channel> {
        wasReadBeforeOpen = line.reads > 0
        answers.append(.opened)
        return eventLoop.makeSucceededFuture(line.channel)
    }

    func refuse(_ failure: ConnectFailure) { answers.append(.refused(failure)) }
}

/// Dials into memory.
// It lives on the embedded loop of one test, which runs on one thread;
// the engine calls it on that loop alone.
final class FakeEgress: Egress, @unchecked Sendable {
    private let loop: EmbeddedEventLoop
    private(set) var lines: [FakeLine] = []
    private(set) var dialled: [Endpoint] = []
    var failure: ConnectFailure?
    /// Whether a dial stays under way until `connectAll`.
    var dialsWait = false
    private var waiting: [EventLoopPromise<any Channel>] = []

    init(_ loop: EmbeddedEventLoop, failure: ConnectFailure?) {
        self.loop = loop
        self.failure = failure
    }

    func connect(to origin: Endpoint, for facts: FlowFacts, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        dialled.append(origin)
        if let failure { return loop.makeFailedFuture(failure) }
        let promise = loop.makePromise(of: (any Channel).self)
        if dialsWait { waiting.append(promise) } else { connect(promise) }
        return promise.futureResult
    }

    /// Lets every dial that is under way succeed.
    func connectAll() {
        let dials = waiting
        waiting = []
        for promise in dials { connect(promise) }
    }

    /// Lets every dial that is under way fail.
    func failAll(_ failure: ConnectFailure) {
        for promise in waiting { promise.fail(failure) }
        waiting = []
    }

    private func connect(_ promise: EventLoopPromise<any Channel>) {
        do {
            let line = try FakeLine(loop)
            lines.append(line)
            promise.succeed(line.channel)
        } catch {
            promise.fail(error)
        }
    }
}

/// Keeps what the engine records.
final class Records: FlowSink {
    private let kept = Mutex<(flows: [FlowRecord], messages: [MessageRecord], findings: [FindingRecord])>(([], [], []))

    var flows: [FlowRecord] { kept.withLock { $0.flows } }
    var messages: [MessageRecord] { kept.withLock { $0.messages } }
    var findings: [FindingRecord] { kept.withLock { $0.findings } }

    func record(flow: FlowRecord) { kept.withLock { $0.flows.append(flow) } }
    func record(message: MessageRecord) { kept.withLock { $0.messages.append(message) } }
    func record(finding: FindingRecord) { kept.withLock { $0.findings.append(finding) } }
}
