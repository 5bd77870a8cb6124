// SPDX-License-Identifier: Apache-2.0

// The bounds of this room.

public import FlowModel

/// What bounds a policy document and its problems.
public enum PolicyLimits {
    public static let documentBytes = Limit(
        "policy.document", 1 << 20, .bytes, metric: "policy_document_too_large_total",
        "some twenty thousand hosts fit; a larger text is refused unread")
    public static let rules = Limit(
        "policy.rules", 5_000, .count, metric: "policy_too_many_rules_total",
        "five times what admission is measured with; a document with more is refused")
    public static let depth = Limit(
        "policy.depth", 16, .count, metric: "policy_too_deep_total",
        "nobody can read conditions nested deeper, and evaluation recurses; a deeper one is refused")
    public static let problems = Limit(
        "policy.problems", 100, .count, metric: "policy_problems_dropped_total",
        "what a person can work through in one go; more are counted, not listed")
    public static let nameCharacters = Limit(
        "policy.name", 80, .count, metric: "policy_name_too_long_total",
        "names of rules and profiles stand in every event; a longer one is refused")
    public static let reasonCharacters = Limit(
        "policy.reason", 200, .count, metric: "policy_reason_too_long_total",
        "the text of a rule stands on block pages and in events; a longer one is refused")
    public static let pathCharacters = Limit(
        "policy.path", 1_024, .count, metric: "policy_path_too_long_total",
        "the longest path that macOS takes; a longer pattern is refused")

    public static let all =
        [documentBytes, rules, depth, problems, nameCharacters, reasonCharacters, pathCharacters]
        + document + evaluation + checks + catalogues + capturePlan + bundles + flows
        + compatibility
}
