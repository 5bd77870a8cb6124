// SPDX-License-Identifier: Apache-2.0

// Stand-ins for the system, the extension and the way between.

import Foundation
import Synchronization

@testable import MacControl

extension ControlState {
    static func sample(_ condition: Condition = .running, pausedUntil: Int64? = nil) -> ControlState {
        ControlState(
            condition: condition, pausedUntil: pausedUntil, mode: "observe", policy: "report", policyDigest: "88ca48e9",
            liveFlows: 3, build: "7")
    }
}

extension ControlEvent {
    static func sample(_ id: Int, time: Int64, program: String? = "platform:com.apple.curl") -> ControlEvent {
        ControlEvent(
            id: "\(id)", time: time, host: "api.example.com", program: program, lane: "inspect", reason: "rule",
            outcome: "completed", findings: 1)
    }
}

/// An extension that remembers what it was told.
final class FakeTarget: ControlTarget {
    struct Memory {
        var state = ControlState.sample()
        var told: [String] = []
        /// Each with its user, in any order.
        var events: [(user: UInt32, event: ControlEvent)] = []
        var refusal: ControlRefusal?
    }

    let memory = Mutex(Memory())
    var told: [String] { memory.withLock { $0.told } }

    private func tell(_ word: String) throws(ControlRefusal) {
        let refusal = memory.withLock {
            $0.told.append(word)
            return $0.refusal
        }
        if let refusal { throw refusal }
    }

    func state() async -> ControlState { memory.withLock { $0.state } }
    func bypasses() async -> [BypassCount] { [BypassCount(code: "os", detail: "a program of the system", count: 12)] }
    func events(before: Int64?, limit: Int, reach: PeerCheck.Reach) async throws(ControlRefusal) -> [ControlEvent] {
        try tell("events")
        let all = memory.withLock { $0.events }
        let own = all.filter { if case .own(let user) = reach { $0.user == user } else { true } }.map(\.event)
        return Array(own.filter { $0.time < before ?? .max }.prefix(limit))
    }
    func pause(until: Int64) async throws(ControlRefusal) { try tell("pause \(until)") }
    func resume() async throws(ControlRefusal) { try tell("resume") }
    func off() async throws(ControlRefusal) { try tell("off") }
    func rearm() async throws(ControlRefusal) { try tell("rearm") }
    func reload() async throws(ControlRefusal) { try tell("reload") }
}

/// Users below 500 administer.
struct FakeDirectory: AdministratorDirectory {
    func isAdministrator(_ user: UInt32) -> Bool { user < 500 }
}

/// A wire whose other end is a closure.
final class FakeWire: ControlWire {
    private let answer: @Sendable (Data) async throws -> Data
    private let closes = Mutex(0)
    var isClosed: Bool { closes.withLock { $0 } > 0 }

    init(_ answer: @escaping @Sendable (Data) async throws -> Data) { self.answer = answer }

    func exchange(_ bytes: Data) async throws -> Data { try await answer(bytes) }
    func close() { closes.withLock { $0 += 1 } }

    /// A wire to a service.
    static func to(_ service: ControlService, user: UInt32 = 0, isOurs: Bool = true) -> FakeWire {
        FakeWire { await service.answer($0, from: ControlCaller(user: user, isOurs: isOurs)) }
    }

    /// A wire to an extension that hears and never answers.
    static func hung() -> FakeWire {
        FakeWire { _ in await withUnsafeContinuation { (_: UnsafeContinuation<Data, Never>) in } }
    }
}

/// A clock on which every wait is over at once.
struct ImpatientClock: Clock {
    typealias Instant = ContinuousClock.Instant
    var now: Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
}

/// The system's installer.
final class FakeInstaller: ExtensionInstaller {
    struct Memory {
        var found: [InstalledExtension] = []
        var outcome: Result<InstallOutcome, InstallFailure> = .success(.completed)
        var asked: [String] = []
    }

    let memory = Mutex(Memory())

    func activate(awaitsApproval: @escaping @Sendable () -> Void) async throws(InstallFailure) -> InstallOutcome {
        let outcome = memory.withLock { memory in
            memory.asked.append("activate")
            if case .success(.completed) = memory.outcome {
                memory.found = [InstalledExtension(build: "7", isEnabled: true)]
            }
            return memory.outcome
        }
        return try outcome.get()
    }
    func deactivate() async throws(InstallFailure) -> InstallOutcome {
        let outcome = memory.withLock { memory in
            memory.asked.append("deactivate")
            memory.found = []
            return memory.outcome
        }
        return try outcome.get()
    }
    func installed() async throws(InstallFailure) -> [InstalledExtension] { memory.withLock { $0.found } }
}

/// The system's preferences, and every step that was made in them.
final class FakeSwitch: ProxySwitch {
    struct Memory {
        var configuration: ProxyConfiguration?
        var status = ProxyStatus.disconnected
        var steps: [String] = []
        var failure: SwitchFailure?
    }

    let memory: Mutex<Memory>
    var steps: [String] { memory.withLock { $0.steps } }

    init(_ configuration: ProxyConfiguration? = nil, status: ProxyStatus = .disconnected) {
        memory = Mutex(Memory(configuration: configuration, status: status))
    }

    private func step(_ name: String, _ change: (inout Memory) -> Void = { _ in }) throws(SwitchFailure) {
        let failure = memory.withLock { memory in
            memory.steps.append(name)
            if memory.failure == nil { change(&memory) }
            return memory.failure
        }
        if let failure { throw failure }
    }

    func load() async throws(SwitchFailure) -> ProxyConfiguration? {
        try step("load")
        return memory.withLock { $0.configuration }
    }
    func save(isEnabled: Bool) async throws(SwitchFailure) {
        try step("save \(isEnabled)") { $0.configuration = ProxyConfiguration(isEnabled: isEnabled) }
    }
    func start() async throws(SwitchFailure) { try step("start") { $0.status = .connected } }
    func stop() async { try? step("stop") { $0.status = .disconnected } }
    func remove() async throws(SwitchFailure) { try step("remove") { $0.configuration = nil } }
    func status() async -> ProxyStatus { memory.withLock { $0.status } }
}
