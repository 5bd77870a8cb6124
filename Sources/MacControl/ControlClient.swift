// SPDX-License-Identifier: Apache-2.0

// The app's side: asks, waits a bounded time, and connects anew when the extension was replaced.

public import FlowModel
public import Foundation
internal import Synchronization

/// One connection to an extension.
public protocol ControlWire: AnyObject, Sendable {
    /// Sends bytes and gives the answer's; throws when the connection is gone, and may never return.
    func exchange(_ bytes: Data) async throws -> Data
    /// Ends it; what is under way may throw or never return.
    func close()
}

/// Why there is no answer.
public enum ControlFailure: Error, Hashable, Sendable {
    /// Nobody listens: the extension does not run, or the system does not let us reach it.
    case unreachable
    /// It listens and does not answer.
    case hung
    /// What came is no answer of the control language.
    case unreadable
    case refused(ControlRefusal)
}

/// Asks an extension.
public actor ControlClient {
    private let connect: @Sendable () -> (any ControlWire)?
    private let versions: ControlVersions
    private let wait: Duration
    private let clock: any Clock<Duration>
    private var wire: (any ControlWire)?

    /// `connect` makes a connection and does not wait for it; nil when there is nothing to connect to.
    public init(
        versions: ControlVersions = .current, wait: Duration = .milliseconds(MacControlLimits.wait.value),
        clock: any Clock<Duration> = ContinuousClock(), connect: @escaping @Sendable () -> (any ControlWire)?
    ) {
        self.versions = versions
        self.wait = wait
        self.clock = clock
        self.connect = connect
    }

    deinit { wire?.close() }

    /// The answer, which is never a refusal.
    ///
    /// A connection that is gone is made anew, once: after an upgrade the first request finds the old one dead. Each
    /// request may come twice without harm, so this is right for all of them.
    public func ask(_ request: ControlRequest) async throws(ControlFailure) -> ControlReply {
        guard let message = try? RequestMessage(request, versions).bytes() else { throw .unreadable }
        var answer = try await exchange(message)
        if answer == nil { answer = try await exchange(message) }
        guard let answer else { throw .unreachable }
        guard let message = ReplyMessage(answer) else { throw .unreadable }
        if case .refused(let refusal) = message.reply { throw .refused(refusal) }
        return message.reply
    }

    /// Nil when the connection is gone.
    private func exchange(_ message: Data) async throws(ControlFailure) -> Data? {
        guard let wire = wire ?? connect() else { throw .unreachable }
        self.wire = wire
        switch await FirstOf.race(for: wait, clock, { try await wire.exchange(message) }) {
        case .value(let answer): return answer
        case .failed:
            drop(wire)
            return nil
        case .late:
            drop(wire)
            throw .hung
        }
    }

    private func drop(_ wire: any ControlWire) {
        wire.close()
        if self.wire === wire { self.wire = nil }
    }
}

/// Work against a clock, where the work may never end: no task group, which would wait for it.
private enum FirstOf {
    enum Outcome: Sendable {
        case value(Data)
        case failed
        case late
    }

    static func race(
        for wait: Duration, _ clock: any Clock<Duration>, _ work: @escaping @Sendable () async throws -> Data
    ) async -> Outcome {
        let tasks = Mutex<[Task<Void, Never>]>([])
        defer { for task in tasks.withLock({ $0 }) { task.cancel() } }
        return await withCheckedContinuation { continuation in
            let first = FirstAnswer(continuation)
            tasks.withLock {
                $0 = [
                    Task { do { first.give(.value(try await work())) } catch { first.give(.failed) } },
                    Task {
                        try? await clock.sleep(for: wait)
                        first.give(.late)
                    },
                ]
            }
        }
    }
}

private final class FirstAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<FirstOf.Outcome, Never>?>

    init(_ continuation: CheckedContinuation<FirstOf.Outcome, Never>) { self.continuation = Mutex(continuation) }

    func give(_ outcome: FirstOf.Outcome) {
        continuation.withLock { $0.take() }?.resume(returning: outcome)
    }
}
