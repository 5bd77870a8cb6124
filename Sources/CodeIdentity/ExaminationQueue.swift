// SPDX-License-Identifier: Apache-2.0

// Which processes wait to be examined, which are being examined, and who waits for them.

/// The order of examinations: one at a time for each process, a few at once, all of them bounded.
///
/// | state of a process | `ask`          | `next`   | `finish`                 | deadline passes             |
/// |--------------------|----------------|----------|--------------------------|-----------------------------|
/// | not known          | → waiting      | –        | –                        | –                           |
/// | waiting            | joined         | → asked  | –                        | waiters told, → not known   |
/// | asked              | joined         | –        | waiters told, → not known| waiters told, → lost        |
/// | lost               | refused        | –        | → not known              | –                           |
///
/// `Process` names what is examined, an audit token or one image of a Linux process; `Facts` is what was known of it
/// when it was asked about.
///
/// A lost examination is one that nobody waits for any more and that has not come back: it keeps its place among those
/// at once, because its thread is still in it.
struct ExaminationQueue<Process: Hashable & Sendable, Facts: Sendable> {
    typealias Receive = @Sendable (MakerAnswer) -> Void

    struct Job {
        let process: Process
        let facts: Facts
        let deadline: ContinuousClock.Instant
        fileprivate(set) var waiters: [Receive] = []
    }

    enum Asked {
        /// Now waiting; the flag says whether a free worker should be called.
        case waiting(wake: Bool)
        case joined
        case lost
        case full
    }

    private let wait: Duration
    private let most: Int
    private let atOnce: Int
    private let mostWaiters: Int
    private var jobs: [Process: Job] = [:]
    private var order: ArraySlice<Process> = []
    /// Every process whose examination has not come back, lost ones included.
    private var asked: Set<Process> = []
    private var waiters = 0

    init(wait: Duration, most: Int, atOnce: Int, mostWaiters: Int) {
        self.wait = wait
        self.most = most
        self.atOnce = max(1, atOnce)
        self.mostWaiters = mostWaiters
    }

    /// Whether an examiner is at work, and so may itself be waiting for a flow.
    var isAsking: Bool { !asked.isEmpty }

    mutating func ask(_ process: Process, _ facts: Facts, now: ContinuousClock.Instant) -> Asked {
        if jobs[process] != nil { return .joined }
        if asked.contains(process) { return .lost }
        guard jobs.count < most else { return .full }
        jobs[process] = Job(process: process, facts: facts, deadline: now + wait)
        order.append(process)
        return .waiting(wake: asked.count < atOnce)
    }

    /// Adds one who waits; nil when nothing is under way for the process, false when too many wait.
    mutating func add(_ receive: @escaping Receive, for process: Process) -> Bool? {
        guard jobs[process] != nil else { return nil }
        guard waiters < mostWaiters else { return false }
        jobs[process]?.waiters.append(receive)
        waiters += 1
        return true
    }

    /// The next to examine; nil when none waits or enough are being examined.
    mutating func next() -> Job? {
        guard asked.count < atOnce, let process = order.popFirst(), let job = jobs[process] else { return nil }
        asked.insert(process)
        return job
    }

    /// Puts an examination that came back at the end of the line again; false when it was lost.
    mutating func putBack(_ process: Process) -> Bool {
        asked.remove(process)
        guard jobs[process] != nil else { return false }
        order.append(process)
        return true
    }

    /// Ends an examination that came back, and gives those who still wait for it.
    mutating func finish(_ process: Process) -> [Receive] {
        asked.remove(process)
        return remove(process)?.waiters ?? []
    }

    /// Takes out what nobody shall wait for any longer.
    mutating func expire(now: ContinuousClock.Instant) -> [Job] {
        let late = jobs.values.filter { $0.deadline <= now }
        for job in late { _ = remove(job.process) }
        if !late.isEmpty { order.removeAll { jobs[$0] == nil } }
        return late
    }

    private mutating func remove(_ process: Process) -> Job? {
        guard let job = jobs.removeValue(forKey: process) else { return nil }
        waiters -= job.waiters.count
        return job
    }
}
