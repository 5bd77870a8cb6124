// SPDX-License-Identifier: Apache-2.0

// The bounds of the capture plan; at each of them more is captured, never less.

public import FlowModel

extension PolicyLimits {
    public static let planWork = Limit(
        "policy.plan-work", 2_000_000, .count, metric: "policy_plan_work_total",
        "stretches of addresses that are walked, so that no policy holds up its start; beyond it all that is left is captured"
    )
    public static let planNetworks = Limit(
        "policy.plan-networks", 16_384, .count, metric: "policy_plan_networks_total",
        "stretches of addresses in one kernel table; a rule with more is decided in user space")
    public static let planPorts = Limit(
        "policy.plan-ports", 64, .count, metric: "policy_plan_ports_total",
        "single ports that a range becomes on macOS, where a rule takes one; a longer range is decided in user space")
    public static let planRules = Limit(
        "policy.plan-rules", 1_024, .count, metric: "policy_plan_rules_total",
        "rules in a list for macOS, which documents no bound; what comes after it is decided in user space")

    static let capturePlan = [planWork, planNetworks, planPorts, planRules]
}
