// SPDX-License-Identifier: Apache-2.0

// What a container application can do with its configuration, and what the system then does with the provider.

import Foundation
import Synchronization
import Testing

@testable import NetworkExtension

@Suite("Preferences of network extensions", .timeLimit(.minutes(1)))
struct PreferencesTests {
    private static let bundle = "org.example.weir.extension"
    private let mac = SimulatedMac()
    private let preferences = SimulatedPreferences()
    private let provider = TestProvider()
    private let proxy: InstalledProxy

    init() {
        proxy = mac.install("weir") { [provider] in provider }
        preferences.activate(Self.bundle, as: proxy)
    }

    /// A configuration as an application makes it; not saved.
    private func make() -> NETransparentProxyManager {
        SimulatedPreferences.$current.withValue(preferences) {
            let manager = NETransparentProxyManager()
            let configuration = NETunnelProviderProtocol()
            configuration.serverAddress = "127.0.0.1"
            configuration.providerBundleIdentifier = Self.bundle
            configuration.providerConfiguration = ["version": 1]
            manager.protocolConfiguration = configuration
            manager.localizedDescription = "Weir"
            manager.isEnabled = true
            return manager
        }
    }

    private func all() async throws -> [NETransparentProxyManager] {
        try await SimulatedPreferences.$current.withValue(preferences) {
            try await NETransparentProxyManager.loadAllFromPreferences()
        }
    }

    /// Saved and loaded, ready to be started.
    private func ready() async throws -> NETransparentProxyManager {
        let manager = make()
        try await manager.saveToPreferences()
        try await manager.loadFromPreferences()
        return manager
    }

    @Test("What is saved can be loaded, as a copy that changes with the next save only")
    func savesCopies() async throws {
        #expect(try await all().isEmpty)
        let manager = make()
        try await manager.saveToPreferences()
        manager.localizedDescription = "Other"
        let loaded = try #require(try await all().first)
        #expect(loaded.localizedDescription == "Weir")
        #expect(loaded.isEnabled)
        let configuration = try #require(loaded.protocolConfiguration as? NETunnelProviderProtocol)
        #expect(configuration.providerBundleIdentifier == Self.bundle)
        #expect(configuration.providerConfiguration?["version"] as? Int == 1)
        try await manager.saveToPreferences()
        #expect(try await all().map(\.localizedDescription) == ["Other"])
    }

    @Test("A configuration that no provider could be started with is not saved")
    func refusesInvalid() async throws {
        for spoil: (NETunnelProviderProtocol) -> Void in [
            { $0.serverAddress = nil }, { $0.providerBundleIdentifier = "" },
            { $0.providerConfiguration = ["no property list": NSObject()] },
        ] {
            let manager = make()
            spoil(try #require(manager.protocolConfiguration as? NETunnelProviderProtocol))
            await expect(.configurationInvalid) { try await manager.saveToPreferences() }
        }
        #expect(try await all().isEmpty)
    }

    @Test("Saving over what another has saved since the load is stale, until it is loaded again")
    func stale() async throws {
        let manager = try await ready()
        let other = try #require(try await all().first)
        try await other.saveToPreferences()
        await expect(.configurationStale) { try await manager.saveToPreferences() }
        try await manager.loadFromPreferences()
        try await manager.saveToPreferences()
    }

    @Test("The person at the machine may refuse a configuration")
    func refusal() async throws {
        preferences.userAllows = false
        await expect(.configurationReadWriteFailed) { try await make().saveToPreferences() }
        #expect(try await all().isEmpty)
    }

    @Test("It cannot be started before it was loaded after its first save, nor while it is not enabled")
    func startNeedsLoad() async throws {
        let manager = make()
        #expect(manager.connection.status == .invalid)
        try await manager.saveToPreferences()
        #expect(throws: NEVPNError(.configurationInvalid)) { try manager.connection.startVPNTunnel() }
        try await manager.loadFromPreferences()
        #expect(manager.connection.status == .disconnected)
        manager.isEnabled = false
        try await manager.saveToPreferences()
        #expect(throws: NEVPNError(.configurationDisabled)) { try manager.connection.startVPNTunnel() }
    }

    @Test("Start and stop go through every state, each with a notice, and reach the provider")
    func startsAndStops() async throws {
        let manager = try await ready()
        let watch = StatusWatch(manager.connection)
        try manager.connection.startVPNTunnel(options: ["why": "test" as NSString])
        await watch.wait(for: .connected)
        #expect(manager.connection.connectedDate != nil)
        #expect(proxy.status == .running)
        #expect(provider.protocolConfiguration.serverAddress == "127.0.0.1")
        try manager.connection.startVPNTunnel()
        #expect(manager.connection.status == .connected)
        manager.connection.stopVPNTunnel()
        await watch.wait(for: .disconnected)
        #expect(proxy.status == .stopped)
        #expect(provider.record.read { $0.stops } == [.userInitiated])
        #expect(await lastError(manager) == nil)
        #expect(manager.connection.connectedDate == nil)
    }

    @Test("A start that the provider refuses ends disconnected, with its error")
    func startFails() async throws {
        provider.onStart = { _, done in done(POSIXError(.EPERM)) }
        let manager = try await ready()
        let watch = StatusWatch(manager.connection)
        try manager.connection.startVPNTunnel()
        await watch.wait(for: .disconnected)
        #expect(await lastError(manager) == "NSPOSIXErrorDomain \(EPERM)")
    }

    @Test("An extension that is not active, or dies, ends the connection with a plugin's error")
    func pluginErrors() async throws {
        let manager = try await ready()
        let watch = StatusWatch(manager.connection)
        try manager.connection.startVPNTunnel()
        await watch.wait(for: .connected)
        proxy.kill()
        await watch.wait(for: .disconnected)
        #expect(await lastError(manager) == "\(NEVPNConnectionErrorDomain) 12")
        preferences.deactivate(Self.bundle)
        try manager.connection.startVPNTunnel()
        #expect(manager.connection.status == .disconnected)
        #expect(await lastError(manager) == "\(NEVPNConnectionErrorDomain) 14")
    }

    @Test("An upgrade does not end the connection")
    func upgrade() async throws {
        let manager = try await ready()
        let watch = StatusWatch(manager.connection)
        try manager.connection.startVPNTunnel()
        await watch.wait(for: .connected)
        let next = TestProvider()
        #expect(await proxy.upgrade { next })
        // An end that should not be noticed gets the chance to be.
        for _ in 0..<1000 { await Task.yield() }
        #expect(manager.connection.status == .connected)
        #expect(next.protocolConfiguration.serverAddress == "127.0.0.1")
        manager.connection.stopVPNTunnel()
        await watch.wait(for: .disconnected)
        #expect(next.record.read { $0.stops } == [.userInitiated])
    }

    @Test("Disabling or removing a configuration stops its provider, which hears the reason")
    func stopsWithReason() async throws {
        let manager = try await ready()
        let watch = StatusWatch(manager.connection)
        try manager.connection.startVPNTunnel()
        await watch.wait(for: .connected)
        manager.isEnabled = false
        try await manager.saveToPreferences()
        await watch.wait(for: .disconnected)
        manager.isEnabled = true
        try await manager.saveToPreferences()
        try manager.connection.startVPNTunnel()
        await watch.wait(for: .connected)
        try await manager.removeFromPreferences()
        #expect(manager.connection.status == .invalid)
        #expect(
            await provider.record.wait { $0.stops.count == 2 ? $0.stops : nil }
                == [.configurationDisabled, .configurationRemoved])
        #expect(try await all().isEmpty)
        await expect(.configurationInvalid) { try await manager.loadFromPreferences() }
    }

