// SPDX-License-Identifier: Apache-2.0

// A bounded cache for values that are slow to make: each is made off the event loop, and once for all who ask together.

import FlowModel
import NIOCore
import Synchronization

#if canImport(FoundationEssentials)
import struct FoundationEssentials.Date
#else
import struct Foundation.Date
#endif

/// Too much is being made at once.
struct CacheBusy: Error, CustomStringConvertible {
    let limit: Limit
    var description: String { "\(limit.value) are being made at once (\(limit.name)); try again later" }
}

/// Values by key, made by need and kept for a time.
///
/// It holds two generations: at half the capacity the older one is dropped, and a value in use moves to the younger.
/// So what was used lately stays, and no operation takes longer with the size of the cache.
final class SingleFlightCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// A value and the time until which it may be used.
    struct Made: Sendable {
        var value: Value
        var until: Date
    }

    private typealias Answer = @Sendable (Result<Value, any Error>) -> Void

    private struct State {
        var young: [Key: Made] = [:]
        var old: [Key: Made] = [:]
        var waiting: [Key: [Answer]] = [:]
    }

    private enum Step {
        case kept(Value)
        case wait
        case make
        case busy
    }

    private let capacity: Limit
    private let inFlight: Limit
    private let metrics: any MetricSink
    private let clock: @Sendable () -> Date
    private let state = Mutex(State())

    init(capacity: Limit, inFlight: Limit, metrics: any MetricSink, clock: @escaping @Sendable () -> Date) {
        self.capacity = capacity
        self.inFlight = inFlight
        self.metrics = metrics
        self.clock = clock
    }

    /// How many values are kept.
    var count: Int { state.withLock { $0.young.count + $0.old.count } }

    /// The value for a key, on the caller's loop: kept, being made for another, or made now.
    func value(
        for key: Key, on loop: any EventLoop, make: @escaping @Sendable () async throws -> Made
    ) -> EventLoopFuture<Value> {
        let promise = loop.makePromise(of: Value.self)
        value(for: key, make: make) { promise.completeWith($0) }
        return promise.futureResult
    }

    /// The value for a key, in a task.
    func value(for key: Key, make: @escaping @Sendable () async throws -> Made) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            value(for: key, make: make) { continuation.resume(with: $0) }
        }
    }

    private func value(
        for key: Key, make: @escaping @Sendable () async throws -> Made, then answer: @escaping Answer
    ) {
        let now = clock()
        let step = state.withLock { state -> Step in
            if let made = state.young[key] ?? state.old[key], made.until > now {
                if state.young[key] == nil { keep(made, for: key, in: &state) }
                return .kept(made.value)
            }
            let isFirst = state.waiting[key] == nil
            if isFirst, state.waiting.count >= inFlight.value { return .busy }
            state.waiting[key, default: []].append(answer)
            return isFirst ? .make : .wait
        }
        switch step {
        case .kept(let value): answer(.success(value))
        case .wait: break
        case .busy:
            metrics.add(inFlight.metric, 1)
            answer(.failure(CacheBusy(limit: inFlight)))
        case .make: Task { finish(key, await Result { try await make() }) }
        }
    }

    private func finish(_ key: Key, _ result: Result<Made, any Error>) {
        let answers = state.withLock { state in
            if case .success(let made) = result { keep(made, for: key, in: &state) }
            return state.waiting.removeValue(forKey: key) ?? []
        }
        for answer in answers { answer(result.map(\.value)) }
    }

    private func keep(_ made: Made, for key: Key, in state: inout State) {
        state.old[key] = nil
        state.young[key] = made
        guard state.young.count >= max(1, capacity.value / 2) else { return }
        if !state.old.isEmpty { metrics.add(capacity.metric, state.old.count) }
        state.old = state.young
        state.young = [:]
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
