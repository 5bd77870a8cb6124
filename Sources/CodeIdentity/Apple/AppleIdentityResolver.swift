// SPDX-License-Identifier: Apache-2.0

// Who made a flow on macOS: rung one and memory while the flow waits, rung two behind its back.

public import FlowModel
import Synchronization

/// Answers for audit tokens without ever waiting.
///
/// Three promises make it safe inside the callback through which every flow of the machine passes:
///
/// - `immediate` and `later` ask memory and the kernel, and nothing else; no lock is held while anything outside is
///   called, and under the lock only tables of bounded size are touched.
/// - The answer for a program of the system is always settled by rung one. The oracle waits for the trust daemon and
///   its kind, and those make flows of their own: were such a flow to wait for the oracle, both would wait for ever.
/// - Everything that rung two does is bounded: how many wait, how many are asked at once and for how long. Should the
///   oracle wait for a program that is not the system's, a scanner that looks into each file, then that program's flows
///   wait for `examinationWait` at most.
///
/// What is kept is identity, by all 32 bytes of the token and the cdhash, never a verdict and never a failure that may
/// pass. The kernel's bits are read again after `kernelStatusAge`, because a debugger may come later.
///
/// It makes no threads: `wake` is called when there is work, rather too often than too seldom, and has `resolvePending`
/// called on a thread that may wait. `expire` wants to be called by a timer.
public final class AppleIdentityResolver: SystemCode {
    typealias Examinations = ExaminationQueue<AuditToken, KernelStatus>

    /// What is asked of the oracle, and what counts as the system.
    public struct Settings: Sendable {
        /// The texts whose outcome policy wants to know.
        public let requirements: [String]
        public let osPrograms: OSProgramSet?
        /// Whether programs of the system are examined too, behind their settled answers and only while the oracle has
        /// nothing else to do: it adds facts for reports, and costs hashing the system's programs.
        public let examinesPlatform: Bool

        /// Throws `limit` when there are more requirements than `requirementsAsked`.
        public init(
            requirements: [String] = [], osPrograms: OSProgramSet? = nil, examinesPlatform: Bool = false
        ) throws(CodeProblem) {
            let most = CodeIdentityLimits.requirementsAsked
            guard requirements.count <= most.value else {
                throw CodeProblem(.limit, "\(requirements.count) requirements; \(most.name) is \(most.value)")
            }
            self.requirements = AppleRequirements.always + requirements
            self.osPrograms = osPrograms
            self.examinesPlatform = examinesPlatform
        }
    }

    private struct State {
        var settings: Settings
        /// Counts changes of the settings: an examination begun under others does not answer the present questions.
        var generation = 0
        var cache: AppleIdentityCache
        var queue: Examinations
    }

    private let kernel: any CodeSigningKernel
    private let oracle: any CodeSigningOracle
    private let metrics: any MetricSink
    private let wake: @Sendable () -> Void
    private let state: Mutex<State>

    public convenience init(
        kernel: any CodeSigningKernel, oracle: any CodeSigningOracle, settings: Settings,
        metrics: any MetricSink = NoSink(), wake: @escaping @Sendable () -> Void
    ) {
        self.init(
            kernel: kernel, oracle: oracle, settings: settings, metrics: metrics, wake: wake,
            cache: AppleIdentityCache(capacity: CodeIdentityLimits.appleIdentities.value),
            queue: Examinations(
                wait: CodeIdentityLimits.examinationWait.duration, most: CodeIdentityLimits.examinationsWaiting.value,
                atOnce: CodeIdentityLimits.examinationsAtOnce.value,
                mostWaiters: CodeIdentityLimits.examinationWaiters.value))
    }

    /// For tests, which choose small bounds.
    init(
        kernel: any CodeSigningKernel, oracle: any CodeSigningOracle, settings: Settings, metrics: any MetricSink,
        wake: @escaping @Sendable () -> Void, cache: AppleIdentityCache, queue: Examinations
    ) {
        self.kernel = kernel
        self.oracle = oracle
        self.metrics = metrics
        self.wake = wake
        state = Mutex(State(settings: settings, cache: cache, queue: queue))
    }

    /// Asks other questions from now on: what is known answers the old ones, so it is forgotten.
    public func use(_ settings: Settings) {
        // What is dropped is let go of outside the lock.
        _ = state.withLock { state in
            state.settings = settings
            state.generation &+= 1  // only ever compared for equality
            return state.cache.removeAll()
        }
    }

    // MARK: While a flow waits

