// SPDX-License-Identifier: Apache-2.0

// Which processes wait for rung two, which are being examined, and who waits for them.

/// The order of examinations: one at a time for each token, a few at once, all of them bounded.
///
/// | state of a token | `ask`            | `next`   | `finish`                 | deadline passes             |
/// |------------------|------------------|----------|--------------------------|-----------------------------|
/// | not known        | → waiting        | –        | –                        | –                           |
/// | waiting          | joined           | → asked  | –                        | waiters told, → not known   |
/// | asked            | joined           | –        | waiters told, → not known| waiters told, → lost        |
/// | lost             | refused          | –        | → not known              | –                           |
///
/// A lost examination is one that nobody waits for any more and that has not come back: it keeps its place among those
/// at once, because its thread is still in it.
struct ExaminationQueue {
    typealias Receive = @Sendable (MakerAnswer) -> Void

    struct Job {
        let token: AuditToken
        let kernel: KernelStatus
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
    private var jobs: [AuditToken: Job] = [:]
    private var order: ArraySlice<AuditToken> = []
    /// Every token whose examination has not come back, lost ones included.
    private var asked: Set<AuditToken> = []
    private var waiters = 0

    init(wait: Duration, most: Int, atOnce: Int, mostWaiters: Int) {
        self.wait = wait
        self.most = most
        self.atOnce = max(1, atOnce)
        self.mostWaiters = mostWaiters
    }

    /// Whether the oracle is at work, and so may itself be waiting for a flow.
    var isAsking: Bool { !asked.isEmpty }

    mutating func ask(_ token: AuditToken, _ kernel: KernelStatus, now: ContinuousClock.Instant) -> Asked {
        if jobs[token] != nil { return .joined }
        if asked.contains(token) { return .lost }
        guard jobs.count < most else { return .full }
        jobs[token] = Job(token: token, kernel: kernel, deadline: now + wait)
        order.append(token)
        return .waiting(wake: asked.count < atOnce)
    }

    /// Adds one who waits; nil when nothing is under way for the token, false when too many wait.
    mutating func add(_ receive: @escaping Receive, for token: AuditToken) -> Bool? {
        guard jobs[token] != nil else { return nil }
        guard waiters < mostWaiters else { return false }
        jobs[token]?.waiters.append(receive)
        waiters += 1
        return true
    }

    /// The next to examine; nil when none waits or enough are being examined.
    mutating func next() -> Job? {
        guard asked.count < atOnce, let token = order.popFirst(), let job = jobs[token] else { return nil }
        asked.insert(token)
        return job
    }

    /// Puts an examination that came back at the end of the line again; false when it was lost.
    mutating func putBack(_ token: AuditToken) -> Bool {
        asked.remove(token)
        guard jobs[token] != nil else { return false }
        order.append(token)
        return true
    }

    /// Ends an examination that came back, and gives those who still wait for it.
    mutating func finish(_ token: AuditToken) -> [Receive] {
        asked.remove(token)
        return remove(token)?.waiters ?? []
    }

    /// Takes out what nobody shall wait for any longer.
    mutating func expire(now: ContinuousClock.Instant) -> [Job] {
        let late = jobs.values.filter { $0.deadline <= now }
        for job in late { _ = remove(job.token) }
        if !late.isEmpty { order.removeAll { jobs[$0] == nil } }
        return late
    }

    private mutating func remove(_ token: AuditToken) -> Job? {
        guard let job = jobs.removeValue(forKey: token) else { return nil }
        waiters -= job.waiters.count
        return job
    }
}
