// SPDX-License-Identifier: Apache-2.0

// How much of a bundle is read.

public import FlowModel

extension CodeIdentityLimits {
    public static let bundleFileBytes = Limit(
        "bundle.file-bytes", 4 * 1024 * 1024, .bytes, metric: "limit_bundle_file_bytes_total",
        "Info.plist and each detached part of a signature; real ones stay below 100 KiB. Longer ones are refused.")
    public static let treeDepth = Limit(
        "bundle.depth", 64, .count, metric: "limit_bundle_depth_total",
        "Folders inside each other; real bundles reach about 25. Deeper trees are refused.")
    public static let treeEntries = Limit(
        "bundle.entries", 1_000_000, .count, metric: "limit_bundle_entries_total",
        "Files and folders of one bundle, and of one folder; the largest applications have about 200 000.")
    public static let sealedBytes = Limit(
        "seal.bytes", 64 * 1024 * 1024 * 1024, .bytes, metric: "limit_seal_bytes_total",
        "Bytes hashed for one seal: a few minutes; the largest applications have about 20 GiB. The check ends there.")
    public static let sealChunk = Limit(
        "seal.chunk", 1024 * 1024, .bytes, metric: "limit_seal_chunk_total",
        "A file is hashed in pieces of this size, whatever its own.")
    public static let sealRules = Limit(
        "seal.rules", 256, .count, metric: "limit_seal_rules_total",
        "Rules of one seal; Apple's tools write 5 or 15. More are refused.")
    public static let sealPatternBytes = Limit(
        "seal.pattern-bytes", 1024, .bytes, metric: "limit_seal_pattern_bytes_total",
        "Length of one rule's pattern; the longest of Apple's is about 120. Longer ones are refused.")
    public static let sealPatternDepth = Limit(
        "seal.pattern-depth", 16, .count, metric: "limit_seal_pattern_depth_total",
        "Groups inside each other in a pattern; Apple's have two. It bounds the recursion of the pattern's reader.")
    public static let sealMatchSteps = Limit(
        "seal.match-steps", 2_000_000_000, .count, metric: "limit_seal_match_steps_total",
        "Steps of matching paths to patterns in one check; 200 000 paths take about 100 million. The check ends there.")
    public static let sealProblems = Limit(
        "seal.problems", 1000, .count, metric: "limit_seal_problems_total",
        "Problems told of one bundle; whoever wants more has the wrong bundle. The check ends there.")
    public static let sealLinkParts = Limit(
        "seal.link-parts", 256, .count, metric: "limit_seal_link_parts_total",
        "Parts of paths followed to find out where a symbolic link leads; a link with more counts as a loop.")

    static let bundles: [Limit] = [
        bundleFileBytes, treeDepth, treeEntries, sealedBytes, sealChunk, sealRules, sealPatternBytes,
        sealPatternDepth, sealMatchSteps, sealProblems, sealLinkParts,
    ]
}
