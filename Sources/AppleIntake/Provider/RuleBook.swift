// SPDX-License-Identifier: Apache-2.0

// Which rules are in force and which are being set, one after the other, as a state machine.

/// The rules of the system as far as the provider knows.
///
/// Setting them again while flows go on has wedged providers, so it is never done for rules that are in force already and
/// never while the system still answers. Of rules that are wanted meanwhile only the latest are set. Rules stay in force
/// until the system has taken the next; refused ones change nothing.
///
///     event          settled       setting                    setting, then others
///     want the same  answer        joins                      setting: joins
///     want others    setting: set  setting, then these        setting, then these: joins
///     taken          –             settled: answer            setting: set the others
///     refused        –             settled: answer (1)        setting: set the others
///
/// Whoever joins is answered when no rules wait any more: with the outcome of the latest. (1) When it is the empty list
/// that is refused: setting, with everything excluded instead.
struct RuleBook<Waiter>: ~Copyable {
    /// What the system is told; an answer that bears another number comes too late.
    struct Order {
        let number: Int
        let lists: RuleLists
    }

    enum Action {
        case nothing
        case set(Order)
        /// Tell these; nil when the rules are in force.
        case answer([Waiter], ProviderFailure?)
    }

    private enum State {
        case settled
        case setting(RuleLists, next: RuleLists?, [Waiter])
    }

    private var state = State.settled
    private var number = 0
    /// The last rules that the system took; nil before the first.
    private(set) var inForce: RuleLists?
    /// False while others may be in force, because the system left the last order unanswered.
    private(set) var isCertain = true

    mutating func want(_ lists: RuleLists, _ waiter: Waiter) -> Action {
        switch state {
        case .settled:
            return begin(lists, [waiter])
        case .setting(let current, _, let waiters):
            state = .setting(current, next: lists.isAsGood(as: current) ? nil : lists, waiters + [waiter])
            return .nothing
        }
    }

    /// Whether the answer to this order is still awaited.
    func awaits(_ order: Int) -> Bool {
        if case .setting = state { order == number } else { false }
    }

    /// The system has answered, or `failure` says that it did not in time.
    mutating func answered(_ order: Int, _ failure: ProviderFailure?) -> Action {
        guard awaits(order), case .setting(let lists, let next, let waiters) = state else { return .nothing }
        state = .settled
        if failure == nil { inForce = lists }
        isCertain = failure == nil || (isCertain && failure?.code != .rulesOverdue)
        if let next { return begin(next, waiters) }
        if failure?.code == .rules, lists.included.isEmpty { return begin(.everythingExcluded, waiters) }
        return .answer(waiters, failure)
    }

    private mutating func begin(_ lists: RuleLists, _ waiters: [Waiter]) -> Action {
        if isCertain, let inForce, lists.isAsGood(as: inForce) {
            return .answer(waiters, nil)
        }
        number &+= 1  // only ever compared for equality
        state = .setting(lists, next: nil, waiters)
        return .set(Order(number: number, lists: lists))
    }
}

extension RuleLists {
    fileprivate func isAsGood(as other: RuleLists) -> Bool {
        (included == other.included && excluded == other.excluded) || (takesNothing && other.takesNothing)
    }
}
