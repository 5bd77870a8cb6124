// SPDX-License-Identifier: Apache-2.0

// Ends a provider that hangs, because a dead one lets the system recover and a hung one does not.

internal import Dispatch
internal import FlowModel
internal import Foundation
internal import NIOCore
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Watches the provider's queue and its loops from a thread of its own.
///
/// A callback, or a task of a loop, that is found where it was an interval before is a missed beat; three in a row, and
/// stacks without content are written and the process ends. Waiting is done by a clock that stands still while the
/// machine sleeps. The thread shares no lock with what it watches and allocates nothing, so that no hang is its own.
public final class Watchdog: Sendable {
    private let queue = Beat("the provider's queue")
    /// Milliseconds between two looks.
    private let interval: Int
    private let stacks: StackWriter?
    private let ending: @Sendable () -> Void
    private let isForgiven = Atomic(false)
    private let missed = Atomic(0)
    private let run = Mutex<Run?>(nil)

    /// One start: what ends it.
    private struct Run {
        let over: DispatchSemaphore
        let tasks: [RepeatedTask]
    }

    /// Watches nothing until `start`; stacks go to `stacks.txt` of the state directory, each file in place of the last.
    public convenience init(state directory: String) { self.init(state: directory, ending: Self.endProcess) }

    /// Does something else than to end the process, for a simulated one.
    package convenience init(state directory: String, ending: @escaping @Sendable () -> Void) {
        self.init(stacks: StackWriter(file: directory + "/stacks.txt"), ending: ending)
    }

    /// Ends this process at once, without a word to anybody who may be hung.
    package static let endProcess: @Sendable () -> Void = { _exit(EX_SOFTWARE) }

    /// Writes no stacks.
    public convenience init() { self.init(stacks: nil) }

    /// `ending` must not come back in a program: what was hung may move again, and nothing would watch it.
    init(
        interval: Int = AppleIntakeLimits.beatInterval.value, stacks: StackWriter?,
        ending: @escaping @Sendable () -> Void = Watchdog.endProcess
    ) {
        self.interval = interval
        self.stacks = stacks
        self.ending = ending
    }

    deinit { stop() }

    /// The provider's queue enters one of our callbacks; costs one addition.
    func enter() { queue.enter() }
    /// It has left it.
    func leave() { queue.leave() }

    /// What was missed until now does not count: the machine is about to sleep, or has woken.
    func forgive() { isForgiven.store(true, ordering: .relaxed) }

    /// Beats missed since the program began; most are followed by one that was not.
    public var missedBeats: Int { missed.load(ordering: .relaxed) }

    /// Watches the queue and these loops from now on; starts a thread, and ends what an earlier start began.
    func start(_ loops: any EventLoopGroup) {
        stop()
        var beats = [queue]
        var tasks: [RepeatedTask] = []
        // Twice an interval, so that a beat which is a little late is not a missed one.
        let every = TimeAmount.microseconds(Int64(interval) * 500)
        for loop in loops.makeIterator() {
            // A loop is always inside, and each of its tasks moves it on.
            let beat = Beat("an event loop")
            beat.enter()
            beats.append(beat)
            tasks.append(
                loop.scheduleRepeatedTask(initialDelay: .zero, delay: every) { _ in
                    beat.enter()
                    beat.leave()
                })
        }
        let over = DispatchSemaphore(value: 0)
        run.withLock { $0 = Run(over: over, tasks: tasks) }
        let (watched, pause) = (beats, DispatchTimeInterval.milliseconds(interval))
        let thread = Thread { [weak self] in
            var watch = Watch(watched)
            // `DispatchTime` stands still while the machine sleeps, on both systems.
            while over.wait(timeout: .now() + pause) == .timedOut {
                guard let self else { return }
                self.look(&watch)
            }
        }
        thread.name = "weir.watchdog"
        thread.qualityOfService = .userInteractive
        thread.start()
    }

    /// Watches nothing any more; the process lives on.
    func stop() {
        let run = run.withLock { run in
            defer { run = nil }
            return run
        }
        run?.over.signal()
        for task in run?.tasks ?? [] { task.cancel() }
    }

    private func look(_ watch: inout Watch) {
        let hang = watch.look(isForgiven: isForgiven.exchange(false, ordering: .relaxed))
        missed.wrappingAdd(watch.missedNow, ordering: .relaxed)
        guard let hang else { return }
        stacks?.write(hang, within: .milliseconds(AppleIntakeLimits.stackWait.value))
        ending()
    }
}

/// What is watched, as the watching thread knows it.
struct Watch {
    private var watched: [(beat: Beat, pulse: Pulse)]
    /// How many missed a beat at the last look.
    private(set) var missedNow = 0

    init(_ beats: [Beat]) { watched = beats.map { ($0, Pulse()) } }

    /// Looks once; says what hangs when something has just missed its last beat.
    mutating func look(isForgiven: Bool) -> Hang? {
        var hang: Hang?
        missedNow = 0
        for place in watched.indices {
            if isForgiven { watched[place].pulse.forget() }
            watched[place].pulse.take(watched[place].beat.reading)
            let missed = watched[place].pulse.missed
            if missed > 0 { missedNow += 1 }
            if missed == AppleIntakeLimits.missedBeats.value, hang == nil {
                hang = Hang(place: place, name: watched[place].beat.name, missed: missed)
            }
        }
        return hang
    }
}
