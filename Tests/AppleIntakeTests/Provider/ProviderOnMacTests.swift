// SPDX-License-Identifier: Apache-2.0

// The provider on a simulated Mac: what its life and its rules mean for the connections of programs.

import FlowEngine
import FlowPolicy
import Foundation
import NetworkSimulation
import Synchronization
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite("The provider on a Mac", .timeLimit(.minutes(2)))
struct ProviderOnMacTests {
    /// The provider that was made last.
    private final class Latest: Sendable { let provider = Mutex<SampleProvider?>(nil) }

    /// A Mac with a program, a site that listens on two ports, and the provider.
    private final class Machine: Sendable {
        let mac: SimulatedMac
        let proxy: InstalledProxy
        let app: SimulatedProcess
        let events = Events()

        private let latest: Latest

        init(_ knobs: Knobs = Knobs(), _ script: SampleProvider.Script = .init(), waits: ProviderWaits = .init()) {
            let internet = MemoryInternet()
            for port in [443, 8443] as [NWEndpoint.Port] { internet.listen(on: Self.site(port)) { _ in } }
            mac = SimulatedMac(knobs, internet: internet)
            app = mac.launch(SimulatedProgram("curl"))
            var script = script
            script.amend = script.amend ?? { _ in }
            let latest = Latest()
            self.latest = latest
            proxy = mac.install("weir") { [events, script] in
                let provider = SampleProvider(script, waits: waits, events: events)
                latest.provider.withLock { $0 = provider }
                return provider
            }
        }

        static func site(_ port: NWEndpoint.Port) -> NWEndpoint { .hostPort(host: "203.0.113.9", port: port) }

        /// How a new connection of the program goes: `declined` is what the provider was asked about.
        func way(_ port: NWEndpoint.Port = 443) async throws -> SimulatedSocket.Way {
            do {
                let socket = try await app.connect(to: Self.site(port))
                defer { socket.close() }
                return socket.way
            } catch  where mac.knobs.directConnectFails {
                return .declined
            }
        }

        var provider: SampleProvider {
            get throws { try #require(latest.provider.withLock { $0 }) }
        }
    }

    @Test("Under every pair of what is not certain of macOS: start, off, on, new policy, sleep, wake, stop")
    func everyKnob() async throws {
        for knobs in Knobs.pairwise() {
            let machine = Machine(knobs)
            #expect(try await machine.way() == .direct)
            try await machine.proxy.start()
            #expect(try await machine.way() == .declined, "\(knobs)")
            #expect(try await machine.way(8443) == .direct)
            try await machine.provider.use(port: nil)
            #expect(try await machine.way() == (knobs.emptyRulesRefused ? .excluded : .direct), "\(knobs)")
            try await machine.provider.use(port: 443)
            #expect(try await machine.way() == .declined)
            try await machine.provider.use(port: 8443)
            #expect(try await machine.way() == .direct)
            #expect(try await machine.way(8443) == .declined)
            await machine.mac.sleep()
            machine.mac.wake()
            try await machine.events.wait(for: "woke")
            #expect(try await machine.way(8443) == .declined)
            await machine.proxy.stop(.userInitiated)
            #expect(try await machine.way(8443) == .direct)
            #expect(machine.events.count("make") == 1, "\(knobs)")
            #expect(machine.events.count("close") == 1, "\(knobs)")
        }
    }

    @Test("A start that macOS 26 delivers twice makes one set of services and sets the rules once")
    func doubleStart() async throws {
        var knobs = Knobs()
        knobs.doubleStart = true
        let machine = Machine(knobs)
        try await machine.proxy.start()
        #expect(try await machine.provider.standing().phase == "running")
        #expect(machine.events.all == ["make", "rules 443"])
    }

    @Test(
        "A stop during the start leaves nothing behind, whichever way the system orders them", arguments: [true, false])
    func stopDuringStart(_ overtakes: Bool) async throws {
        let (gate, open) = AsyncStream.makeStream(of: Never.self)
        var script = SampleProvider.Script()
        script.make = {
            for await _ in gate {}
            return $0
        }
        var knobs = Knobs()
        knobs.stopDuringStart = overtakes
        let machine = Machine(knobs, script)
        let starting = Task { try await machine.proxy.start() }
        try await machine.events.wait(for: "make")
        let stopping = Task { await machine.proxy.stop(.userInitiated) }
        if overtakes {
            await stopping.value
            await #expect(throws: (any Error).self) { try await starting.value }
        }
        open.finish()
        await stopping.value
        try await machine.events.wait(for: "close")
        #expect(machine.proxy.status == .stopped)
        #expect(machine.events.count("rules 443") == (overtakes ? 0 : 1))
        #expect(try await machine.way() == .direct)
    }

