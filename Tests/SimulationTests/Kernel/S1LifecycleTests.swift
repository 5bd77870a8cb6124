// SPDX-License-Identifier: Apache-2.0

// S1: no flow before a start has completed, none after stop was called; and the ways in which starts go wrong.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S1: start and stop", .timeLimit(.minutes(1)))
struct S1LifecycleTests {
    private struct Broken: Error {}
    private typealias Done = @Sendable ((any Error)?) -> Void

    /// A provider whose start completes when the test says so.
    private func heldProvider() -> (TestProvider, Gate<Done?>) {
        let provider = TestProvider()
        let held = Gate<Done?>(nil)
        provider.onStart = { provider, done in
            provider.setTunnelNetworkSettings(provider.settings) { _ in held.change { $0 = done } }
        }
        return (provider, held)
    }

    @Test("Before the start has completed and after stop was called, connects go out directly")
    func outsideOfRunning() async throws {
        let mac = SimulatedMac()
        let (provider, held) = heldProvider()
        let proxy = mac.install("weir") { provider }
        async let starting: Void = proxy.start()
        let done = try #require(await held.wait { $0 })
        #expect(proxy.status == .starting)
        let app = mac.launch("curl")
        #expect(try await app.connect(to: .echo).way == .direct)
        done(nil)
        try await starting
        #expect(proxy.status == .running)
        provider.onFlow = { _ in false }
        #expect(try await app.connect(to: .echo).way == .declined)
        await proxy.stop(.userInitiated)
        #expect(try await app.connect(to: .echo).way == .direct)
        #expect(provider.record.read { $0.offered } == 1)
        #expect(provider.record.read { $0.stops } == [.userInitiated])
        #expect(proxy.status == .stopped)
    }

    @Test("Options reach the provider, and a second start is refused while the first runs")
    func options() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start(options: ["a": 1])
        await #expect(throws: SessionError.alreadyStarted) { try await proxy.start() }
    }

    @Test("A double start calls startProxy twice for one start, and the first completion counts")
    func doubleStart() async throws {
        let mac = SimulatedMac(Knobs { $0.doubleStart = true })
        let provider = TestProvider()
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        #expect(await provider.record.wait { $0.starts == 2 ? true : nil } == true)
        #expect(proxy.status == .running)
    }

    @Test("A start that reports an error ends the session, with or without stopProxy", arguments: [true, false])
    func failedStart(skipsStop: Bool) async throws {
        let mac = SimulatedMac(Knobs { $0.startErrorSkipsStop = skipsStop })
        let provider = TestProvider()
        provider.onStart = { _, done in done(Broken()) }
        let proxy = mac.install("weir") { provider }
        await #expect(throws: Broken.self) { try await proxy.start() }
        if !skipsStop { #expect(await provider.record.wait { $0.stops.isEmpty ? nil : true } == true) }
        await proxy.stop(.userInitiated)
        #expect(proxy.status == .stopped)
        #expect(provider.record.read { $0.stops.count } == (skipsStop ? 0 : 1))
        #expect(try await mac.launch("curl").connect(to: .echo).way == .direct)
    }

    @Test("Stop overtakes a start that has not completed")
    func stopDuringStart() async throws {
        let mac = SimulatedMac()
        let (provider, held) = heldProvider()
        let proxy = mac.install("weir") { provider }
        let starting = Task { try await proxy.start() }
        let done = try #require(await held.wait { $0 })
        await proxy.stop(.userInitiated)
        #expect(provider.record.read { $0.stops } == [.userInitiated])
        await #expect(throws: SessionError.stopped) { try await starting.value }
        done(nil)
        #expect(proxy.status == .stopped)
    }

    @Test("Where it may not overtake, stop waits until the start has completed")
    func stopAfterStart() async throws {
        let mac = SimulatedMac(Knobs { $0.stopDuringStart = false })
        let (provider, held) = heldProvider()
        let proxy = mac.install("weir") { provider }
        async let starting: Void = proxy.start()
        let done = try #require(await held.wait { $0 })
        async let stopping: Void = proxy.stop(.userInitiated)
        await Task.yield()
        #expect(provider.record.read { $0.stops } == [])
        done(nil)
        try await starting
        await stopping
        #expect(provider.record.read { $0.stops } == [.userInitiated])
    }

    @Test("A provider that cancels itself is stopped, or just ended", arguments: [true, false])
    func cancel(callsStop: Bool) async throws {
        let mac = SimulatedMac(Knobs { $0.cancelCallsStop = callsStop })
        let provider = TestProvider()
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        provider.cancelProxyWithError(Broken())
        await proxy.stop(.none)
        #expect(provider.record.read { $0.stops } == (callsStop ? [.providerFailed] : []))
        #expect(proxy.status == .stopped)
        #expect(try await mac.launch("curl").connect(to: .echo).way == .direct)
    }

    @Test("A provider that cancels itself during its start fails that with its own error")
    func cancelDuringStart() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        provider.onStart = { provider, _ in provider.cancelProxyWithError(Broken()) }
        let proxy = mac.install("weir") { provider }
        await #expect(throws: Broken.self) { try await proxy.start() }
        #expect(await proxy.session?.ended() is Broken)
        #expect(proxy.status == .stopped)
    }

    @Test("Messages of the application are answered, and not by a provider that is not there")
    func messages() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        #expect(await proxy.send(Data("abc".utf8)) == nil)
        try await proxy.start()
        #expect(await proxy.send(Data("abc".utf8)) == Data("cba".utf8))
        proxy.hang()
        async let answer = proxy.send(Data("abc".utf8))
        proxy.kill()
        #expect(await answer == nil)
    }
}
