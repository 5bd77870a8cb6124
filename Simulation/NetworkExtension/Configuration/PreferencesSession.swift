// SPDX-License-Identifier: Apache-2.0

// The connection of one configuration: its states, and who is told.

internal import Foundation
internal import Synchronization

/// One configuration's connection.
///
/// | state | start | stop | provider started | provider failed to, or ended |
/// |---|---|---|---|---|
/// | disconnected | connecting | – | – | – |
/// | connecting | – | disconnecting | connected | disconnecting, disconnected |
/// | connected | – | disconnecting | – | disconnecting, disconnected |
/// | disconnecting | – | – | – | – |
///
/// `invalid` is the state of a configuration that has no session, `reasserting` is the provider's own.
final class PreferencesSession: Sendable {
    private struct State {
        var status = NEVPNStatus.disconnected
        var connectedDate: Date?
        var lastError: (any Error)?
        var proxy: InstalledProxy?
        /// Which start this is; what is heard of an earlier one counts no more.
        var run = 0
        var watchers: [UUID: Watcher] = [:]

        mutating func disconnect() { (status, connectedDate, proxy) = (.disconnected, nil, nil) }
    }
    // The only use of the connection is as the object of a notice, posted on the main queue;
    // the reference is weak, and reading a weak reference is safe on any thread.
    private struct Watcher: @unchecked Sendable {
        weak var connection: NEVPNConnection?
    }

    private let id: UUID
    private unowned let preferences: SimulatedPreferences
    private let state = Mutex(State())

    init(of id: UUID, in preferences: SimulatedPreferences) {
        self.id = id
        self.preferences = preferences
    }

    var status: NEVPNStatus { state.withLock { $0.status } }
    var connectedDate: Date? { state.withLock { $0.connectedDate } }
    var lastError: (any Error)? { state.withLock { $0.lastError } }

    func watch(_ id: UUID, _ connection: NEVPNConnection) {
        state.withLock { $0.watchers[id] = Watcher(connection: connection) }
    }

    func unwatch(_ id: UUID) { state.withLock { $0.watchers[id] = nil } }

    /// Begins to start the provider, from `disconnected` only.
    func start(_ options: [String: Any]?) throws(NEVPNError) {
        guard let record = preferences.record(id) else { throw NEVPNError(.configurationInvalid) }
        guard record.configuration.isEnabled else { throw NEVPNError(.configurationDisabled) }
        let run = change { state -> Int? in
            guard state.status == .disconnected else { return nil }
            state.status = .connecting
            state.lastError = nil
            state.run += 1
            return state.run
        }
        guard let run else { return }
        guard let proxy = preferences.proxy(of: record) else { return end(run, Self.error(.pluginDisabled)) }
        let isCurrent = state.withLock { state in
            guard state.run == run else { return false }
            state.proxy = proxy
            return true
        }
        guard isCurrent else { return }
        let options = Options(value: options)
        Task {
            do { try await proxy.start(options: options.value) } catch { return self.end(run, error) }
            let isConnected = self.change { state in
                guard state.run == run else { return false }
                state.status = .connected
                state.connectedDate = Date()
                return true
            }
            guard isConnected else { return }
            let error = await proxy.ended()
            self.end(run, error ?? Self.error(.pluginFailed))
        }
    }

    /// Begins to stop the provider, when it runs or is about to.
    func stop(_ reason: NEProviderStopReason) {
        let (isStopping, proxy) = change { state in
            guard state.status != .disconnected, state.status != .disconnecting else { return (false, state.proxy) }
            state.status = .disconnecting
            state.run += 1
            return (true, state.proxy)
        }
        guard isStopping else { return }
        Task {
            await proxy?.stop(reason)
            self.change { $0.disconnect() }
        }
    }

    func send(_ message: Data, _ answer: @escaping @Sendable (Data?) -> Void) {
        guard let proxy = state.withLock({ $0.proxy }) else { return answer(nil) }
        Task { answer(await proxy.send(message)) }
    }

    private func end(_ run: Int, _ error: any Error) {
        let isEnding = change { state in
            guard state.run == run else { return false }
            state.status = .disconnecting
            state.lastError = error
            return true
        }
        if isEnding { change { $0.disconnect() } }
    }

    private static func error(_ code: NEVPNConnectionError) -> any Error {
        NSError(domain: NEVPNConnectionErrorDomain, code: code.rawValue)
    }

    /// Changes the state, and tells those who watch when the status is another.
    @discardableResult
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, watchers) = state.withLock { state in
            let before = state.status
            let result = body(&state)
            return (result, state.status == before ? [] : Array(state.watchers.values))
        }
        if !watchers.isEmpty {
            DispatchQueue.main.async {
                for watcher in watchers {
                    guard let connection = watcher.connection else { continue }
                    NotificationCenter.default.post(name: .NEVPNStatusDidChange, object: connection)
                }
            }
        }
        return result
    }

    // The dictionary is handed to the provider and not touched again here;
    // the SDK passes such options between processes as a copy.
    private struct Options: @unchecked Sendable {
        let value: [String: Any]?
    }
}
