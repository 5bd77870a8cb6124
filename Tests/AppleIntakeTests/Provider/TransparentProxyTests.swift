// SPDX-License-Identifier: Apache-2.0

// The entry points of the provider, called as the system calls them.

import FlowEngine
import FlowPolicy
import Foundation
import NetworkExtension
import NetworkSimulation
import Synchronization
import Testing

@testable import AppleIntake

@Suite("The provider", .timeLimit(.minutes(2)))
struct TransparentProxyTests {
    private struct Broken: Error {}

    /// Lets those that wait go on.
    private final class Gate: Sendable {
        private let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        func open() { continuation.finish() }
        func pass() async { for await _ in stream {} }
    }

    @Test("A start makes services, sets the rules of the policy, and answers once")
    func start() async throws {
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        #expect(provider.events.all == ["make", "rules 443", "start: runs"])
    }

    @Test("A start that is delivered twice makes one set of services, and both are answered")
    func doubleStart() async throws {
        let gate = Gate()
        var script = SampleProvider.Script()
        script.make = {
            await gate.pass()
            return $0
        }
        let provider = SampleProvider(script)
        provider.start("first")
        provider.start("second")
        gate.open()
        try await provider.events.wait(for: "second: runs")
        provider.start("third")
        #expect(provider.events.all == ["make", "rules 443", "first: runs", "second: runs", "third: runs"])
    }

    @Test("A start that is delivered twice and fails answers both with the same failure")
    func doubleFailure() async throws {
        let gate = Gate()
        var script = SampleProvider.Script()
        script.make = { _ in
            await gate.pass()
            throw Broken()
        }
        let provider = SampleProvider(script)
        provider.start("first")
        provider.start("second")
        gate.open()
        try await provider.events.wait(for: "second: services")
        #expect(provider.events.all == ["make", "first: services", "second: services"])
    }

