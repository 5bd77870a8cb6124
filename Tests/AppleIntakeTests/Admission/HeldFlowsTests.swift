// SPDX-License-Identifier: Apache-2.0

// Flows that wait for their maker.

import CodeIdentity
import Dispatch
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import NIOCore
import NIOPosix
import NetworkExtension
import Synchronization
import Testing

@testable import AppleIntake

@Suite("HeldFlows", .timeLimit(.minutes(2))) struct HeldFlowsTests {
    private let app = ScriptedProgram.app.process()

    /// A rig whose oracle waits until it is let go.
    private func held(
        _ more: String = "", budget: FlowBudget = FlowBudget(flows: 64)
    ) throws -> (AdmissionRig, letGo: @Sendable () -> Void) {
        let rig = try AdmissionRig(admissionPolicy(more), budget: budget)
        let gate = DispatchSemaphore(value: 0)
        rig.oracle.first { _ in
            gate.wait()
            gate.signal()
        }
        return (rig, { gate.signal() })
    }

    @Test("A held flow is claimed, and neither opened nor read nor dialled, until its maker is known")
    func hold() async throws {
        let (rig, letGo) = try held()
        let flow = ScriptedFlow.tcp(app)
        #expect(rig.offer(flow))
        try await rig.until("held") { rig.admission.held.count == 1 }
        #expect(flow.line.opens == 0 && flow.line.reads == 0 && !flow.line.isClosed && rig.world.dialled.isEmpty)
        letGo()
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        #expect(rig.world.dialledFor[0].identity.codeClass == .known(.thirdParty))
        try await rig.until("given back") { rig.admission.budget.flows.taken == 0 }
        #expect(rig.admission.budget.held.taken == 0 && rig.admission.held.count == 0)
    }

    @Test("A held flow that is judged to be left alone is relayed, and its record says so")
    func relayed() async throws {
        let (rig, letGo) = try held()
        #expect(rig.offer(.tcp(ScriptedProgram.helper.process())))
        letGo()
        try await rig.until("recorded") { rig.world.records.count == 1 }
        #expect(rig.world.records[0].verdict.lane == .bypass)
        #expect(rig.world.records[0].notes.contains { $0.code == "bypass-relayed" })
        #expect(rig.world.dialled.count == 1)
    }

    @Test("A held UDP flow that turns out to be blocked is refused")
    func refused() async throws {
        let (rig, letGo) = try held()
        let flow = ScriptedFlow.udp(app)
        #expect(rig.offer(flow, to: "192.0.2.1:443"))
        #expect(!flow.line.isClosed)
        letGo()
        try await rig.until("refused") { flow.line.isClosed }
        try await rig.until("recorded") { rig.world.records.count == 1 }
        #expect(rig.world.records[0].verdict.reason.code == "quic-refused")
    }

    @Test("When its time is over, the rules decide without the maker, who did not answer in time")
    func overdue() async throws {
        let (rig, letGo) = try held("deferred: {within: 50ms}")
        defer { letGo() }
        #expect(rig.offer(.tcp(app)))
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        #expect(rig.world.dialledFor[0].identity.codeClass == .unknown(.unresolved))
        #expect(rig.admission.log.count(of: .heldOverdue) == 1)
    }

    @Test("Or the policy's last word decides", arguments: [Lane.relay, .block])
    func lastWord(lane: Lane) async throws {
        let (rig, letGo) = try held("deferred: {within: 50ms, then: \(lane.rawValue)}")
        defer { letGo() }
        #expect(rig.offer(.tcp(app)))
        let datagrams = ScriptedFlow.udp(app)
        #expect(rig.offer(datagrams, to: "192.0.2.1:9"))
        try await rig.until("recorded") { rig.world.records.contains { $0.facts.transport == .tcp } }
        let verdict = rig.world.records.first { $0.facts.transport == .tcp }?.verdict
        #expect(verdict?.lane == lane && verdict?.reason.code == "deadline")
        #expect(rig.world.dialled.count == (lane == .relay ? 1 : 0))
        if lane == .block { try await rig.until("refused") { datagrams.line.isClosed } }
    }

    @Test("Beyond the room for held flows a flow is judged without its maker")
    func full() async throws {
        let (rig, letGo) = try held(budget: FlowBudget(flows: 8, held: 1))
        defer { letGo() }
        #expect(rig.offer(.tcp(app)))
        #expect(rig.world.dialled.isEmpty)
        #expect(rig.offer(.tcp(app)))
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        #expect(rig.world.dialledFor[0].identity.codeClass == .unknown(.thirdPartyPending))
        #expect(rig.admission.log.count(of: .heldFull) == 1)
    }

    @Test("A cause that nothing more will be found out about is not waited for")
    func settled() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        let gone = AuditToken(fields: [501, 501, 20, 501, 20, 9, 100_007, 1])
        #expect(rig.offer(.tcp(gone)))
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        #expect(rig.world.dialledFor[0].identity.codeClass == .unknown(.exited))
        #expect(rig.admission.log.count(of: .held) == 0)
    }

    @Test("What is held when the provider stops is refused")
    func stop() async throws {
        let (rig, letGo) = try held()
        defer { letGo() }
        let flow = ScriptedFlow.tcp(app)
        #expect(rig.offer(flow))
        try await rig.until("held") { rig.admission.held.count == 1 }
        rig.admission.stop()
        try await rig.until("refused") { flow.line.isClosed }
        try await rig.until("given back") { rig.admission.budget.flows.taken == 0 }
        #expect(rig.world.dialled.isEmpty)
    }

    @Test("What is on its way to be held when the provider stops is refused at once, not when its time is over")
    func stopOvertakes() async throws {
        // provider's queue                   the flow's loop                 elsewhere
        // admit: to be held
        //                                                                    stop: refuses what is held
        //                                    hold
        let (rig, letGo) = try held()
        defer { letGo() }
        let flow = ScriptedFlow.tcp(app)
        let new = try #require(NewFlow(flow.flow))
        let facts = FlowFacts(
            intake: .networkExtension, destination: try #require(Endpoint("192.0.2.1:443")),
            identity: IdentitySummary(.unknown(.thirdPartyPending)), startedAt: 1)
        guard case .deferred(let deferral) = rig.engine.currentPolicy.admit(facts, identityIsFinal: false) else {
            Issue.record("not deferred")
            return
        }
        let budget = rig.admission.budget
        let claim = Claim(
            flow: new, facts: facts, seats: try budget.seats(for: budget.process()).get(),
            loop: MultiThreadedEventLoopGroup.singleton.next())
        let seat = try #require(budget.held.seat())
        rig.admission.stop()
        try await claim.loop.submit { rig.admission.held.hold(claim, seat, madeBy: self.app, deferral) }.get()
        #expect(flow.line.isClosed && rig.admission.held.count == 0)
    }

    @Test("An oracle that waits for flows of its own, offered to the same provider, completes")
    func oracleWithFlows() async throws {
        // oracle's thread                    provider's queue
        // verify(app)
        //   trustd connects …                … declined
        //   a scanner connects …             … held, for who scans is not known either
        //                                    its time is over: dialled
        //   … goes on
        // verify(app) returns
        let rig = try AdmissionRig(admissionPolicy("deferred: {within: 100ms}"))
        let scanner = ScriptedProgram.app.process(9)
        let isDirect = Mutex<Bool?>(nil)
        rig.oracle.first { [weak rig] token in
            guard let rig, token == self.app else { return }
            isDirect.withLock { $0 = !rig.offer(.tcp(ScriptedProgram.trustd.process(), "192.0.2.53", 80)) }
            _ = rig.offer(.tcp(scanner, "192.0.2.9"))
            while !rig.world.dialled.contains(where: { "\($0)" == "192.0.2.9:443" }) { usleep(1_000) }
        }
        rig.use(try admissionPolicy())
        #expect(rig.offer(.tcp(app)))
        try await rig.until("known") {
            rig.world.dialledFor.contains { $0.identity.processID == app.processID }
        }
        #expect(isDirect.withLock { $0 } == true)
    }

    @Test("Ten thousand flows give back every place exactly once")
    func leaks() async throws {
        let rig = try AdmissionRig(admissionPolicy(), budget: FlowBudget(flows: 512, held: 64))
        for number in 0..<10_000 as Range<UInt32> {
            let process = ScriptedProgram.app.process(number % 300)
            let flow: ScriptedFlow =
                switch number % 4 {
                case 0: .udp(process)
                case 1: .tcp(process, "192.0.2.66", name: "bad.example")
                case 2: .tcp(ScriptedProgram.helper.process(number % 50))
                default: .tcp(process)
                }
            _ = rig.offer(flow, to: number % 4 == 0 ? "192.0.2.1:443" : nil)
        }
        try await rig.until("given back") { rig.admission.budget.flows.taken == 0 && rig.engine.liveFlows == 0 }
        #expect(rig.admission.budget.held.taken == 0 && rig.admission.held.count == 0)
        let log = rig.admission.log
        let claimed = log.count(of: .carried) + log.count(of: .held)
        #expect(claimed + log.count(of: .refused) + log.count(of: .declined) >= 10_000)
    }
}
