// SPDX-License-Identifier: Apache-2.0

import AppleIntake
import CodeIdentity
import EventStore
import FlowEngine
import FlowModel
import FlowPolicy
import Foundation
import MacControl
import Synchronization
import Testing

@testable import WeirExtension

@Suite struct ExtensionRuntimeTests {
    let machine: Machine

    init() throws { machine = try Machine() }

    private func flow(user: UInt32, host: String, lane: Lane, reason: String = "rule") throws -> FlowRecord {
        let name = try #require(HostName(host))
        let facts = FlowFacts(
            intake: .networkExtension, destination: Endpoint(host: .name(name), port: 443),
            identity: IdentitySummary(.known(.thirdParty), userID: user, provedName: "AB12CD34EF:com.example.app"),
            startedAt: machine.now)
        return FlowRecord(facts: facts, verdict: Verdict(lane, reason: Reason(reason, "because of a test")))
    }

    @Test func `A start gives an engine that judges by the policy that was named`() async throws {
        let runtime = machine.boot()
        let before = await runtime.state()
        #expect(before.condition == .off)
        let services = try await runtime.services(policy: try machine.policy())
        let state = await runtime.state()
        #expect(state.condition == .running)
        #expect(state.mode == "observe")
        #expect(state.policyDigest == services.engine.currentPolicy.digest)
        #expect(state.build == "7")
        await runtime.close()
    }

    @Test func `A second start has the same engine, and reads the policy anew`() async throws {
        let runtime = machine.boot()
        let path = try machine.policy()
        let first = try await runtime.services(policy: path)
        try machine.policy(mode: "decide")
        let second = try await runtime.services(policy: path)
        #expect(first.engine === second.engine)
        #expect(second.engine.currentPolicy.mode == .decide)
        await runtime.close()
    }

    @Test func `What is left alone is what a Mac needs, wherever the extension runs`() async throws {
        let runtime = machine.boot()
        let policy = try await runtime.services(policy: "redact").engine.currentPolicy
        let excluded = policy.capturePlan(for: .networkExtension).networkExtension.excluded.map(\.because)
        #expect(excluded.contains("never core-protocols/apns"))
        #expect(!excluded.contains { $0.contains("resolved-stub") })
        await runtime.close()
    }

    @Test func `Starts that overlap make one engine`() async throws {
        let runtime = machine.boot()
        let path = try machine.policy()
        async let one = runtime.services(policy: path)
        async let other = runtime.services(policy: path)
        let (a, b) = try await (one, other)
        #expect(a.engine === b.engine)
        await runtime.close()
    }

    @Test func `A policy that cannot be read keeps it from starting, and the next start may`() async throws {
        let runtime = machine.boot()
        let path = try machine.policy(settings: "moed: observe")
        await #expect(throws: (any Error).self) { try await runtime.services(policy: path) }
        #expect(!FileManager.default.fileExists(atPath: machine.folder + "/state/events.sqlite"))
        try machine.policy()
        _ = try await runtime.services(policy: path)
        await runtime.close()
    }

    @Test func `A reload that is refused leaves the policy in force, and says why`() async throws {
        let runtime = machine.boot()
        let path = try machine.policy()
        let services = try await runtime.services(policy: path)
        let digest = services.engine.currentPolicy.digest
        try machine.policy(mode: "loud")
        await #expect(throws: ControlRefusal.self) { try await runtime.reload() }
        let state = await runtime.state()
        #expect(state.policyDigest == digest)
        #expect(state.policyProblem?.contains("policy.yaml:2") == true)
        try machine.policy(mode: "decide")
        try await runtime.reload()
        let mended = await runtime.state()
        #expect(mended.mode == "decide")
        #expect(mended.policyProblem == nil)
        await runtime.close()
    }

