// SPDX-License-Identifier: Apache-2.0

// The bounds of a document and of the files it names.

public import FlowModel

extension PolicyLimits {
    public static let nesting = Limit(
        "policy.nesting", 64, .count, metric: "policy_nesting_too_deep_total",
        "room for conditions nested as deep as they may be; a document nested deeper is refused")
    public static let files = Limit(
        "policy.files", 64, .count, metric: "policy_too_many_files_total",
        "more files than this nobody keeps in his head; the next one is refused")
    public static let chain = Limit(
        "policy.chain", 8, .count, metric: "policy_chain_too_long_total",
        "overlays on overlays and includes of includes; a longer chain is refused")
    public static let totalBytes = Limit(
        "policy.total", 32 << 20, .bytes, metric: "policy_files_too_large_total",
        "four lists of the largest size; what goes beyond it is refused unread")
    public static let listBytes = Limit(
        "policy.list", 8 << 20, .bytes, metric: "policy_list_too_large_total",
        "200,000 hosts of forty bytes; a larger file is refused unread")
    public static let listEntries = Limit(
        "policy.list-entries", 200_000, .count, metric: "policy_list_too_long_total",
        "twice what admission is measured with; a longer list is refused")
    public static let destinations = Limit(
        "policy.destinations", 1_000_000, .count, metric: "policy_too_many_destinations_total",
        "what all rules together may ask for, each list once but for its networks: some 200 MB; more is refused")
    public static let requirements = Limit(
        "policy.requirements", 2_000, .count, metric: "policy_too_many_requirements_total",
        "each is asked of each program once; a policy with more is refused")
    public static let changes = Limit(
        "policy.changes", 1_000, .count, metric: "policy_too_many_changes_total",
        "an overlay that changes more is a policy of its own; one with more is refused")

    static let document = [
        nesting, files, chain, totalBytes, listBytes, listEntries, destinations, requirements, changes,
    ]
}
