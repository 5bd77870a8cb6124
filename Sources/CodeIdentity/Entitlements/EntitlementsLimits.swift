// SPDX-License-Identifier: Apache-2.0

// How much entitlements are read.

public import FlowModel

extension CodeIdentityLimits {
    public static let entitlementsBytes = Limit(
        "entitlements.bytes", 1024 * 1024, .bytes, metric: "limit_entitlements_bytes_total",
        "Real ones are a few KiB; longer ones, XML or DER, are refused and the code counts as one with a problem.")
    public static let entitlementsDepth = Limit(
        "entitlements.depth", 32, .count, metric: "limit_entitlements_depth_total",
        "Arrays and dictionaries inside each other; it bounds the recursion of reader and writer. Deeper is refused.")

    static let entitlements: [Limit] = [entitlementsBytes, entitlementsDepth]
}
