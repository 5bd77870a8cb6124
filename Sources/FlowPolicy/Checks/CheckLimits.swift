// SPDX-License-Identifier: Apache-2.0

// The bounds of checking a policy.

public import FlowModel

extension PolicyLimits {
    public static let checkWays = Limit(
        "policy.check-ways", 64, .count, metric: "policy_check_incomplete_total",
        "ways to fulfil the conditions of one rule that are compared; a rule with more is called neither shadowed nor "
            + "contradictory")
    public static let checkSteps = Limit(
        "policy.check-steps", 20_000_000, .count, metric: "policy_check_incomplete_total",
        "comparisons of one check, some seconds; beyond it less is found, and that is said")
    public static let findings = Limit(
        "policy.findings", 1_000, .count, metric: "policy_findings_dropped_total",
        "what a review can hold; the gravest are kept")
    public static let findingCharacters = Limit(
        "policy.finding-text", 500, .count, metric: "policy_finding_cut_total",
        "a message is one line for people, whatever the document has in it; a longer one is cut")
    public static let patternStars = Limit(
        "policy.pattern-stars", 8, .count, metric: "policy_pattern_cost_total",
        "runs of any characters in one path pattern; each may be retried along the whole path, and more are warned of")

    static let checks = [checkWays, checkSteps, findings, findingCharacters, patternStars]
}

/// What is left of the comparisons that one check may make.
struct CheckBudget {
    private(set) var left: Int

    init(_ steps: Int = PolicyLimits.checkSteps.value) { left = steps }

    var isSpent: Bool { left == 0 }

    /// Takes some of it; false when there is not enough left.
    mutating func spend(_ steps: Int = 1) -> Bool {
        left = steps < left ? left - steps : 0
        return left > 0
    }
}
