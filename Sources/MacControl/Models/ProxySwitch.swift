// SPDX-License-Identifier: Apache-2.0

// Switches the proxy through the system's preferences, never through the provider, which may hang.

/// The configuration of the proxy in the system's preferences.
public struct ProxyConfiguration: Hashable, Sendable {
    public var isEnabled: Bool

    public init(isEnabled: Bool) { self.isEnabled = isEnabled }
}

/// How the session stands (NetworkExtension, `NEVPNStatus`).
public enum ProxyStatus: Int, Sendable, CaseIterable {
    case invalid = 0
    case disconnected, connecting, connected, reasserting, disconnecting
}

/// Why the preferences or the session refused (NetworkExtension, `NEVPNError` and the session's own errors).
public struct SwitchFailure: Error, Hashable, Sendable {
    public enum Cause: Hashable, Sendable {
        case configurationInvalid, configurationDisabled, connectionFailed, configurationStale
        case configurationReadWriteFailed, configurationUnknown
        case notAllowed
        case other(Int)
    }

    public let cause: Cause

    public init(_ cause: Cause) { self.cause = cause }

    /// Reads the system's error (NEVPNManager.h; the other domain is that of the preferences, and 10 is "permission denied").
    public init(domain: String, number: Int) {
        let causes: [Int: Cause] = [
            1: .configurationInvalid, 2: .configurationDisabled, 3: .connectionFailed, 4: .configurationStale,
            5: .configurationReadWriteFailed, 6: .configurationUnknown,
        ]
        cause =
            switch domain {
            case "NEVPNErrorDomain": causes[number] ?? .other(number)
            case "NEConfigurationErrorDomain" where number == 10: .notAllowed
            default: .other(number)
            }
    }

    /// What happened and what to do.
    public var words: String {
        switch cause {
        case .configurationInvalid, .configurationUnknown:
            "The system does not accept the proxy's configuration. Remove it and switch Weir on again."
        case .configurationDisabled: "The configuration is switched off in System Settings. Switch it on there."
        case .connectionFailed: "The extension did not start. The events say why; try again."
        case .configurationStale: "The configuration was changed meanwhile. Try again."
        case .configurationReadWriteFailed: "The system's preferences could not be read or written. Try again."
        case .notAllowed: "You did not allow the change, or may not make it."
        case .other(let number): "The system refused (error \(number)). Restart the Mac and try again."
        }
    }
}

/// The system's preferences and the session, step by step.
public protocol ProxySwitch: Sendable {
    /// Reads the configuration of this app; nil when there is none.
    func load() async throws(SwitchFailure) -> ProxyConfiguration?
    /// Writes it, making it when there is none.
    func save(isEnabled: Bool) async throws(SwitchFailure)
    func start() async throws(SwitchFailure)
    /// Tells the system to stop the session, and does not wait for the provider.
    func stop() async
    func remove() async throws(SwitchFailure)
    func status() async -> ProxyStatus
}

extension ProxySwitch {
    /// Switches the proxy on, with a configuration made if there is none.
    ///
    /// What was saved has to be loaded once more before a session can start.
    public func turnOn() async throws(SwitchFailure) {
        if try await load()?.isEnabled != true { try await save(isEnabled: true) }
        _ = try await load()
        try await start()
    }

    /// Switches the proxy off, and so that it stays off: a hung or dead provider is not asked.
    public func turnOff() async throws(SwitchFailure) {
        let configuration = try await load()
        // First of all the flows: what the preferences say matters for the next start only.
        await stop()
        if configuration?.isEnabled == true { try await save(isEnabled: false) }
    }

    /// Takes the configuration away.
    public func uninstall() async throws(SwitchFailure) {
        guard try await load() != nil else { return }
        await stop()
        try await remove()
    }
}
