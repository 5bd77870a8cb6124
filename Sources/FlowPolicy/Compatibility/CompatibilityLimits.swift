// SPDX-License-Identifier: Apache-2.0

// The bounds of what is remembered and known of systems.

public import FlowModel

extension PolicyLimits {
    public static let goodBuilds = Limit(
        "policy.good-builds", 8, .count, metric: "policy_good_builds_dropped_total",
        "the systems that one machine starts in turn; the oldest one is forgotten and has to be tested again")
    public static let systemName = Limit(
        "policy.system-name", 120, .count, metric: "policy_system_name_cut_total",
        "what a system calls itself stands in reasons and in the record; the rest is cut off")
    public static let knownBadRows = Limit(
        "policy.known-bad", 1_000, .count, metric: "policy_known_bad_too_many_total",
        "each start asks every row; a longer table is refused")

    static let compatibility = [goodBuilds, systemName, knownBadRows]
}
