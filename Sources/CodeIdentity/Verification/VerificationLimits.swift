// SPDX-License-Identifier: Apache-2.0

// The numbers that bound the examination of files.

public import FlowModel

extension CodeIdentityLimits {
    public static let nestedLevels = Limit(
        "verification.nested-levels", 8, .count, metric: "limit_nested_levels_total",
        "Bundles inside bundles that a deep check follows; real ones have three or four. Beyond it the check fails.")

    static let verification: [Limit] = [nestedLevels]
}
