// SPDX-License-Identifier: Apache-2.0

// Policy changes and arming: which rules follow, and what is heard of failures.

import FlowPolicy
import Foundation
import NetworkExtension
import Synchronization
import Testing

@testable import AppleIntake

@Suite("Rules in step with the policy", .timeLimit(.minutes(2)))
struct CaptureControlTests {
    private func running(_ script: SampleProvider.Script = .init(), waits: ProviderWaits = .init()) async throws
        -> SampleProvider
    {
        let provider = SampleProvider(script, waits: waits)
        provider.start()
        try await provider.events.wait(for: "start: runs")
        return provider
    }

    @Test("The rules of another policy are set, and those of the same are not set again")
    func follow() async throws {
        let provider = try await running()
        try await provider.use(port: 8443)
        try await provider.use(port: 8443)
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "rules 8443"])
    }

    @Test("A policy whose mode is off has the system hand over nothing, and its rules come back with its mode")
    func off() async throws {
        let provider = try await running()
        try await provider.use(port: nil)
        #expect(try await provider.standing().rules?.included == 0)
        try await provider.use(port: 443)
        #expect(try await provider.standing().rules?.included == 2, "a port in two families")
        #expect(provider.events.all == ["make", "rules 443", "start: runs", "rules none", "rules 443"])
    }

    @Test("While the system has not taken new rules nothing more is set, and the old ones count")
    func noOverlap() async throws {
        var script = SampleProvider.Script()
        // The first rules are taken; later ones are answered by the test.
        let waiting = Mutex<Bool>(false)
        script.rules = { _ in waiting.withLock { $0 } ? nil : .some(nil) }
        let provider = try await running(script, waits: ProviderWaits(rules: .milliseconds(300)))
        waiting.withLock { $0 = true }
        async let other: Void = provider.use(port: 8443)
        try await provider.events.wait(for: "rules 8443")
        async let off: Void = provider.use(port: nil)
        #expect(try await provider.standing().rules?.included == 2, "the old rules")
        #expect(provider.events.count("rules none") == 0)
        waiting.withLock { $0 = false }
        // The system leaves the first order unanswered; the next one is made when its time is over.
        _ = try await (other, off)
        #expect(
            provider.events.all
                == ["make", "rules 443", "start: runs", "rules 8443", "notice rules-refused", "rules none"])
    }

    @Test("Refused rules leave the old ones in force, and both the log and whoever asked hear of it")
    func refused() async throws {
        var script = SampleProvider.Script()
        script.rules = { settings in
            SampleProvider.words(settings) == "8443" ? .some(NETunnelProviderError(.networkSettingsFailed)) : .some(nil)
        }
        let provider = try await running(script)
        await #expect(throws: ProviderFailure(.rules, "")) { try await provider.use(port: 8443) }
        #expect(try await provider.standing().rules?.included == 2)
        #expect(provider.events.count("notice rules-refused") == 1)
        try await provider.use(port: 9443)
        #expect(provider.events.all.last == "rules 9443")
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
        try await provider.use(port: nil)
        #expect(excluded.withLock { $0 } == ["1", "1", "1", "1"])
        try await provider.use(port: 443)
    }

    @Test("A provider that starts disarmed takes nothing whatever the policy says, says so, and is armed again")
    func disarmed() async throws {
        var script = SampleProvider.Script()
        script.hooks.disarmed = "it died three times in ten minutes"
        let provider = try await running(script)
        try await provider.use(port: 8443)
        #expect(provider.events.all == ["make", "notice disarmed", "rules none", "start: runs"])
        #expect(try await provider.standing().disarmed == "it died three times in ten minutes")
        #expect(!provider.onSystemQueue { $0.handleNewFlow(SampleProvider.flow()) })
        try await provider.arm()
        #expect(try await provider.standing().disarmed == nil)
        #expect(provider.events.all.last == "rules 8443")
        #expect(provider.onSystemQueue { $0.handleNewFlow(SampleProvider.flow()) })
    }
}
