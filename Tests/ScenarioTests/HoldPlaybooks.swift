// SPDX-License-Identifier: Apache-2.0

// Flows that reach the engine with a program that policy would wait for.

import ContentInspection
import FlowEngine
import FlowModel
import FlowPolicy
import NIOEmbedded
import Testing

@Suite struct HoldPlaybooks {
    private static let policy = """
        version: 1
        mode: enforce
        unknown: {exited: hold}
        deferred: {within: 2s, then: block}
        rules:
          - {name: system, when: {class: os}, then: bypass}
          - {name: pass, then: relay}
        """

    /// Begins a flow of a program that is gone; `verdict` is what its intake says.
    private func begin(_ verdict: Verdict? = nil) throws -> (engine: FlowEngine, flow: FakeFlow, egress: FakeEgress) {
        let loop = EmbeddedEventLoop()
        let egress = FakeEgress(loop, failure: nil)
        let policy = try Policy.read(yaml: Self.policy, file: "test.yaml", PolicyEnvironment(detectors: []))
        let engine = FlowEngine(
            policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(egress: egress, sink: NoSink(), metrics: NoSink(), takeover: nil, now: { 0 }))
        let facts = FlowFacts(
            intake: .networkExtension, destination: try #require(Endpoint("192.0.2.7:80")),
            identity: IdentitySummary(.unknown(.exited)), startedAt: 0)
        let flow = FakeFlow(facts: facts, line: try FakeLine(loop), isConnected: false, canDecline: false)
        engine.handle(flow, verdict: verdict)
        loop.run()
        return (engine, flow, egress)
    }

    @Test("Nobody tells the engine more of a program, so it does not wait: the rules decide")
    func final() throws {
        let (engine, flow, egress) = try begin()
        #expect(egress.dialled.count == 1 && flow.answers == [.opened])
        #expect(engine.liveFlows == 1)
        // Relayed from the first byte on: the origin is read although the application has said nothing.
        #expect(egress.lines.first?.reads ?? 0 > 0)
    }

    @Test("The last word of an intake that held the flow is carried out as it is")
    func lastWord() throws {
        let (_, flow, egress) = try begin(Verdict(.block, reason: Reason("deadline", "too late")))
        #expect(egress.dialled.isEmpty && flow.answers == [.opened])
    }
}