    @Test(
        "Rules that the system refuses fail the start, all is freed although no stop follows, and a later start works")
    func refusedStart() async throws {
        let isBroken = Mutex(true)
        var script = SampleProvider.Script()
        script.amend = { settings in if isBroken.withLock({ $0 }) { settings.breakRules() } }
        let machine = Machine(Knobs(), script)
        await #expect(throws: ProviderFailure(.rules, "")) { try await machine.proxy.start() }
        #expect(machine.events.count("close") == 1)
        #expect(try await machine.way() == .direct)
        isBroken.withLock { $0 = false }
        try await machine.proxy.start()
        #expect(try await machine.way() == .declined)
        #expect(machine.events.count("make") == 2)
    }

    @Test("New rules that the system refuses leave the old ones in force")
    func refusedReload() async throws {
        var script = SampleProvider.Script()
        script.amend = { settings in if SampleProvider.words(settings) == "8443" { settings.breakRules() } }
        let machine = Machine(Knobs(), script)
        try await machine.proxy.start()
        await #expect(throws: ProviderFailure(.rules, "")) { try await machine.provider.use(port: 8443) }
        #expect(try await machine.way() == .declined)
        #expect(try await machine.way(8443) == .direct)
    }

    @Test("A provider that starts disarmed is asked about nothing until it is armed")
    func disarmed() async throws {
        var script = SampleProvider.Script()
        script.hooks.disarmed = "three deaths"
        let machine = Machine(Knobs(), script)
        try await machine.proxy.start()
        #expect(try await machine.way() == .direct)
        #expect(machine.mac.log.count(.offered) == 0)
        try await machine.provider.arm()
        #expect(try await machine.way() == .declined)
    }

    @Test("An upgrade ends the old provider in order, and the new one takes over")
    func upgrade() async throws {
        let machine = Machine()
        try await machine.proxy.start()
        let successor = Events()
        #expect(
            await machine.proxy.upgrade {
                var script = SampleProvider.Script()
                script.policy = SampleProvider.policy(port: 8443)
                script.amend = { _ in }
                return SampleProvider(script, events: successor)
            })
        #expect(machine.events.all == ["make", "rules 443", "close"])
        #expect(successor.all == ["make", "rules 8443"])
        #expect(try await machine.way(8443) == .declined)
        #expect(try await machine.way() == .direct)
    }

    @Test(
        "A provider that ends itself is stopped, whether or not the system answers with a stop",
        arguments: [true, false])
    func cancel(_ stopFollows: Bool) async throws {
        var knobs = Knobs()
        knobs.cancelCallsStop = stopFollows
        let machine = Machine(knobs)
        let provider = Mutex<SampleProvider?>(nil)
        let proxy = machine.mac.install("other") { [events = machine.events] in
            var script = SampleProvider.Script()
            script.amend = { _ in }
            let made = SampleProvider(script, events: events)
            provider.withLock { $0 = made }
            return made
        }
        try await proxy.start()
        #expect(try await machine.way() == .declined)
        provider.withLock { $0 }?.cancelProxyWithError(CancellationError())
        for _ in 0..<3000 where proxy.status != .stopped { try await Task.sleep(for: .milliseconds(10)) }
        #expect(proxy.status == .stopped)
        #expect(machine.events.count("close") == 1)
        #expect(try await machine.way() == .direct)
    }

    @Test("A provider that hangs holds up what its rules take; what they do not take never notices")
    func hang() async throws {
        let machine = Machine()
        try await machine.proxy.start()
        machine.proxy.hang()
        let waiting = Task { try await machine.way() }
        #expect(try await machine.way(8443) == .direct)
        machine.proxy.unhang()
        #expect(try await waiting.value == .declined)
    }
}

extension NETransparentProxyNetworkSettings {
    /// Adds a rule that the system refuses: a wildcard without a port.
    fileprivate func breakRules() {
        let wildcard = NENetworkRule(
            destinationNetworkEndpoint: .hostPort(host: "0.0.0.0", port: 0), prefix: 0, protocol: .any)
        includedNetworkRules?.append(wildcard)
    }
}
