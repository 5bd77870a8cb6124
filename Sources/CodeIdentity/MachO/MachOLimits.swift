// SPDX-License-Identifier: Apache-2.0

// What bounds the reading of Mach-O files.

public import FlowModel

extension CodeIdentityLimits {
    public static let slices = Limit(
        "macho.slices", 20, .count, metric: "limit_macho_slices_total",
        "Slices of a universal file; five are the most that were ever shipped, and a Java class counts from 45.")
    public static let loadCommandBytes = Limit(
        "macho.load-commands", 1024 * 1024, .bytes, metric: "limit_macho_load_commands_total",
        "Load commands of a slice; the largest programs have some tens of KiB. Beyond it the file is refused.")
    public static let sliceGap = Limit(
        "macho.slice-gap", 1024 * 1024, .bytes, metric: "limit_macho_slice_gap_total",
        "Padding between slices that is looked at; linkers align to 16 KiB. A larger gap is a problem by itself.")
    public static let embeddedInfoBytes = Limit(
        "macho.info-plist", 1024 * 1024, .bytes, metric: "limit_macho_info_plist_total",
        "An Info.plist inside a program; real ones have a few KiB. A larger one is not read.")
    public static let buildVersions = Limit(
        "macho.build-versions", 8, .count, metric: "limit_macho_build_versions_total",
        "Platforms that one slice names; two occur. Further ones are left out.")
    public static let sliceProblems = Limit(
        "macho.problems", 64, .count, metric: "limit_macho_problems_total",
        "Problems that are listed for one slice; the first already makes it suspicious. Further ones are left out.")

    static let machO: [Limit] = [slices, loadCommandBytes, sliceGap, embeddedInfoBytes, buildVersions, sliceProblems]
}
