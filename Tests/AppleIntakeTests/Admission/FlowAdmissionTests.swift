// SPDX-License-Identifier: Apache-2.0

// What becomes of a new flow, by its maker, its destination and the policy.

import CodeIdentity
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import Testing

@testable import AppleIntake

@Suite("FlowAdmission", .timeLimit(.minutes(2))) struct FlowAdmissionTests {
    private let app = ScriptedProgram.app.process()

    @Test("A program of the system is declined, whatever it sends and without asking the oracle")
    func system() throws {
        let rig = try AdmissionRig(admissionPolicy())
        rig.oracle.first { _ in Issue.record("the oracle was asked") }
        let trustd = ScriptedProgram.trustd.process()
        #expect(!rig.offer(.tcp(trustd)))
        #expect(!rig.offer(.udp(trustd), to: "192.0.2.1:443"))
        #expect(!rig.offer(.udp(trustd)))
        #expect(rig.admission.budget.flows.taken == 0)
    }

    @Test("A flow to be inspected is claimed and carried with the full identity")
    func inspect() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        #expect(rig.offer(.tcp(app, "192.0.2.1")))
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        let facts = rig.world.dialledFor[0]
        #expect(facts.intake == .networkExtension && facts.identity.codeClass == .known(.thirdParty))
        #expect(facts.identity.provedName == "AB12CD34EF:com.example.app" && facts.identity.userID == 501)
        #expect(facts.utcOffset != nil)
        try await rig.until("given back") { rig.admission.budget.flows.taken == 0 }
    }

    @Test("A relay that is certain at once is declined; one that the first bytes may change is claimed")
    func relay() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        // A name that was asked for through the system is known at once, any other only from the first bytes.
        #expect(!rig.offer(.tcp(app, name: "bank.example")))
        #expect(rig.offer(.tcp(app)))
    }

    @Test("A block over TCP goes to the engine, which answers in the application's words without dialling")
    func blockStream() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        #expect(rig.offer(.tcp(app, "192.0.2.66", name: "bad.example")))
        try await rig.until("recorded") { rig.world.records.count == 1 }
        #expect(rig.world.records[0].verdict.rule == "bad")
        #expect(rig.world.dialled.isEmpty)
    }

    @Test("QUIC of an inspected program is refused at once, and of the system left alone")
    func quic() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        let flow = ScriptedFlow.udp(app)
        #expect(rig.offer(flow, to: "192.0.2.1:443"))
        #expect(flow.line.isClosed && flow.line.opens == 0)
        try await rig.until("recorded") { rig.world.records.count == 1 }
        #expect(rig.world.records[0].verdict.reason.code == "quic-refused")
        #expect(rig.world.records[0].outcome == .blocked)
        #expect(rig.admission.budget.flows.taken == 0)
    }

    @Test("A UDP socket whose first destination is left alone is claimed all the same when others would not be")
    func sticky() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        let flow = ScriptedFlow.udp(app, name: "bank.example")
        #expect(rig.offer(flow, to: "192.0.2.1:25"))
        #expect(!flow.line.isClosed)
        #expect(rig.admission.budget.flows.taken == 1)
        // The same, when the system names no destination.
        #expect(rig.offer(.udp(app)))
        await rig.know(ScriptedProgram.helper.process())
        #expect(!rig.offer(.udp(ScriptedProgram.helper.process()), to: "192.0.2.1:443"))
    }

    @Test("The name that UDP flows come with is never taken for the destination's")
    func queriedName() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        #expect(rig.offer(.udp(app, name: "bank.example"), to: "192.0.2.1:443"))
        try await rig.until("recorded") { !rig.world.records.isEmpty }
        let names = rig.world.records.map { $0.facts.names.count }
        #expect(names == [0])
    }

    @Test("No token, a short one and the kernel's are judged as no token", arguments: [nil, 0, 31, 33, 32] as [Int?])
    func noToken(length: Int?) async throws {
        for (then, isClaimed) in [("bypass", false), ("block", true)] {
            let rig = try AdmissionRig(admissionPolicy(noToken: then))
            let token = length.map { Data(repeating: 0, count: $0) }
            #expect(rig.offer(.tcp(token: token, "192.0.2.1", 443, name: "a.example")) == isClaimed)
            try await rig.until("recorded") { rig.world.records.count == 1 }
            #expect(rig.world.records[0].facts.identity.codeClass == .unknown(.noToken))
        }
    }

    @Test("Nothing is claimed under `off` and `decide`", arguments: ["off", "decide"])
    func modes(mode: String) async throws {
        let rig = try AdmissionRig(admissionPolicy(mode: mode))
        await rig.know(app)
        #expect(!rig.offer(.tcp(app)))
        #expect(!rig.offer(.tcp(app, "192.0.2.66")))
        #expect(!rig.offer(.udp(app), to: "192.0.2.1:443"))
        #expect(!rig.offer(.udp(app)))
        #expect(!rig.offer(.tcp(ScriptedProgram.app.process(1))))
    }

    @Test("The provider's own flows, and its helper's, are never claimed")
    func loops() async throws {
        let own = ScriptedProgram.app.process(5)
        let rig = try AdmissionRig(admissionPolicy(), ownProcess: own.processID)
        #expect(!rig.offer(.tcp(own)))
        #expect(rig.admission.log.count(of: .own) == 1)
        let helper = ScriptedProgram.helper.process()
        await rig.know(helper)
        #expect(!rig.offer(.tcp(helper)))
    }

    @Test("Another policy counts for the next flow, and is asked anew about programs that are known")
    func newPolicy() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        #expect(rig.offer(.udp(app)))
        rig.use(try admissionPolicy(mode: "off"))
        #expect(!rig.offer(.udp(app)))
        rig.use(try admissionPolicy("requirements: {app: 'identifier \"com.example.app\"'}"))
        #expect(rig.offer(.tcp(app)))
        try await rig.until("dialled") { rig.world.dialled.count == 1 }
        #expect(rig.engine.currentPolicy.hasJudged(rig.world.dialledFor[0].identity))
    }

    @Test("What stops claims nothing any more")
    func stop() async throws {
        let rig = try AdmissionRig(admissionPolicy())
        await rig.know(app)
        rig.admission.stop()
        #expect(!rig.offer(.tcp(app)))
    }

    @Test("Without room, what would be left alone still is, and the rest is refused as its profile says")
    func full() async throws {
        let rig = try AdmissionRig(admissionPolicy(), budget: FlowBudget(flows: 1))
        await rig.know(app)
        #expect(!rig.admission.budget.isUnderPressure)
        #expect(rig.offer(.udp(app), to: "192.0.2.1:9"))
        #expect(rig.admission.budget.isUnderPressure)
        #expect(!rig.offer(.tcp(ScriptedProgram.trustd.process())))
        #expect(!rig.offer(.tcp(app, name: "bank.example")))
        for flow in [ScriptedFlow.tcp(app), .tcp(app, "192.0.2.66", name: "bad.example"), .udp(app)] {
            #expect(rig.offer(flow, to: "192.0.2.1:9"))
            #expect(flow.line.isClosed)
        }
        rig.use(try admissionPolicy(mode: "observe"))
        #expect(!rig.offer(.tcp(app)))
        #expect(rig.admission.log.count(of: .full) == 4)
    }

    @Test("A process that takes its share is refused more, and others are not")
    func share() async throws {
        let rig = try AdmissionRig(admissionPolicy(), budget: FlowBudget(flows: 8, ofProcess: 1))
        for process in [app, ScriptedProgram.app.process(1)] {
            await rig.know(process)
            #expect(rig.offer(.udp(process), to: "192.0.2.1:9"))
            let flow = ScriptedFlow.udp(process)
            #expect(rig.offer(flow, to: "192.0.2.1:9"))
            #expect(flow.line.isClosed)
        }
        #expect(rig.admission.log.count(of: .processFull) == 2)
    }

    @Test("A process that fills its share buys no flow that nobody looks at, unless there is nothing to hold back")
    func shareBuysNothing() async throws {
        let rig = try AdmissionRig(
            admissionPolicy(profile: "outbound: redact"), budget: FlowBudget(flows: 8, ofProcess: 1))
        await rig.know(app)
        #expect(rig.offer(.udp(app), to: "192.0.2.1:9"))
        let flow = ScriptedFlow.tcp(app)
        #expect(rig.offer(flow))
        #expect(flow.line.isClosed)
        #expect(!rig.offer(.tcp(app, name: "bank.example")))
        rig.use(try admissionPolicy(profile: "outbound: report"))
        #expect(!rig.offer(.tcp(app)))
        rig.use(try admissionPolicy(mode: "observe", profile: "outbound: redact"))
        #expect(!rig.offer(.tcp(app)))
    }
}
