// SPDX-License-Identifier: Apache-2.0

// The bounds of evaluation.

public import FlowModel

extension PolicyLimits {
    public static let indexIntervals = Limit(
        "policy.index-intervals", 4_096, .count, metric: "policy_index_coarse_total",
        "intervals of ports or addresses in the index of rules, 2.6 MiB with 5,000 rules; with more, neighbours are "
            + "joined and a rule is asked more often than it must be")

    static let evaluation = [indexIntervals]
}
