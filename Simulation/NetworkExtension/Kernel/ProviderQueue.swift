// SPDX-License-Identifier: Apache-2.0

// The one serial queue of a provider, and what each callback on it costs.

internal import Dispatch
internal import Foundation

/// What the callbacks of a provider cost so far (S3).
public struct CallbackFigures: Hashable, Sendable {
    public var count = 0
    /// Time of the queue's thread in one callback, and time on the clock, longest so far.
    public var longestCPU = Duration.zero
    public var longestWall = Duration.zero
    /// All time of the queue's thread.
    public var totalCPU = Duration.zero
    /// Calls that block, made during callbacks, as `InstalledProxy.blockingCalls` counts them.
    public var blockingCalls = 0
}

/// "NEFlow": new flows, every completion and every entry point of a provider, one at a time [DEC; DTS 762959].
final class ProviderQueue: Sendable {
    private let queue = DispatchQueue(label: "NEFlow", qos: .userInteractive)
    private let state = Gate(State())
    private struct State {
        var isAlive = true
        var isHung = false
        var figures = CallbackFigures()
        var blockingCalls: (@Sendable () -> Int)?
    }

    var figures: CallbackFigures { state.read { $0.figures } }
    var isHung: Bool { state.read { $0.isHung } }
    func countBlockingCalls(with counter: (@Sendable () -> Int)?) { state.change { $0.blockingCalls = counter } }

    /// A suspended queue may not be freed.
    deinit { end() }

    /// Runs the body in its turn, unless the process is dead by then.
    func run(_ body: @escaping () -> Void) {
        let body = Carried(body)
        queue.async { [state] in
            let (isAlive, counter) = state.read { ($0.isAlive, $0.blockingCalls) }
            guard isAlive else { return }
            let (wall, cpu, calls) = (now(CLOCK_MONOTONIC), now(CLOCK_THREAD_CPUTIME_ID), counter?() ?? 0)
            body.value()
            let (cpuUsed, wallUsed) = (now(CLOCK_THREAD_CPUTIME_ID) - cpu, now(CLOCK_MONOTONIC) - wall)
            let blocked = (counter?() ?? 0) - calls
            state.change {
                $0.figures.count += 1
                $0.figures.longestCPU = max($0.figures.longestCPU, cpuUsed)
                $0.figures.longestWall = max($0.figures.longestWall, wallUsed)
                $0.figures.totalCPU += cpuUsed
                $0.figures.blockingCalls += blocked
            }
        }
    }

    /// Takes no more work, as when a callback does not return.
    func hang() {
        state.change {
            guard !$0.isHung, $0.isAlive else { return }
            $0.isHung = true
            queue.suspend()
        }
    }

    func unhang() {
        state.change {
            guard $0.isHung else { return }
            $0.isHung = false
            queue.resume()
        }
    }

    /// The process is dead: nothing that waits here will run.
    func end() {
        state.change { $0.isAlive = false }
        unhang()
    }
}

private func now(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