    @Test func `While it is paused nothing is taken, also after a restart, and then it works again`() async throws {
        let path = try machine.policy()
        let runtime = machine.boot()
        let services = try await runtime.services(policy: path)
        let facts = try flow(user: 501, host: "api.example.com", lane: .inspect).facts
        #expect(services.engine.currentPolicy.refine(facts).lane == .inspect)
        let until = machine.now + 60_000
        try await runtime.pause(until: until)
        #expect(services.engine.currentPolicy.refine(facts).lane == .bypass)
        let paused = await runtime.state()
        #expect(paused.condition == .paused)
        #expect(paused.pausedUntil == until)
        #expect(paused.modeCause == "an administrator paused it")
        await runtime.close()

        let restarted = machine.boot()
        let again = try await restarted.services(policy: path)
        #expect(again.engine.currentPolicy.mode == .off)
        machine.time.withLock { $0 = until }
        await restarted.tick()
        #expect(again.engine.currentPolicy.refine(facts).lane == .inspect)
        let state = await restarted.state()
        #expect(state.condition == .running)
        await restarted.close()

        let later = machine.boot()
        #expect(try await later.services(policy: path).engine.currentPolicy.mode == .observe)
        await later.close()
    }

    @Test func `Off stays off until it is armed again`() async throws {
        let path = try machine.policy()
        let runtime = machine.boot()
        _ = try await runtime.services(policy: path)
        try await runtime.off()
        await runtime.close()
        let restarted = machine.boot()
        let services = try await restarted.services(policy: path)
        machine.time.withLock { $0 += 1_000_000_000 }
        await restarted.tick()
        #expect(services.engine.currentPolicy.mode == .off)
        try await restarted.rearm()
        #expect(services.engine.currentPolicy.mode == .observe)
        await restarted.close()
    }

    @Test func `Off and pause work with a policy that cannot be read, and a readable one comes back`() async throws {
        let path = try machine.policy()
        let runtime = machine.boot()
        let services = try await runtime.services(policy: path)
        try machine.policy(mode: "loud")
        try await runtime.off()
        #expect(services.engine.currentPolicy.mode == .off)
        #expect(await runtime.state().condition == .off)
        await #expect(throws: ControlRefusal.self) { try await runtime.resume() }
        // Nothing is taken as long as no policy can be read, and it does not say otherwise.
        #expect(await runtime.state().condition == .off)
        try machine.policy()
        try await runtime.resume()
        #expect(services.engine.currentPolicy.mode == .observe)
        try machine.policy(mode: "loud")
        try await runtime.pause(until: machine.now + 60_000)
        #expect(services.engine.currentPolicy.mode == .off)
        #expect(await runtime.state().policyProblem != nil)
        await runtime.close()
    }

    @Test func `Without an authority that was installed it makes none and says so, and with one it says nothing`()
        async throws
    {
        let path = try machine.policy()
        func told() async throws -> [String] {
            let runtime = machine.boot()
            _ = try await runtime.services(policy: path)
            await runtime.close()
            var codes: [String] = []
            for try await event in try EventReader.open(at: machine.folder + "/state").events(EventQuery()) {
                if case .notice(let notice) = event { codes.append(notice.reason.code) }
            }
            return codes.filter { $0.hasPrefix("authority") }
        }
        #expect(try await told() == ["authority-missing"])
        #expect(!FileManager.default.fileExists(atPath: machine.folder + "/state/ca.key"))
        _ = try CertificateAuthority.loadOrCreate(in: machine.folder + "/state", now: Date())
        #expect(try await told() == ["authority-missing"], "nothing was added")
        try Data("no key".utf8).write(to: URL(filePath: machine.folder + "/state/ca.key"))
        #expect(try await told() == ["authority-missing", "authority-unusable"])
    }

    @Test func `After too many deaths it says so until it is armed again`() async throws {
        let path = try machine.policy()
        // Three runs that nobody ends.
        for _ in 0..<3 {
            let dying = machine.boot()
            #expect(try await dying.services(policy: path).hooks.disarmed == nil)
            #expect(await dying.state().condition == .running)
        }
        let runtime = machine.boot()
        #expect(try await runtime.services(policy: path).hooks.disarmed != nil)
        #expect(await runtime.state().condition == .disarmed)
        try await runtime.rearm()
        #expect(await runtime.state().condition == .running)
        await runtime.close()
    }

