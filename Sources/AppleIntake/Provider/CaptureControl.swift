// SPDX-License-Identifier: Apache-2.0

// Whether flows are taken, and by which rules: what administrators and the policy say, carried out in order.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import Synchronization

/// Holds the switch of a running provider and keeps the rules of the system in step with it and with the policy.
///
/// An actor, so that each change and the rules it wants are one step: a change never undoes one that came later.
actor CaptureControl {
    /// Tells the system; the answer may come from any thread, or never.
    typealias SetRules = @Sendable (RuleLists, _ answer: @escaping @Sendable ((any Error)?) -> Void) -> Void
    private typealias Waiter = @Sendable (ProviderFailure?) -> Void

    private(set) var capture: ProviderStatus.Capture
    private let services: ProviderServices
    private let waits: ProviderWaits
    private let setRules: SetRules
    private var book = RuleBook<Waiter>()
    /// Counts pauses, so that the end of one does not end the next.
    private var pauses = 0
    /// Counts readings of the policy by their beginnings; one that began earlier never replaces a later one.
    private var reads = (begun: 0, used: 0, underWay: 0)
    /// Read for each new flow, where nothing may wait.
    private nonisolated let taking: Atomic<Bool>

    init(_ services: ProviderServices, _ waits: ProviderWaits, setRules: @escaping SetRules) {
        self.services = services
        self.waits = waits
        self.setRules = setRules
        capture = services.hooks.disarmed.map { .disarmed(because: $0) } ?? .on
        taking = Atomic(services.hooks.disarmed == nil)
    }

    /// Whether flows are taken; those that the old rules still bring are declined.
    nonisolated var isTaking: Bool { taking.load(ordering: .relaxed) }

    /// Sets the first rules.
    func begin() async throws(ProviderFailure) {
        if case .disarmed(let because) = capture { services.hooks.notify(Reason("disarmed", because)) }
        try await refresh()
    }

    // MARK: What administrators say

    /// Takes nothing until a date in milliseconds since 1970-01-01 UTC.
    func pause(until date: Int64) async throws(ProviderFailure) {
        try mustBeArmed()
        let (wait, isOver) = date.subtractingReportingOverflow(services.now())
        let most = AppleIntakeLimits.pause
        guard !isOver, wait > 0, wait <= Int64(most.value) * 1000 else {
            services.metrics.add(most.metric, 1)
            throw ProviderFailure(.date, "a pause ends within the next \(most.value) seconds")
        }
        pauses += 1
        let pause = pauses
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(wait))
            await self?.pauseOver(pause)
        }
        try await turn(.paused(until: date))
    }

    /// The time of a pause is over; does nothing when something else was said since.
    func pauseOver(_ pause: Int) async {
        guard pause == pauses, case .paused = capture else { return }
        // What fails is noted, and the old rules take nothing.
        try? await turn(.on)
    }

    /// Ends a pause.
    func resume() async throws(ProviderFailure) {
        try mustBeArmed()
        try await turn(.on)
    }

    /// Takes nothing until it is armed again.
    func turnOff() async throws(ProviderFailure) { try await turn(.off) }

    /// Takes flows again, whatever kept it from that.
    func arm() async throws(ProviderFailure) {
        try await turn(.on)
        await services.hooks.rearmed()
    }

    private func mustBeArmed() throws(ProviderFailure) {
        switch capture {
        case .on, .paused: break
        case .off, .disarmed: throw ProviderFailure(.off, "nothing is taken until the provider is armed again")
        }
    }

    private func turn(_ capture: ProviderStatus.Capture) async throws(ProviderFailure) {
        self.capture = capture
        taking.store(capture == .on, ordering: .relaxed)
        try await refresh()
    }

    // MARK: What the policy says

    /// Reads the policy again and judges new flows by it; the old one stays when it cannot be read.
    func reload() async throws(ProviderFailure) {
        guard reads.underWay < AppleIntakeLimits.messagesAtOnce.value else {
            throw ProviderFailure(.reload, "too many readings of the policy are under way")
        }
        reads.begun += 1
        reads.underWay += 1
        let read = reads.begun
        let snapshot: PolicySnapshot
        do {
            defer { reads.underWay -= 1 }
            snapshot = try await services.hooks.reload()
        } catch {
            throw ProviderFailure(.reload, "\(error)")
        }
        guard read > reads.used else { return }
        reads.used = read
        services.engine.use(snapshot)
        try await refresh()
    }

    /// Brings the rules in step with the policy in force.
    func follow() async throws(ProviderFailure) { try await refresh() }

    // MARK: Rules

    var rules: ProviderStatus.Rules {
        let lists = book.inForce ?? .nothing
        return ProviderStatus.Rules(
            included: lists.included.count, excluded: lists.excluded.count, dropped: lists.dropped.count,
            isCertain: book.isCertain)
    }

    /// Has the system take the rules that are wanted now.
    private func refresh() async throws(ProviderFailure) {
        let lists: RuleLists
        do {
            lists = capture == .on ? try RuleLists(services.engine.currentPolicy) : .nothing
        } catch {
            services.hooks.notify(Reason("rules-refused", error.detail))
            throw error
        }
        if let first = lists.dropped.first {
            let text = "\(lists.dropped.count) that the system would refuse, the first \(first.text)"
            services.hooks.notify(Reason("exclusions-dropped", text))
        }
        // Answered always, because every order has a deadline.
        let failure = await withCheckedContinuation { continuation in
            perform(book.want(lists) { continuation.resume(returning: $0) })
        }
        if let failure { throw failure }
    }

    private func perform(_ action: RuleBook<Waiter>.Action) {
        switch action {
        case .nothing: break
        case .answer(let waiters, let failure):
            for waiter in waiters { waiter(failure) }
        case .set(let order):
            let number = order.number
            setRules(order.lists) { error in
                let failure = error.map { ProviderFailure(.rules, "the system refuses the rules: \($0)") }
                Task { await self.answered(number, failure) }
            }
            Task { [waits] in
                try? await Task.sleep(for: waits.rules)
                self.answered(number, ProviderFailure(.rulesOverdue, "the system does not answer to new rules"))
            }
        }
    }

    private func answered(_ order: Int, _ failure: ProviderFailure?) {
        let isOpen = book.awaits(order)
        if isOpen, let failure { services.hooks.notify(Reason("rules-refused", failure.detail)) }
        if isOpen, failure?.code == .rulesOverdue { services.metrics.add(AppleIntakeLimits.rulesWait.metric, 1) }
        perform(book.answered(order, failure))
    }
}
