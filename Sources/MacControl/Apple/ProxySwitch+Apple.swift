// SPDX-License-Identifier: Apache-2.0

// The system's preferences for transparent proxies.

#if canImport(Darwin)
internal import Foundation
internal import NetworkExtension

/// The configuration of this product's proxy; lives on the main actor, as its objects are not made for threads.
@MainActor
public final class TransparentProxySwitch: ProxySwitch {
    private let names: ProductNames
    private var manager: NETransparentProxyManager?

    public init(names: ProductNames) { self.names = names }

    public func load() async throws(SwitchFailure) -> ProxyConfiguration? {
        do {
            manager = try await NETransparentProxyManager.loadAllFromPreferences().first {
                ($0.protocolConfiguration as? NETunnelProviderProtocol)?.providerBundleIdentifier == names.provider
            }
        } catch { throw SwitchFailure(error) }
        return manager.map { ProxyConfiguration(isEnabled: $0.isEnabled) }
    }

    public func save(isEnabled: Bool) async throws(SwitchFailure) {
        let manager = manager ?? NETransparentProxyManager()
        if self.manager == nil {
            let configuration = NETunnelProviderProtocol()
            configuration.providerBundleIdentifier = names.provider
            configuration.serverAddress = "127.0.0.1"  // has no meaning here, and must be an address
            manager.protocolConfiguration = configuration
            manager.localizedDescription = "Weir"
        }
        manager.isEnabled = isEnabled
        try await Self.ask { manager.saveToPreferences(completionHandler: $0) }
        self.manager = manager
    }

    /// Calls a method that answers to a closure: its `async` form would send the manager to another actor.
    private static func ask(
        _ call: (@escaping @Sendable ((any Error)?) -> Void) -> Void
    ) async throws(SwitchFailure) {
        let failure = await withCheckedContinuation { continuation in
            call { continuation.resume(returning: $0.map { SwitchFailure($0) }) }
        }
        if let failure { throw failure }
    }

    public func start() async throws(SwitchFailure) {
        do { try manager?.connection.startVPNTunnel() } catch { throw SwitchFailure(error) }
    }

    public func stop() async { manager?.connection.stopVPNTunnel() }

    public func remove() async throws(SwitchFailure) {
        guard let manager else { return }
        try await Self.ask { manager.removeFromPreferences(completionHandler: $0) }
        self.manager = nil
    }

    public func status() async -> ProxyStatus {
        if manager == nil { _ = try? await load() }
        return manager.flatMap { ProxyStatus(rawValue: $0.connection.status.rawValue) } ?? .invalid
    }
}

extension SwitchFailure {
    fileprivate init(_ error: any Error) {
        let error = error as NSError
        self.init(domain: error.domain, number: error.code)
    }
}
#endif