    public func immediate(_ token: AuditToken?, now: ContinuousClock.Instant) -> MakerAnswer {
        guard let token, token.processID > 0 else { return Self.nothing(.noProcess, token) }
        let (kept, osPrograms) = state.withLock { ($0.cache.entry(for: token, now: now), $0.settings.osPrograms) }
        if let kept, now < kept.seen + CodeIdentityLimits.kernelStatusAge.duration {
            return kept.identity.answer(.settled, osPrograms: osPrograms)
        }
        switch kernel.status(of: token) {
        case .success(let status):
            return settle(token, status, now: now)
        case .failure(let error):
            // Who made the flow stays true when the process is gone.
            if let kept { return kept.identity.answer(.settled, osPrograms: osPrograms) }
            return Self.nothing(error.unknown, token)
        }
    }

    public func later(
        _ token: AuditToken?, now: ContinuousClock.Instant, _ receive: @escaping @Sendable (MakerAnswer) -> Void
    ) {
        let answer = immediate(token, now: now)
        guard answer.standing == .pending, let token else { return receive(answer) }
        let instead = state.withLock { state -> MakerAnswer? in
            let isAdded = state.queue.add(receive, for: token)
            if isAdded == true { return nil }
            // Nothing is under way any more: it has just ended.
            if isAdded == nil, let entry = state.cache.entry(for: token, now: now) {
                return entry.identity.answer(.settled, osPrograms: state.settings.osPrograms)
            }
            var busy = answer
            busy.standing = .busy
            return busy
        }
        guard let instead else { return }
        if instead.standing == .busy { metrics.add(CodeIdentityLimits.examinationWaiters.metric, 1) }
        receive(instead)
    }

    /// What rung one says, joined to what is known and to what is being found out.
    private func settle(_ token: AuditToken, _ status: KernelStatus, now: ContinuousClock.Instant) -> MakerAnswer {
        let (answer, isWaking, dropped) = state.withLock {
            state -> (MakerAnswer, Bool, AppleIdentityCache.Generation) in
            let osPrograms = state.settings.osPrograms
            if var kept = state.cache.entry(for: token, now: now), kept.identity.kernel.cdhash == status.cdhash {
                kept.identity.kernel = status
                kept.seen = now
                let dropped = state.cache.keep(kept)
                return (kept.identity.answer(.settled, osPrograms: osPrograms), false, dropped)
            }
            var identity = AppleIdentity(token: token, kernel: status)
            guard AppleIdentity.isExaminationUseful(status) else {
                var isWaking = false
                if status.isPlatformBinary, state.settings.examinesPlatform {
                    // Not while the oracle is at work, for this flow may be what it waits for; the next one will do.
                    if state.queue.isAsking { return (identity.answer(.settled, osPrograms: osPrograms), false, [:]) }
                    if case .waiting(let wake) = state.queue.ask(token, status, now: now) { isWaking = wake }
                }
                let entry = AppleIdentityCache.Entry(identity: identity, seen: now)
                return (identity.answer(.settled, osPrograms: osPrograms), isWaking, state.cache.keep(entry))
            }
            var (standing, isWaking) = (MakerAnswer.Standing.pending, false)
            identity.examination = .missing
            switch state.queue.ask(token, status, now: now) {
            case .waiting(let wake): isWaking = wake
            case .joined: break
            case .full: standing = .busy
            case .lost:
                identity.examination = .timedOut
                standing = .settled
            }
            return (identity.answer(standing, osPrograms: osPrograms), isWaking, [:])
        }
        if answer.standing == .busy { metrics.add(CodeIdentityLimits.examinationsWaiting.metric, 1) }
        countDropped([dropped])
        if isWaking { wake() }
        return answer
    }

    // MARK: Behind the flow's back

    /// Examines what waits until nothing does; called on a thread that may wait as long as the oracle likes.
    ///
    /// It may be called on several threads at a time, and at any time.
    public func resolvePending(now: () -> ContinuousClock.Instant) {
        while let (job, settings, generation) = take(now: now()) {
            let identity = examine(job, settings.requirements)
            conclude(identity, generation, now: now())
        }
    }

