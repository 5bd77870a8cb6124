// SPDX-License-Identifier: Apache-2.0

// What the mode of a policy makes of what its rules say.

public import FlowModel

extension Policy {
    /// How much of its rules a policy carries out.
    public enum Mode: String, Sendable, Codable, CaseIterable {
        /// Nothing is taken, and rules are not asked.
        case off
        /// Nothing is taken; what the rules would do is recorded.
        case decide
        /// Flows are inspected; nothing is changed or refused.
        case observe
        /// The rules are carried out as written.
        case enforce
    }
}

/// What to do with a finding, and why it is less than the rules say when it is.
public struct ContentDecision: Hashable, Sendable {
    public let action: ContentAction
    public let restraint: Reason?
}

extension Policy.Mode {
    /// The lane that a wished-for lane becomes.
    ///
    /// Under `observe` a refusal becomes relay and not inspect: what `enforce` would never decrypt stays closed.
    func effective(_ lane: Lane) -> Lane {
        switch self {
        case .off, .decide: return .bypass
        case .observe: return lane == .block ? .relay : lane
        case .enforce: return lane
        }
    }

    /// The verdict that a wished-for lane becomes; `cause` says in words who wished it.
    func verdict(_ lane: Lane, profile: String?, rule: String?, code: String, cause: String) -> Verdict {
        let effective = effective(lane)
        let reason: Reason
        switch self {
        case .off: reason = Reason("mode-off", "the mode is off: nothing is taken")
        case .decide: reason = Reason("mode-decide", "would \(lane.rawValue) by \(cause)")
        case .observe where effective != lane:
            reason = Reason("mode-observe", "would \(lane.rawValue) by \(cause); the mode observe refuses nothing")
        case .observe, .enforce: reason = Reason(code, cause)
        }
        return Verdict(effective, profile: effective == .inspect ? profile : nil, rule: rule, reason: reason)
    }

    /// What a wished-for action on a finding becomes.
    func decision(_ action: ContentAction) -> ContentDecision {
        guard self != .enforce, action != .report else { return ContentDecision(action: action, restraint: nil) }
        let restraint = Reason("mode-\(rawValue)", "would \(action.rawValue); the mode \(rawValue) changes nothing")
        return ContentDecision(action: .report, restraint: restraint)
    }
}
