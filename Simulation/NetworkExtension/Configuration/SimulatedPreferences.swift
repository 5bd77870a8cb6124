// SPDX-License-Identifier: Apache-2.0

// The system's preferences of network extensions on one simulated machine, and the agent that starts providers.

internal import Foundation
internal import Synchronization

/// Where configurations are saved, and who starts and stops their providers.
///
/// The SDK has one such store and its class methods name none; here the calling task says which machine it is on:
/// `SimulatedPreferences.$current.withValue(preferences) { … }`.
public final class SimulatedPreferences: Sendable {
    /// The store of the machine that the calling task runs on; by default one of the whole process.
    @TaskLocal public static var current = SimulatedPreferences()

    struct Record: Sendable {
        let id: UUID
        var version: Int
        var configuration: StoredConfiguration
        let session: PreferencesSession
    }

    private struct State {
        var records: [Record] = []
        var versions = 0
        var extensions: [String: InstalledProxy] = [:]
        var allows = true
        var interface = NEOnDemandRuleInterfaceType.ethernet
    }
    private let state = Mutex(State())

    public init() {}

    /// Whether the person at the machine lets an application add a configuration; yes at first.
    public var userAllows: Bool {
        get { state.withLock { $0.allows } }
        set { state.withLock { $0.allows = newValue } }
    }

    /// Makes an extension known: configurations that name `bundle` start this proxy, which sees what they say.
    public func activate(_ bundle: String, as proxy: InstalledProxy) {
        state.withLock { $0.extensions[bundle] = proxy }
    }

    /// Removes an extension; its running providers are stopped, and later starts fail with `pluginDisabled`.
    public func deactivate(_ bundle: String) {
        let sessions = state.withLock { state in
            state.extensions[bundle] = nil
            return state.records.filter { $0.configuration.bundle == bundle }.map(\.session)
        }
        for session in sessions { session.stop(.providerDisabled) }
    }

    /// The machine has started, or is on another network: On Demand starts and stops what it should.
    public func networkChanged(to interface: NEOnDemandRuleInterfaceType = .ethernet) {
        state.withLock { $0.interface = interface }
        for record in records { demand(record) }
    }

    // MARK: For the surface

    var records: [Record] { state.withLock { $0.records } }

    func record(_ id: UUID) -> Record? { state.withLock { $0.records.first { $0.id == id } } }

    /// The proxy of a configuration, which it was told; nil when the extension is not known.
    func proxy(of record: Record) -> InstalledProxy? {
        let proxy = state.withLock { $0.extensions[record.configuration.bundle] }
        proxy?.configure(record.configuration.protocolConfiguration)
        return proxy
    }

    /// Saves and gives the new version; `loaded` is the one that was changed.
    func save(_ configuration: StoredConfiguration, _ id: UUID, loaded: Int) throws(NEVPNError) -> Int {
        let record = try state.withLock { (state) throws(NEVPNError) -> Record in
            state.versions += 1
            guard let index = state.records.firstIndex(where: { $0.id == id }) else {
                guard state.allows else { throw NEVPNError(.configurationReadWriteFailed) }
                let session = PreferencesSession(of: id, in: self)
                state.records.append(
                    Record(id: id, version: state.versions, configuration: configuration, session: session))
                return state.records[state.records.count - 1]
            }
            guard state.records[index].version == loaded else { throw NEVPNError(.configurationStale) }
            state.records[index].version = state.versions
            state.records[index].configuration = configuration
            return state.records[index]
        }
        if configuration.isEnabled {
            demand(record)
        } else {
            record.session.stop(.configurationDisabled)
        }
        return record.version
    }

    func remove(_ id: UUID) throws(NEVPNError) {
        let removed = state.withLock { state -> Record? in
            guard let index = state.records.firstIndex(where: { $0.id == id }) else { return nil }
            return state.records.remove(at: index)
        }
        guard let removed else { throw NEVPNError(.configurationInvalid) }
        removed.session.stop(.configurationRemoved)
    }

    private func demand(_ record: Record) {
        switch record.configuration.demand(on: state.withLock { $0.interface }) {
        case .connect: try? record.session.start(nil)
        case .disconnect: record.session.stop(.none)
        case .ignore, .evaluateConnection, nil: break
        }
    }
}