    /// Tells those who have waited too long that nothing is known.
    ///
    /// To be called a few times within `examinationWait`, by a timer that does not depend on the threads of
    /// `resolvePending`, because those may all be stuck.
    public func expire(now: ContinuousClock.Instant) {
        let (late, osPrograms, dropped) = state.withLock { state in
            let late = state.queue.expire(now: now).map { job in
                (AppleIdentity(token: job.process, kernel: job.facts, examination: .timedOut), job.waiters)
            }
            let dropped = late.map { Self.keep($0.0, in: &state, now: now) }
            return (late, state.settings.osPrograms, dropped)
        }
        guard !late.isEmpty else { return }
        metrics.add(CodeIdentityLimits.examinationWait.metric, late.count)
        countDropped(dropped)
        for (identity, waiters) in late { tell(waiters, identity, osPrograms) }
    }

    private func take(now: ContinuousClock.Instant) -> (Examinations.Job, Settings, Int)? {
        expire(now: now)
        return state.withLock { state in state.queue.next().map { ($0, state.settings, state.generation) } }
    }

    private func examine(_ job: Examinations.Job, _ requirements: [String]) -> AppleIdentity {
        let examination = ask(job, requirements)
        // The answer took its time, so the kernel's part of it is read again; of a process that is gone, the old holds.
        let kernel = (try? kernel.status(of: job.process).get()) ?? job.facts
        if case .done(let done) = examination, done.invalidity == nil, let facts = done.facts,
            facts.cdhash != kernel.cdhash
        {
            // Security compares the two as well; the facts, however, are read after that.
            return AppleIdentity(
                token: job.process, kernel: kernel, examination: .failed(.code(.staticCodeChanged)))
        }
        return AppleIdentity(token: job.process, kernel: kernel, examination: examination)
    }

    private func ask(_ job: Examinations.Job, _ requirements: [String]) -> AppleIdentity.Examination {
        do throws(CodeSigningError) {
            let examination = try oracle.verify(job.process, requirements: requirements)
            if let error = examination.invalidity, error.meaning == .gone { throw error }
            return .done(examination)
        } catch {
            guard error.meaning == .gone else { return .failed(error) }
            return switch kernel.status(of: job.process) {
            case .failure(.exited): .exited
            case .failure(.recycled): .replaced
            case .failure, .success: .failed(error)
            }
        }
    }

    private func conclude(_ identity: AppleIdentity, _ generation: Int, now: ContinuousClock.Instant) {
        typealias Result = (waiters: [Examinations.Receive], OSProgramSet?, AppleIdentityCache.Generation)
        let (waiters, osPrograms, dropped) = state.withLock { state -> Result in
            let isOutdated = generation != state.generation
            // Asked under other settings: asked again, unless nobody waits for it any more.
            if isOutdated, state.queue.putBack(identity.token) { return ([], state.settings.osPrograms, [:]) }
            let waiters = state.queue.finish(identity.token)
            // Even when it comes too late for those who waited, it is true for the next flow.
            let dropped = isOutdated ? [:] : Self.keep(identity, in: &state, now: now)
            return (waiters, state.settings.osPrograms, dropped)
        }
        countDropped([dropped])
        tell(waiters, identity, osPrograms)
    }

    private static func keep(
        _ identity: AppleIdentity, in state: inout State, now: ContinuousClock.Instant
    ) -> AppleIdentityCache.Generation {
        let isLasting = identity.examination.isLasting
        // The kernel's word alone is a full answer for the system's programs: nothing replaces it that may pass.
        if identity.kernel.isPlatformBinary, !isLasting { return [:] }
        return state.cache.keep(
            AppleIdentityCache.Entry(
                identity: identity, seen: now,
                until: isLasting ? nil : now + CodeIdentityLimits.failedExaminationAge.duration))
    }

    private func tell(_ waiters: [Examinations.Receive], _ identity: AppleIdentity, _ osPrograms: OSProgramSet?) {
        guard !waiters.isEmpty else { return }
        let answer = identity.answer(.settled, osPrograms: osPrograms)
        for receive in waiters { receive(answer) }
    }

    private func countDropped(_ dropped: [AppleIdentityCache.Generation]) {
        let number = dropped.reduce(0) { $0 + $1.count }
        if number > 0 { metrics.add(CodeIdentityLimits.appleIdentities.metric, number) }
    }

    private static func nothing(_ unknown: MakerUnknown, _ token: AuditToken?) -> MakerAnswer {
        MakerAnswer(
            summary: IdentitySummary(
                .unknown(unknown.cause), processID: token?.processID, userID: token?.effectiveUser),
            unknown: unknown)
    }
}

extension KernelStatusError {
    fileprivate var unknown: MakerUnknown {
        switch self {
        case .noToken: .noProcess
        case .exited: .exited
        case .recycled: .replaced
        case .refused: .refused
        }
    }
}
