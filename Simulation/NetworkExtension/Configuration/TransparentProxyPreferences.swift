// SPDX-License-Identifier: Apache-2.0

// The configurations of a container application: Apple's surface (NEVPNManager.h, NETransparentProxyManager.h).

public import Foundation

/// As NetworkExtension's `NEVPNManager`: one configuration, edited here and kept by the system.
///
/// Not `Sendable`, as in the SDK. Completions come on the main queue. What is changed here takes effect when saved.
public class NEVPNManager: NSObject {
    /// The name in System Settings.
    public var localizedDescription: String?
    public var protocolConfiguration: NEVPNProtocol?
    public var isEnabled = false
    public var isOnDemandEnabled = false
    public var onDemandRules: [NEOnDemandRule]?

    private let preferences: SimulatedPreferences
    private let id: UUID
    /// The version of the preferences that was loaded or saved last; 0 when neither.
    private var version = 0
    /// The connection of the configuration, once it was loaded.
    private(set) var session: PreferencesSession?

    override init() {
        preferences = SimulatedPreferences.current
        id = UUID()
    }

    fileprivate init(_ record: SimulatedPreferences.Record, in preferences: SimulatedPreferences) {
        self.preferences = preferences
        id = record.id
        super.init()
        take(record)
    }

    deinit { session?.unwatch(connectionID) }

    /// The connection, a `NETunnelProviderSession`; the same object as long as the configuration lives.
    public var connection: NEVPNConnection {
        if let existing = weakConnection { return existing }
        let made = NETunnelProviderSession(of: self)
        weakConnection = made
        session?.watch(connectionID, made)
        return made
    }
    // The connection holds its configuration, as in the SDK, so this way round is weak.
    private weak var weakConnection: NEVPNConnection?
    private let connectionID = UUID()

    /// Reads the configuration again.
    public func loadFromPreferences(completionHandler: @escaping @Sendable ((any Error)?) -> Void) {
        finish(completionHandler) { try load() }
    }

    /// Writes the configuration; the person at the machine is asked the first time.
    ///
    /// Fails with `NEVPNError`: `.configurationInvalid` for what no provider could be started with,
    /// `.configurationStale` when another has changed it since it was loaded, `.configurationReadWriteFailed` when the
    /// person refuses.
    public func saveToPreferences(completionHandler: (@Sendable ((any Error)?) -> Void)? = nil) {
        finish(completionHandler) { try save() }
    }

    /// Removes the configuration; its provider is stopped.
    public func removeFromPreferences(completionHandler: (@Sendable ((any Error)?) -> Void)? = nil) {
        finish(completionHandler) { try remove() }
    }

    // The SDK's methods with completions are called on the caller's side when awaited, hence `nonsending`.
    public nonisolated(nonsending) func loadFromPreferences() async throws { try load() }
    public nonisolated(nonsending) func saveToPreferences() async throws { try save() }
    public nonisolated(nonsending) func removeFromPreferences() async throws { try remove() }

    func start(_ options: [String: Any]?) throws {
        guard let session, preferences.record(id) != nil else { throw NEVPNError(.configurationInvalid) }
        try session.start(options)
    }

    private func load() throws {
        guard let record = preferences.record(id) else { throw NEVPNError(.configurationInvalid) }
        take(record)
    }

    private func save() throws {
        version = try preferences.save(StoredConfiguration(of: self), id, loaded: version)
        announce()
    }

    private func remove() throws {
        try preferences.remove(id)
        session?.unwatch(connectionID)
        (version, session) = (0, nil)
        announce()
    }

    private func take(_ record: SimulatedPreferences.Record) {
        version = record.version
        if session == nil {
            session = record.session
            if let weakConnection { record.session.watch(connectionID, weakConnection) }
        }
        record.configuration.fill(self)
    }

    private func finish(_ completion: (@Sendable ((any Error)?) -> Void)?, _ work: () throws -> Void) {
        var failure: (any Error)?
        do { try work() } catch { failure = error }
        guard let completion else { return }
        DispatchQueue.main.async { [failure] in completion(failure) }
    }

    private func announce() {
        NotificationCenter.default.post(name: .NEVPNConfigurationChange, object: self)
    }
}

/// As NetworkExtension's `NETransparentProxyManager`.
public final class NETransparentProxyManager: NEVPNManager {
    public override init() { super.init() }

    fileprivate override init(_ record: SimulatedPreferences.Record, in preferences: SimulatedPreferences) {
        super.init(record, in: preferences)
    }

    /// All configurations that the application has saved.
    public static func loadAllFromPreferences(
        completionHandler: @escaping @Sendable ([NETransparentProxyManager]?, (any Error)?) -> Void
    ) {
        let preferences = SimulatedPreferences.current
        DispatchQueue.main.async { completionHandler(all(in: preferences), nil) }
    }

    public nonisolated(nonsending) static func loadAllFromPreferences() async throws -> [NETransparentProxyManager] {
        all(in: .current)
    }

    private static func all(in preferences: SimulatedPreferences) -> [NETransparentProxyManager] {
        preferences.records.map { NETransparentProxyManager($0, in: preferences) }
    }
}
