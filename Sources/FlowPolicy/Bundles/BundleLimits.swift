// SPDX-License-Identifier: Apache-2.0

// The bounds of a policy bundle.

public import FlowModel

extension PolicyLimits {
    public static let bundleBytes = Limit(
        "policy.bundle", 32 << 20, .bytes, metric: "policy_bundle_too_large_total",
        "a million hosts fit; a larger bundle is refused unread")
    public static let bundleManifestBytes = Limit(
        "policy.bundle.manifest", 128 << 10, .bytes, metric: "policy_bundle_too_large_total",
        "as many files as are allowed, with the longest paths; a longer manifest is refused unread")
    public static let bundleFiles = Limit(
        "policy.bundle.files", 256, .count, metric: "policy_bundle_too_many_files_total",
        "ten times what a large policy is split into; a bundle with more is refused")
    public static let bundlePath = Limit(
        "policy.bundle.path", 255, .bytes, metric: "none",
        "what every file system takes; a longer path is refused")
    public static let bundleName = Limit(
        "policy.bundle.name", 64, .bytes, metric: "none",
        "the name stands in messages and in the state file; a longer one is refused")

    static let bundles = [bundleBytes, bundleManifestBytes, bundleFiles, bundlePath, bundleName]
}
