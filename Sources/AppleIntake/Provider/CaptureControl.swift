// SPDX-License-Identifier: Apache-2.0

// Keeps the rules of the system in step with the policy in force, and takes nothing while disarmed.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import Synchronization

/// Keeps the rules of the system in step with the policy of a running provider.
///
/// Whether somebody paused it or switched it off is part of the policy, so the program around it decides that; here is only
/// what a provider that died too often must do by itself: take nothing. An actor, so that each change and the rules it wants
/// are one step: a change never undoes one that came later.
actor CaptureControl {
    /// Tells the system; the answer may come from any thread, or never.
    typealias SetRules = @Sendable (RuleLists, _ answer: @escaping @Sendable ((any Error)?) -> Void) -> Void
    private typealias Waiter = @Sendable (ProviderFailure?) -> Void

    /// Why nothing is taken, whatever the policy says; nil when it is armed.
    private(set) var disarmed: String?
    private let services: ProviderServices
    private let waits: ProviderWaits
    private let setRules: SetRules
    private var book = RuleBook<Waiter>()
    /// Read for each new flow, where nothing may wait.
    private nonisolated let taking: Atomic<Bool>

    init(_ services: ProviderServices, _ waits: ProviderWaits, setRules: @escaping SetRules) {
        self.services = services
        self.waits = waits
        self.setRules = setRules
        disarmed = services.hooks.disarmed
        taking = Atomic(services.hooks.disarmed == nil)
    }

    /// Whether flows are taken; those that the old rules still bring are declined.
    nonisolated var isTaking: Bool { taking.load(ordering: .relaxed) }

    /// Sets the first rules.
    func begin() async throws(ProviderFailure) {
        if let disarmed { services.hooks.notify(Reason("disarmed", disarmed)) }
        try await follow()
    }

    /// Takes what the policy says again.
    func arm() async throws(ProviderFailure) {
        disarmed = nil
        taking.store(true, ordering: .relaxed)
        try await follow()
    }

    // MARK: Rules

    var rules: ProviderStatus.Rules {
        let lists = book.inForce ?? .nothing
        return ProviderStatus.Rules(
            included: lists.included.count, excluded: lists.excluded.count, dropped: lists.dropped.count,
            isCertain: book.isCertain)
    }

    /// Has the system take the rules of the policy in force.
    func follow() async throws(ProviderFailure) {
        let lists: RuleLists
        do {
            lists = disarmed == nil ? try RuleLists(services.engine.currentPolicy) : .nothing
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
