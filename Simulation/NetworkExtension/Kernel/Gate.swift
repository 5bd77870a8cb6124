// SPDX-License-Identifier: Apache-2.0

// The lock of the simulated kernel: state that is changed at once and can be waited for.

internal import Foundation

/// State behind a lock, whose changes wake those who wait for one.
///
/// `change` and an attempt of `wait` run under the lock: they may resume continuations and enqueue on a dispatch queue,
/// never call foreign code.
// Every access to the three variables is inside `lock`; continuations are only resumed, once each, after they were
// taken out of the list under it.
final class Gate<State>: @unchecked Sendable {
    private let lock = NSLock()
    private var state: State
    private var turn = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(_ state: State) { self.state = state }

    func read<R>(_ body: (borrowing State) throws -> R) rethrows -> R { try lock.withLock { try body(state) } }

    @discardableResult
    func change<R>(_ body: (inout State) throws -> R) rethrows -> R {
        try lock.withLock {
            defer { wake() }
            return try body(&state)
        }
    }

    /// Tries until an attempt gives something; nil when the waiting task is cancelled first.
    func wait<R>(_ attempt: (inout State) -> R?) async -> R? {
        await withTaskCancellationHandler {
            while true {
                let (result, seen) = lock.withLock {
                    let result = attempt(&state)
                    if result != nil { wake() }
                    return (result, turn)
                }
                if let result { return result }
                if Task.isCancelled { return nil }
                await withCheckedContinuation { waiter in
                    lock.withLock { if turn == seen { waiters.append(waiter) } else { waiter.resume() } }
                }
            }
        } onCancel: {
            lock.withLock { wake() }
        }
    }

    private func wake() {
        turn &+= 1
        for waiter in waiters { waiter.resume() }
        waiters.removeAll()
    }
}

/// Something of the provider's, such as a completion, on its way to the provider's queue.
// The SDK's completions are not all `Sendable`; each is made by the provider, carried to its one serial queue, and
// called there once.
struct Carried<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