    @Test("Refused rules fail the start, after all is freed: no stop follows")
    func refusedRules() async throws {
        var script = SampleProvider.Script()
        script.rules = { _ in .some(NETunnelProviderError(.networkSettingsInvalid)) }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "start: rules")
        #expect(provider.events.all == ["make", "rules 443", "notice rules-refused", "close", "start: rules"])
    }

    @Test("A policy that changes while the first rules are set has its rules set after them")
    func policyOvertakesStart() async throws {
        let engines = Engines()
        var script = SampleProvider.Script()
        script.make = {
            engines.add($0.engine)
            return $0
        }
        script.rules = { _ in
            engines.use(SampleProvider.snapshot(port: 8443))
            return .some(nil)
        }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "rules 8443")
    }

    /// The engine that a script was given.
    private final class Engines: Sendable {
        private let engine = Mutex<FlowEngine?>(nil)
        func add(_ engine: FlowEngine) { self.engine.withLock { $0 = engine } }
        func use(_ policy: PolicySnapshot) { engine.withLock { $0 }?.use(policy) }
    }

    @Test("A system that never answers to the rules fails the start in time")
    func unansweredRules() async throws {
        var script = SampleProvider.Script()
        script.rules = { _ in nil }
        let provider = SampleProvider(script, waits: ProviderWaits(rules: .milliseconds(20)))
        provider.start()
        try await provider.events.wait(for: "start: rules-overdue")
        #expect(provider.events.count("close") == 1)
    }

    @Test("Services that are not made in time fail the start, and are freed when they come")
    func lateServices() async throws {
        let gate = Gate()
        var script = SampleProvider.Script()
        script.make = {
            await gate.pass()
            return $0
        }
        let provider = SampleProvider(script, waits: ProviderWaits(services: .milliseconds(20)))
        provider.start()
        try await provider.events.wait(for: "start: services-overdue")
        gate.open()
        try await provider.events.wait(for: "close")
        #expect(provider.events.all == ["make", "start: services-overdue", "close"])
    }

    @Test("A stop while services are made is answered at once, and the services are freed when they come")
    func stopWhileMaking() async throws {
        let gate = Gate()
        var script = SampleProvider.Script()
        script.make = {
            await gate.pass()
            return $0
        }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "make")
        provider.stop()
        #expect(provider.events.all == ["make", "start: stopped", "stop: done"])
        gate.open()
        try await provider.events.wait(for: "close")
        #expect(provider.events.count("rules 443") == 0)
    }

    @Test("A stop while the rules are set frees, then answers the start and the stop")
    func stopWhileSetting() async throws {
        var script = SampleProvider.Script()
        script.rules = { _ in nil }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "rules 443")
        provider.stop()
        try await provider.events.wait(for: "stop: done")
        #expect(provider.events.all == ["make", "rules 443", "close", "start: stopped", "stop: done"])
    }

    @Test("Two stops are both answered, after all is freed once; a third at once")
    func stops() async throws {
        let gate = Gate()
        var script = SampleProvider.Script()
        script.hooks.close = { await gate.pass() }
        let provider = SampleProvider(script)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        provider.stop("first")
        provider.stop("second")
        try await provider.events.wait(for: "close")
        #expect(provider.events.count("first: done") == 0)
        gate.open()
        try await provider.events.wait(for: "second: done")
        provider.stop("third")
        #expect(provider.events.all.suffix(4) == ["close", "first: done", "second: done", "third: done"])
    }

    @Test("A stop is answered in time even when freeing never ends")
    func stuckStop() async throws {
        var script = SampleProvider.Script()
        script.hooks.close = { await Gate().pass() }
        let provider = SampleProvider(script, waits: ProviderWaits(end: .milliseconds(20)))
        provider.start()
        try await provider.events.wait(for: "start: runs")
        provider.stop()
        try await provider.events.wait(for: "stop: done")
    }

    @Test("A provider that ends itself frees all before the system hears of it")
    func cancel() async throws {
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        provider.cancelProxyWithError(Broken())
        try await provider.events.wait(for: "close")
        provider.stop()
        try await provider.events.wait(for: "stop: done")
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "close", "stop: done"])
    }

    @Test("Flows are left to the system before the start, after the stop, and while nothing is taken")
    func flows() async throws {
        let provider = SampleProvider()
        func offer(_ flow: NEAppProxyFlow = SampleProvider.flow()) -> Bool {
            provider.onSystemQueue { $0.handleNewFlow(flow) }
        }
        #expect(!offer())
        #expect(provider.events.all.isEmpty)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        #expect(offer())
        #expect(!offer(SampleProvider.flow(to: "192.0.2.2")))
        provider.stop()
        #expect(!offer())
        try await provider.events.wait(for: "stop: done")
        #expect(!offer())
        let asked = provider.events.all.filter { $0.hasPrefix("admit") }
        #expect(asked == ["admit 192.0.2.1:443", "admit 192.0.2.2:443"])
        let status = try await provider.standing()
        #expect(status.offered == 5)
        #expect(status.declined == 4)
        #expect(status.phase == "ended")
    }

    @Test("A UDP flow is judged by its first destination where the system tells it, and else without")
    func datagrams() async throws {
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        let (flow, first) = SampleProvider.datagramFlow()
        #expect(provider.onSystemQueue { $0.handleNewUDPFlow(flow, initialRemoteFlowEndpoint: first) })
        #expect(!provider.onSystemQueue { $0.handleNewFlow(flow) })
        #expect(provider.events.all.suffix(2) == ["admit 192.0.2.1:443", "admit anywhere"])
    }

    @Test("Sleep is answered at once; waking up asks for a look at connections only while the provider runs")
    func sleepAndWake() async throws {
        let provider = SampleProvider()
        provider.onSystemQueue { $0.wake() }
        provider.onSystemQueue { provider in provider.sleep { [events = provider.events] in events.add("asleep") } }
        #expect(provider.events.all == ["asleep"])
        provider.start()
        try await provider.events.wait(for: "start: runs")
        provider.onSystemQueue { $0.wake() }
        try await provider.events.wait(for: "woke")
        #expect(provider.events.count("woke") == 1)
    }

    @Test("No entry point works on the system's queue: all is handed on")
    func handsOn() async throws {
        let provider = SampleProvider()
        provider.start()
        try await provider.events.wait(for: "start: runs")
        provider.onSystemQueue { $0.wake() }
        try await provider.use(port: nil)
        _ = try await provider.standing()
        provider.stop()
        try await provider.events.wait(for: "stop: done")
        try await provider.events.wait(for: "woke")
        for done in ["make", "rules 443", "rules none", "close"] { #expect(provider.events.count(done) > 0, "\(done)") }
        #expect(provider.events.all.filter { $0.hasPrefix("on the queue") } == [])
    }

    @Test("While services are made, rules are set and flows end without end, the system's queue is free")
    func queueStaysFree() async throws {
        // A gate that nobody opens: each entry point must return all the same, or this test never does.
        var script = SampleProvider.Script()
        script.make = {
            await Gate().pass()
            return $0
        }
        let provider = SampleProvider(script)
        provider.start()
        #expect(!provider.onSystemQueue { $0.handleNewFlow(SampleProvider.flow()) })
        provider.onSystemQueue { $0.wake() }
        #expect(try await provider.standing().phase == "making")
        provider.stop()
        #expect(provider.events.count("stop: done") == 1)
    }
}
