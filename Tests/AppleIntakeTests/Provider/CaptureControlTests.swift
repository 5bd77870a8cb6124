// SPDX-License-Identifier: Apache-2.0

// Policy changes, pauses and the switch: which rules follow, and what is heard of failures.

import FlowEngine
import FlowPolicy
import Foundation
import NetworkExtension
import Synchronization
import Testing

@testable import AppleIntake

@Suite("Rules in step with policy and switch", .timeLimit(.minutes(2)))
struct CaptureControlTests {
    /// A policy file whose port the test changes.
    private final class PolicyFile: Sendable {
        let port = Mutex(443)
        let isBroken = Mutex(false)
        func write(_ port: Int) { self.port.withLock { $0 = port } }
        @Sendable func read() throws -> PolicySnapshot {
            if isBroken.withLock({ $0 }) { throw CocoaError(.fileReadNoSuchFile) }
            return SampleProvider.snapshot(port: port.withLock { $0 })
        }
    }

    private func running(_ script: SampleProvider.Script, waits: ProviderWaits = ProviderWaits()) async throws
        -> SampleProvider
    {
        let provider = SampleProvider(script, waits: waits)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        return provider
    }

    @Test("A policy that is read again judges new flows, and its rules are set")
    func reload() async throws {
        let file = PolicyFile()
        var script = SampleProvider.Script()
        script.hooks.reload = file.read
        let provider = try await running(script)
        let before = try await provider.ask(.status).status
        file.write(8443)
        let after = try await provider.ask(.reload)
        #expect(after.problem == nil)
        #expect(after.status?.policy != before?.policy)
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "rules 8443"])
    }

    @Test("Rules that did not change are not set again")
    func sameRules() async throws {
        var script = SampleProvider.Script()
        script.hooks.reload = PolicyFile().read
        let provider = try await running(script)
        _ = try await provider.ask(.reload)
        #expect(provider.events.all == ["make", "rules 443", "start: runs"])
    }

    @Test("A policy that cannot be read leaves the old one in force, and whoever asked is told")
    func broken() async throws {
        let file = PolicyFile()
        var script = SampleProvider.Script()
        script.hooks.reload = file.read
        let provider = try await running(script)
        let before = try await provider.ask(.status).status
        file.isBroken.withLock { $0 = true }
        let reply = try await provider.ask(.reload)
        #expect(reply.problem?.code == "reload")
        #expect(reply.status?.policy == before?.policy)
        #expect(reply.status?.rules == before?.rules)
    }

    @Test("A reading that never ends is told in time, and does not keep the provider from being turned off")
    func hungReload() async throws {
        var script = SampleProvider.Script()
        script.hooks.reload = {
            for await _ in AsyncStream.makeStream(of: Never.self).stream {}
            throw CancellationError()
        }
        let provider = try await running(script, waits: ProviderWaits(reload: .milliseconds(20)))
        #expect(try await provider.ask(.reload).problem?.code == "reload-overdue")
        #expect(try await provider.ask(.off).problem == nil)
        #expect(provider.events.all.last == "rules none")
    }

    @Test("Of two readings that overlap, the one that began later wins, whichever ends first")
    func overlap() async throws {
        let readings = Mutex<[AsyncStream<Int>.Continuation]>([])
        var script = SampleProvider.Script()
        script.hooks.reload = {
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            readings.withLock { $0.append(continuation) }
            for await port in stream { return SampleProvider.snapshot(port: port) }
            throw CancellationError()
        }
        let provider = try await running(script)
        async let first = provider.ask(.reload)
        try await until { readings.withLock { $0.count } == 1 }
        async let second = provider.ask(.reload)
        try await until { readings.withLock { $0.count } == 2 }
        let started = readings.withLock { $0 }
        started[1].yield(2222)
        #expect(try await second.problem == nil)
        started[0].yield(1111)
        #expect(try await first.problem == nil)
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "rules 2222"])
    }

    @Test("While the system has not taken new rules nothing more is set, and the old ones count")
    func noOverlap() async throws {
        let file = PolicyFile()
        var script = SampleProvider.Script()
        script.hooks.reload = file.read
        // The first rules are taken; later ones are answered by the test.
        let waiting = Mutex<Bool>(false)
        script.rules = { _ in waiting.withLock { $0 } ? nil : .some(nil) }
        let provider = try await running(script, waits: ProviderWaits(rules: .milliseconds(300)))
        waiting.withLock { $0 = true }
        file.write(8443)
        async let reload = provider.ask(.reload)
        try await provider.events.wait(for: "rules 8443")
        async let off = provider.ask(.off)
        let status = try #require(try await provider.ask(.status).status)
        #expect(status.rules?.included == 2, "the old rules: a port in two families")
        #expect(provider.events.count("rules none") == 0)
        waiting.withLock { $0 = false }
        // The system leaves the first order unanswered; the next one is made when its time is over.
        #expect(try await off.problem == nil)
        #expect(try await reload.problem == nil)
        #expect(
            provider.events.all
                == ["make", "rules 443", "start: runs", "rules 8443", "notice rules-refused", "rules none"])
    }

    @Test("Refused rules leave the old ones in force, and both the log and whoever asked hear of it")
    func refused() async throws {
        let file = PolicyFile()
        var script = SampleProvider.Script()
        script.hooks.reload = file.read
        script.rules = { settings in
            SampleProvider.words(settings) == "8443" ? .some(NETunnelProviderError(.networkSettingsFailed)) : .some(nil)
        }
        let provider = try await running(script)
        file.write(8443)
        let reply = try await provider.ask(.reload)
        #expect(reply.problem?.code == "rules")
        #expect(reply.status?.rules?.included == 2)
        #expect(provider.events.count("notice rules-refused") == 1)
        file.write(9443)
        #expect(try await provider.ask(.reload).problem == nil)
        #expect(provider.events.all.last == "rules 9443")
    }

    @Test("Off takes nothing until it is armed again; a pause or its end does not arm it")
    func off() async throws {
        let provider = try await running(SampleProvider.Script())
        #expect(try await provider.ask(.off).status?.capture == .off)
        #expect(try await provider.ask(.resume).problem?.code == "off")
        #expect(try await provider.ask(.pause, until: 60_000).problem?.code == "off")
        #expect(try await provider.ask(.rearm).status?.capture == .on)
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "rules none", "rules 443"])
    }

    @Test("Where the system refuses an empty list, everything is excluded instead")
    func emptyRefused() async throws {
        let excluded = Mutex<[String]>([])
        var script = SampleProvider.Script()
        script.rules = { settings in
            guard settings.includedNetworkRules?.isEmpty == false else {
                return .some(NETunnelProviderError(.networkSettingsInvalid))
            }
            excluded.withLock {
                $0 = (settings.excludedNetworkRules ?? []).map { "\($0.matchRemotePrefix)" }
            }
            return .some(nil)
        }
        let provider = try await running(script)
        let reply = try await provider.ask(.off)
        #expect(reply.problem == nil)
        #expect(reply.status?.capture == .off)
        #expect(excluded.withLock { $0 } == ["1", "1", "1", "1"])
        #expect(try await provider.ask(.rearm).problem == nil)
    }

    @Test("A pause ends by itself, and can be ended before")
    func pause() async throws {
        let provider = try await running(SampleProvider.Script())
        // The clock of the sample stands at 1000.
        #expect(try await provider.ask(.pause, until: 61_000).status?.capture == .paused(until: 61_000))
        #expect(try await provider.ask(.resume).status?.capture == .on)
        // So short that it may be over before the answer says so.
        #expect(try await provider.ask(.pause, until: 1_030).problem == nil)
        try await provider.events.wait(for: "rules 443", 3)
        #expect(try await provider.ask(.status).status?.capture == .on)
    }

    @Test("A pause that is over does not end the one that followed it, nor turn on what was turned off")
    func pausesDoNotMix() async throws {
        let services = SampleProvider.services(SampleProvider.policy(port: 443), ProviderHooks())
        let control = CaptureControl(services, ProviderWaits()) { _, answer in answer(nil) }
        try await control.pause(until: 61_000)
        try await control.pause(until: 62_000)
        await control.pauseOver(1)
        #expect(await control.capture == .paused(until: 62_000))
        #expect(!control.isTaking)
        try await control.turnOff()
        await control.pauseOver(2)
        #expect(await control.capture == .off)
        try await control.arm()
        try await control.pause(until: 61_000)
        await control.pauseOver(3)
        #expect(await control.capture == .on)
        #expect(control.isTaking)
    }

    @Test("The end of a pause must lie ahead, and not too far", arguments: [nil, 0, -5, 1_000, .min, .max, 86_401_001])
    func dates(_ date: Int64?) async throws {
        let provider = try await running(SampleProvider.Script())
        let reply = try await provider.ask(.pause, until: date)
        #expect(reply.problem?.code == "date")
        #expect(reply.status?.capture == .on)
    }

    @Test("A provider that starts disarmed takes nothing, says so, and is armed by an administrator")
    func disarmed() async throws {
        let armed = Mutex(0)
        var script = SampleProvider.Script()
        script.hooks.disarmed = "it died three times in ten minutes"
        script.hooks.rearmed = { armed.withLock { $0 += 1 } }
        let provider = try await running(script)
        #expect(provider.events.all == ["make", "notice disarmed", "rules none", "start: runs"])
        let status = try await provider.ask(.status).status
        #expect(status?.capture == .disarmed(because: "it died three times in ten minutes"))
        #expect(try await provider.ask(.resume).problem?.code == "off")
        #expect(try await provider.ask(.rearm).status?.capture == .on)
        #expect(armed.withLock { $0 } == 1)
        #expect(provider.events.all.last == "rules 443")
    }

    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<3000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(condition())
    }
}