    @Test("On Demand starts it by the first rule that fits the network, without options and without the application")
    func onDemand() async throws {
        let manager = make()
        let wired = NEOnDemandRuleDisconnect()
        wired.interfaceTypeMatch = .ethernet
        manager.onDemandRules = [wired, NEOnDemandRuleConnect()]
        manager.isOnDemandEnabled = true
        try await manager.saveToPreferences()
        try await manager.loadFromPreferences()
        #expect(manager.onDemandRules?.map(\.action) == [.disconnect, .connect])
        let watch = StatusWatch(manager.connection)
        #expect(manager.connection.status == .disconnected)
        preferences.networkChanged(to: .wiFi)
        await watch.wait(for: .connected)
        preferences.networkChanged(to: .ethernet)
        await watch.wait(for: .disconnected)
        #expect(provider.record.read { $0.starts } == 1)
    }

    @Test("A message reaches the provider that runs, and its answer comes back")
    func messages() async throws {
        let manager = try await ready()
        let session = try #require(manager.connection as? NETunnelProviderSession)
        #expect(throws: NEVPNError(.connectionFailed)) { try session.sendProviderMessage(Data("abc".utf8)) }
        let watch = StatusWatch(session)
        try session.startTunnel()
        await watch.wait(for: .connected)
        let answer = await withCheckedContinuation { done in
            do { try session.sendProviderMessage(Data("abc".utf8)) { done.resume(returning: $0) } } catch {
                done.resume(returning: nil)
            }
        }
        #expect(answer == Data("cba".utf8))
    }

    private func expect(_ code: NEVPNError.Code, _ body: () async throws -> Void) async {
        await #expect(throws: NEVPNError(code)) { try await body() }
    }

    /// Domain and code of what the connection ended with.
    private func lastError(_ manager: NETransparentProxyManager) async -> String? {
        await withCheckedContinuation { done in
            manager.connection.fetchLastDisconnectError { error in
                guard let error else { return done.resume(returning: nil) }
                let general = error as NSError
                done.resume(returning: "\(general.domain) \(general.code)")
            }
        }
    }
}

/// Waits for a status by its notices.
// The connection is only asked for its status, which is read under a lock;
// the observer's token is set once, in `init`, and used in `deinit`.
private final class StatusWatch: @unchecked Sendable {
    private let connection: NEVPNConnection
    private let notices = Gate(0)
    private var token: (any NSObjectProtocol)?

    init(_ connection: NEVPNConnection) {
        self.connection = connection
        token = NotificationCenter.default.addObserver(
            forName: .NEVPNStatusDidChange, object: connection, queue: nil
        ) { [notices] _ in notices.change { $0 += 1 } }
    }

    deinit { if let token { NotificationCenter.default.removeObserver(token) } }

    /// Returns once a notice has come and the status is this one.
    func wait(for status: NEVPNStatus) async {
        _ = await notices.wait { [self] count in
            guard count > 0, connection.status == status else { return nil as Bool? }
            count = 0
            return true
        }
    }
}
