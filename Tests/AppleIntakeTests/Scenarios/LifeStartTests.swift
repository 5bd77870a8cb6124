// SPDX-License-Identifier: Apache-2.0

// Starts and stops as macOS delivers them, installs and upgrades, and orders to a provider that carries flows.

import Dispatch
import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct LifeStartTests {
    private static let taken = SimulatedSocket.Way.claimed(by: "weir")

    @Test func `A start that macOS 26 delivers twice is one run, and ends as one`() async throws {
        var knobs = Knobs()
        knobs.doubleStart = true
        let rig = MacRig(knobs)
        try await rig.serve()
        for run in 1...2 {
            try await rig.proxy.start()
            #expect(try await rig.app.ask().way == Self.taken)
            #expect(rig.weir.calls("make") == run)
            await rig.proxy.stop(.userInitiated)
            #expect(rig.weir.calls("close") == run)
        }
        #expect(!rig.weir.codes.contains("provider-died"))
        try await rig.nothingIsLeft()
    }

    @Test(arguments: [true, false])
    func `A stop during the start frees what was made, and the next start takes flows`(_ overtakes: Bool) async throws {
        var knobs = Knobs()
        knobs.stopDuringStart = overtakes
        let rig = MacRig(knobs)
        try await rig.serve()
        let policy = Gate(false)
        rig.weir.beforeReading.change { $0 = { _ = await policy.wait { $0 ? true : nil } } }
        let starting = Task { try await rig.proxy.start() }
        try await rig.eventually("it reads the policy") { rig.weir.calls("make") == 1 }
        let stopping = Task { await rig.proxy.stop(.userInitiated) }
        if overtakes {
            await #expect(throws: (any Error).self) { try await starting.value }
            await stopping.value
        }
        policy.change { $0 = true }
        _ = await starting.result
        await stopping.value
        #expect(rig.proxy.status == .stopped)
        try await rig.eventually("what was made is freed") { rig.weir.calls("close") == 1 }
        #expect(try await rig.app.ask().way == .direct)

        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == Self.taken)
        #expect(!rig.weir.codes.contains("provider-died"))
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test(arguments: [true, false])
    func `A start with a policy that cannot be read says so, keeps nothing, and can be made again`(_ skipsStop: Bool)
        async throws
    {
        var knobs = Knobs()
        knobs.startErrorSkipsStop = skipsStop
        let rig = MacRig(knobs, policy: "version: 1\nmode: [")
        try await rig.serve()
        for _ in 0..<3 {
            let failure = await #expect(throws: ProviderFailure.self) { try await rig.proxy.start() }
            #expect(failure?.code == .services)
            _ = await rig.proxy.ended()
            #expect(try await rig.app.ask().way == .direct)
        }
        #expect(rig.weir.calls("stop") == (skipsStop ? 0 : 3))
        rig.weir.policy.change { $0 = MacRig.policy() }
        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == Self.taken)
        #expect(!rig.weir.codes.contains("provider-died"))
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test func `An upgrade cuts each claimed connection once, and none passes it by while it lasts`() async throws {
        var knobs = Knobs()
        knobs.failClosedConnects = .max
        let rig = MacRig(knobs)
        try await rig.serve()
        try await rig.serve(MacRig.excluded)
        try await rig.proxy.start()
        let excluded = try await rig.app.ask(MacRig.excluded)
        var claimed: [SimulatedSocket] = []
        for _ in 0..<5 { claimed.append(try await rig.app.ask()) }

        // The new one takes its time, so that connections fall into the gap.
        let isOver = Gate(false)
        rig.weir.beforeReading.change { $0 = { _ = await isOver.wait { $0 ? true : nil } } }
        let weir = rig.weir
        let upgrading = Task { await rig.proxy.upgrade { WeirUnderTest(weir) } }
        for socket in claimed { #expect(await socket.end() == ECONNRESET) }
        try await rig.eventually("the new one starts") { weir.calls("make") == 2 }
        for _ in 0..<20 { #expect(await rig.app.failure() == EINVAL) }
        try await excluded.ask()
        isOver.change { $0 = true }
        #expect(await upgrading.value)
        #expect(try await rig.app.ask().way == Self.taken)
        #expect(rig.mac.log.count(.direct, program: "app") == 0)
        #expect(!weir.codes.contains("provider-died"))

        // The old app asks what it always asked; one that speaks another language is told so.
        #expect(try await rig.status().phase == "running")
        let strange = try #require(await rig.proxy.send(Data(#"{"version": 9, "verb": "status"}"#.utf8)))
        #expect(try JSONDecoder().decode(ProviderReply.self, from: strange).problem?.code == "version")
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test func `A rest decides on new connections, and those that are carried go on`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let carried = try await rig.app.ask()
        for isResting in [true, false, true, false] {
            try await rig.weir.rest(isResting)
            #expect(try await rig.app.ask().way == (isResting ? .direct : Self.taken))
            try await carried.ask()
        }
        await rig.proxy.stop(.userInitiated)
        #expect(await carried.end() == ECONNRESET)
        try await rig.nothingIsLeft()
    }

    @Test func `A new policy leaves the old rules in force until its own are in`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let carried = try await rig.app.ask()
        let isRead = Gate(false)
        rig.weir.policy.change {
            $0 = MacRig.policy("- {name: nor this, when: {address: 203.0.113.0/24}, then: bypass}")
        }
        rig.weir.beforeReading.change { $0 = { _ = await isRead.wait { $0 ? true : nil } } }
        let reloading = Task { try await rig.weir.reload() }
        for _ in 0..<3 { #expect(try await rig.app.ask().way == Self.taken) }
        isRead.change { $0 = true }
        try await reloading.value
        #expect(try await rig.app.ask().way == .excluded)
        try await carried.ask()

        let digest = try await rig.status().policy
        rig.weir.policy.change { $0 = "version: 1\nmode: [" }
        await #expect(throws: (any Error).self) { try await rig.weir.reload() }
        #expect(try await rig.status().policy == digest)
        #expect(try await rig.app.ask().way == .excluded)
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test func `A stop while connections are held for their maker refuses them at once`() async throws {
        let rig = MacRig()
        try await rig.serve()
        let examined = DispatchSemaphore(value: 0)
        defer { examined.signal() }
        let connecting = try await rig.startHolding(until: examined)
        await rig.proxy.stop(.userInitiated)
        for connecting in connecting { #expect(await connecting.value == ECONNABORTED) }
        // Refused by the provider, and not cut by the system because it ended.
        #expect(rig.mac.log.count(.aborted) == 0)
        #expect(rig.weir.calls("close") == 1)
        try await rig.nothingIsLeft()
    }
}
