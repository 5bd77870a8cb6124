// SPDX-License-Identifier: Apache-2.0

// How large a requirement may be, as text and as a blob.

public import FlowModel

extension CodeIdentityLimits {
    public static let requirementText = Limit(
        "requirement.text", 1024 * 1024, .bytes, metric: "limit_requirement_text_total",
        "Room for the text of any blob within `requirement.blob`; a longer text is refused.")
    public static let requirementBlob = Limit(
        "requirement.blob", 256 * 1024, .bytes, metric: "limit_requirement_blob_total",
        "Real requirements have hundreds of bytes and real sets a few thousand; a larger one is refused.")
    public static let requirementDepth = Limit(
        "requirement.depth", 999, .count, metric: "limit_requirement_depth_total",
        "Apple's evaluator fails at the thousandth level, so a deeper tree could never be true; a chain of n terms has n."
    )
    public static let requirementSetEntries = Limit(
        "requirement.set-entries", 64, .count, metric: "limit_requirement_set_entries_total",
        "Apple names five kinds; a set with more entries than this is refused.")

    /// The limits of requirement texts and blobs.
    public static let weaknessWays = Limit(
        "requirement.ways", 256, .count, metric: "limit_requirement_ways_total",
        "Ways to meet a requirement that are looked at for weaknesses; beyond it the requirement is called too wide.")
    public static let weaknessDepth = Limit(
        "requirement.ways-depth", 256, .count, metric: "limit_requirement_ways_depth_total",
        "Levels of a requirement that are looked at for weaknesses; beyond it the requirement is called too wide.")

    static let requirement: [Limit] = [
        requirementText, requirementBlob, requirementDepth, requirementSetEntries, weaknessWays, weaknessDepth,
    ]
}
