// SPDX-License-Identifier: Apache-2.0

// A policy and what is compiled from it: immutable, shared by all flows that began under it.

public import ContentInspection
import FlowModel
public import FlowPolicy
import NIOConcurrencyHelpers

/// A policy with its inspection plans, each compiled once.
public final class PolicySnapshot: Sendable {
    let policy: Policy
    private let key: FindingKey
    /// Plans by what decides them; few, because profiles and content rules are few.
    private let plans = NIOLockedValueBox<[PlanKey: InspectionPlan]>([:])

    private struct PlanKey: Hashable {
        var profile: String
        var direction: Direction
        var contentRules: [String]
    }

    /// Makes a snapshot; `key` keys the digests of findings.
    public init(policy: Policy, key: FindingKey) {
        self.policy = policy
        self.key = key
    }

    /// The plan for a direction of a message under a profile; nil when there is nothing to look for.
    ///
    /// Content rules speak of what leaves, so they count outbound only.
    func plan(_ profile: Profile, _ direction: Direction, for facts: FlowFacts) -> InspectionPlan? {
        let rules = direction == .outbound ? policy.contentRules(for: facts) : []
        let planKey = PlanKey(profile: profile.name, direction: direction, contentRules: rules.map(\.name))
        if let known = plans.withLockedValue({ $0[planKey] }) { return known.isEmpty ? nil : known }
        var actions = (direction == .outbound ? profile.outbound : profile.inbound).mapValues(\.action)
        // The first rule that names a detector decides, so later ones are laid down first.
        for rule in rules.reversed() {
            for detector in rule.detectors { actions[detector] = rule.decision.action }
        }
        guard let plan = try? InspectionPlan(actions: actions, key: key) else { return nil }
        plans.withLockedValue { $0[planKey] = plan }
        return plan.isEmpty ? nil : plan
    }
}
