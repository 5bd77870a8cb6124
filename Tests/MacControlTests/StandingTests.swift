// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import MacControl

@Suite struct StandingTests {
    struct Row: Sendable {
        var installed: [InstalledExtension] = [InstalledExtension(build: "7", isEnabled: true)]
        var status = ProxyStatus.connected
        var word: Standing.Word?
        let standing: Standing
    }

    static let rows: [Row] = [
        Row(installed: [], standing: .notInstalled),
        Row(installed: [InstalledExtension(build: "7", isEnabled: false)], standing: .notInstalled),
        Row(
            installed: [InstalledExtension(build: "7", isEnabled: false, isAwaitingApproval: true)],
            standing: .awaitsApproval),
        Row(
            installed: [InstalledExtension(build: "7", isEnabled: true, isUninstalling: true)],
            standing: .awaitsRestart),
        Row(
            installed: [
                InstalledExtension(build: "7", isEnabled: true, isUninstalling: true),
                InstalledExtension(build: "8", isEnabled: true),
            ], word: .state(.sample()), standing: .running),
        Row(status: .invalid, standing: .off),
        Row(status: .disconnected, standing: .off),
        Row(status: .disconnecting, standing: .off),
        Row(status: .connecting, standing: .starting),
        Row(status: .reasserting, standing: .starting),
        Row(standing: .starting),
        Row(word: .failed(.hung), standing: .hung),
        Row(word: .failed(.unreachable), standing: .unreachable),
        Row(word: .failed(.unreadable), standing: .unreachable),
        Row(word: .failed(.refused(ControlRefusal(.noCommonVersion))), standing: .unreachable),
        Row(word: .state(.sample(.running)), standing: .running),
        Row(word: .state(.sample(.paused, pausedUntil: 5)), standing: .paused(until: 5)),
        Row(word: .state(.sample(.paused)), standing: .off),
        Row(word: .state(.sample(.off)), standing: .off),
        Row(word: .state(.sample(.disarmed)), standing: .disarmed),
        Row(word: .state(.sample(.unknown)), standing: .unreachable),
    ]

    @Test(arguments: rows) func `What is known makes one word`(_ row: Row) {
        #expect(Standing(installed: row.installed, status: row.status, word: row.word) == row.standing)
    }

    @Test(arguments: rows) func `Every standing has a title, and guidance where something is to be done`(_ row: Row) {
        #expect(!row.standing.title.isEmpty)
        #expect(row.standing.guidance?.isEmpty != true)
    }

    @Test(arguments: 0...14) func `Every error of the system has words, and an unknown one its number`(_ number: Int) {
        let failure = InstallFailure(number: number)
        #expect(failure.words.hasSuffix("."))
        if InstallFailure.Code(rawValue: number) == nil {
            #expect(failure.code == .unknown)
            #expect(failure.words.contains("\(number)"))
        }
    }

    @Test func `Errors of the preferences are told apart`() {
        #expect(SwitchFailure(domain: "NEVPNErrorDomain", number: 4).cause == .configurationStale)
        #expect(SwitchFailure(domain: "NEVPNErrorDomain", number: 99).cause == .other(99))
        #expect(SwitchFailure(domain: "NEConfigurationErrorDomain", number: 10).cause == .notAllowed)
        #expect(SwitchFailure(domain: "NSCocoaErrorDomain", number: 4).cause == .other(4))
    }

    @Test(arguments: [
        ("7", "8", Replacement.replace), ("8", "8", .replace), ("9", "8", .keep), ("1.9", "1.10", .replace),
        ("1.10", "1.9", .keep), ("1", "1.0.0", .replace), ("1.0.1", "1", .keep), ("", "1", .replace),
        ("a", "b", .replace), ("b", "a", .keep), ("99999999999999999999", "1", .keep),
    ])
    func `A newer extension is never put back`(_ existing: String, _ new: String, _ decision: Replacement) {
        #expect(Replacement.decide(existing: existing, new: new) == decision)
    }
}

@Suite struct ProxySwitchTests {
    @Test func `Switching on makes a configuration, loads it again and starts`() async throws {
        let proxy = FakeSwitch()
        try await proxy.turnOn()
        #expect(proxy.steps == ["load", "save true", "load", "start"])
    }

    @Test func `What is on is only started`() async throws {
        let proxy = FakeSwitch(ProxyConfiguration(isEnabled: true))
        try await proxy.turnOn()
        #expect(proxy.steps == ["load", "load", "start"])
    }

    @Test func `Switching off stops first, and stays off`() async throws {
        let proxy = FakeSwitch(ProxyConfiguration(isEnabled: true), status: .connected)
        try await proxy.turnOff()
        #expect(proxy.steps == ["load", "stop", "save false"])
        #expect(proxy.memory.withLock { $0.configuration } == ProxyConfiguration(isEnabled: false))
    }

    @Test func `What is not there is neither saved nor removed`() async throws {
        let proxy = FakeSwitch()
        try await proxy.turnOff()
        try await proxy.uninstall()
        #expect(proxy.steps == ["load", "stop", "load"])
    }
}
