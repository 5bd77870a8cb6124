// SPDX-License-Identifier: Apache-2.0

// The policy changes while flows live.

import ContentInspection
import FlowEngine
import FlowModel
import FlowPolicy
import NIOCore
import NIOEmbedded
import Testing

@Suite struct PolicyChangePlaybooks {
    static func policy(_ then: String) throws -> Policy {
        let detectors = Detectors.all.map { DetectorName(id: $0.id, family: $0.family) }
        return try Policy.read(
            yaml: "version: 1\nmode: enforce\nrules:\n  - {name: \(then) all, then: \(then)}\n", file: "test.yaml",
            PolicyEnvironment(detectors: detectors))
    }

    static func snapshot(_ policy: Policy) -> PolicySnapshot {
        PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32)))
    }

    /// An engine on a loop of its own, and flows that it decides.
    final class Stage {
        let loop = EmbeddedEventLoop()
        let records = Records()
        let egress: FakeEgress
        let engine: FlowEngine

        init(_ policy: Policy) {
            egress = FakeEgress(loop, failure: nil)
            engine = FlowEngine(
                policy: PolicyChangePlaybooks.snapshot(policy),
                services: EngineServices(
                    egress: egress, sink: records, metrics: NoSink(), takeover: nil, now: { 0 }))
        }

        /// Begins a flow and gives the application's line.
        func begin(_ identity: IdentitySummary = IdentitySummary(.unknown(.notAsked))) throws -> FakeFlow {
            let destination = try #require(Endpoint("192.0.2.1:80"))
            let facts = FlowFacts(intake: .transparent, destination: destination, identity: identity, startedAt: 0)
            let flow = FakeFlow(facts: facts, line: try FakeLine(loop), isConnected: false, canDecline: true)
            engine.handle(flow)
            loop.run()
            return flow
        }

        func end() {
            engine.abortAll()
            loop.run()
        }
    }

    @Test("New flows get the new policy, and a flow that lives keeps the one it began with")
    func change() throws {
        let stage = Stage(try Self.policy("relay"))
        let old = try stage.begin()
        let next = try Self.policy("bypass")
        stage.engine.use(Self.snapshot(next))
        #expect(stage.engine.currentPolicy.digest == next.digest)
        let new = try stage.begin()
        #expect(old.answers == [.opened])
        #expect(new.answers == [.declined])
        #expect(stage.engine.liveFlows == 1)
        stage.end()
        #expect(stage.records.flows.map(\.verdict.rule) == ["bypass all", "relay all"])
    }

    @Test("A flow whose program was judged by the policy before, in the moment of the change, is one of that policy")
    func inBetween() throws {
        let before = try Self.policy("bypass")
        let stage = Stage(before)
        let evidence = CodeEvidence(summary: IdentitySummary(.known(.vendor))) { _ in true }
        let judged = before.judge(evidence)
        let next = try Self.policy("relay")
        stage.engine.use(Self.snapshot(next))
        #expect(try stage.begin(judged).answers == [.declined])
        #expect(try stage.begin(next.judge(evidence)).answers == [.opened])
        // Two changes later nobody has that policy any more.
        stage.engine.use(Self.snapshot(try Self.policy("relay")))
        #expect(try stage.begin(judged).answers == [.opened])
        stage.end()
    }
}
