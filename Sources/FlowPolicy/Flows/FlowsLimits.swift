// SPDX-License-Identifier: Apache-2.0

// The bounds of described flows, tests of policies and comparisons.

public import FlowModel

extension PolicyLimits {
    public static let describedFlows = Limit(
        "policy.described-flows", 10_000, .count, metric: "policy_too_many_flows_total",
        "what one file of flows or one test of a policy may hold; a longer one is refused")
    public static let contentNames = Limit(
        "policy.described-content", 64, .count, metric: "policy_too_much_content_total",
        "detectors that a described flow may name; more are refused")
    public static let differences = Limit(
        "policy.differences", 1_000, .count, metric: "policy_differences_dropped_total",
        "kinds of change that a comparison of policies lists; flows of further kinds are counted together")

    static let flows = [describedFlows, contentNames, differences]
}