    @Test(arguments: ["name", "pseudonym"])
    func `A user is told of their own flows, whatever users are called in the store`(_ users: String) async throws {
        let runtime = machine.boot()
        let services = try await runtime.services(
            policy: try machine.policy(settings: "privacy: {users: \(users)}"))
        for (user, host) in [(501, "one.example"), (502, "two.example"), (501, "three.example")] as [(UInt32, String)] {
            services.sink.record(flow: try flow(user: user, host: host, lane: .inspect))
        }
        let all = try await eventually {
            let events = try await runtime.events(before: nil, limit: 10, reach: .everybody)
            return events.count == 3 ? events : nil
        }
        #expect(all.map(\.host) == ["three.example", "two.example", "one.example"])
        let own = try await runtime.events(before: nil, limit: 10, reach: .own(user: 502))
        #expect(own.map(\.host) == ["two.example"])
        #expect(try await runtime.events(before: nil, limit: 10, reach: .own(user: 503)) == [])
        #expect(try await runtime.events(before: machine.now, limit: 10, reach: .everybody) == [])
        #expect(
            try await runtime.events(before: nil, limit: 1, reach: .own(user: 501)).map(\.host) == ["three.example"])
        await runtime.close()
    }

    @Test func `What is bypassed is counted by reason, and what is taken is not`() async throws {
        let runtime = machine.boot()
        let services = try await runtime.services(policy: try machine.policy())
        for reason in ["os", "rule", "os"] {
            services.sink.record(flow: try flow(user: 501, host: "a.example", lane: .bypass, reason: reason))
        }
        services.sink.record(flow: try flow(user: 501, host: "a.example", lane: .inspect))
        let counts = await runtime.bypasses()
        #expect(counts.map(\.code) == ["os", "rule"])
        #expect(counts.map(\.count) == [2, 1])
        await runtime.close()
    }

    @Test func `Reasons without end are counted as others`() throws {
        let ledger = BypassLedger(NoSink())
        for number in 0..<1_000 {
            ledger.record(flow: try flow(user: 501, host: "a.example", lane: .bypass, reason: "r\(number)"))
        }
        #expect(ledger.all.count <= MacControlLimits.reasons.value)
        #expect(ledger.all.first?.code == "others")
        #expect(ledger.all.map(\.count).reduce(0, +) == 1_000)
    }

    @Test func `Code is examined on a thread of its own, for what the policy in force asks`() async throws {
        let runtime = machine.boot()
        let path = try machine.policy(when: "{code: 'identifier \"com.example.first\"'}")
        let services = try await runtime.services(policy: path)
        for (version, identifier) in [(1, "first"), (2, "second")] as [(UInt32, String)] {
            let token = AuditToken(fields: [501, 501, 20, 501, 20, 4711, 100_007, version])
            let answer = await withCheckedContinuation { continuation in
                services.identities.later(token, now: .now) { continuation.resume(returning: $0) }
            }
            #expect(answer.summary.codeClass == .known(.thirdParty))
            #expect(machine.oracle.asked.last?.contains("identifier \"com.example.\(identifier)\"") == true)
            try machine.policy(when: "{code: 'identifier \"com.example.second\"'}")
            try await runtime.reload()
        }
        await runtime.close()
    }

    @Test func `Nothing is done before the provider has started`() async {
        let runtime = machine.boot()
        await #expect(throws: ControlRefusal.self) { try await runtime.off() }
        await #expect(throws: ControlRefusal.self) { try await runtime.reload() }
        await #expect(throws: ControlRefusal.self) {
            try await runtime.events(before: nil, limit: 1, reach: .everybody)
        }
        await runtime.tick()
        await runtime.close()
    }

    @Test func `The app sees what the provider does, through the control channel`() async throws {
        struct Nobody: AdministratorDirectory { func isAdministrator(_ user: UInt32) -> Bool { user == 0 } }
        final class Wire: ControlWire {
            let service: ControlService
            init(_ service: ControlService) { self.service = service }
            func exchange(_ bytes: Data) async throws -> Data {
                await service.answer(bytes, from: ControlCaller(user: 0, isOurs: true))
            }
            func close() {}
        }
        await #expect(throws: (any Error).self) { try await WeirProvider(nil).makeServices() }
        let runtime = machine.boot()
        let provider = WeirProvider(runtime)
        let services = try await provider.makeServices()
        let machine = machine
        let service = ControlService(runtime, administrators: Nobody(), now: { machine.now })
        let client = ControlClient { Wire(service) }
        guard case .state(let state) = try await client.ask(.state) else {
            Issue.record("no state")
            return
        }
        #expect(state.policy == "report")
        #expect(try await client.ask(.pause(until: machine.now + 1_000_000)) == .done)
        #expect(services.engine.currentPolicy.mode == .off)
        #expect(try await client.ask(.resume) == .done)
        #expect(services.engine.currentPolicy.mode == .observe)
        await runtime.close()
    }
}
