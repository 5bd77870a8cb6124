// SPDX-License-Identifier: Apache-2.0

// What can be wrong with a Mach-O file.

extension CodeProblem.Code {
    // Thrown: there is nothing to go on with.

    /// The file is something else; the usual answer when a whole tree is walked.
    public static let notMachO = Self("not-mach-o")
    /// A universal file stands where a slice should: nothing loads it, and it hides code.
    public static let nestedUniversal = Self("nested-universal")
    /// A part of a universal file is no Mach-O: a static library, or nonsense.
    public static let sliceNotMachO = Self("slice-not-mach-o")
    /// A universal file without slices.
    public static let universalEmpty = Self("universal-empty")
    /// A load command is too short, not aligned or runs out of its area.
    public static let loadCommandInvalid = Self("load-command-invalid")

    // Collected: the file can be read, and must not be trusted.

    /// A slice stands one past the count, where Apple's tools look and others do not.
    public static let hiddenSlice = Self("hidden-slice")
    /// Two slices, or a slice and the header, share bytes.
    public static let sliceOverlap = Self("slice-overlap")
    /// The space before a slice is larger than its alignment explains, or than we look at.
    public static let sliceGap = Self("slice-gap")
    /// The space before a slice holds something.
    public static let sliceGapNotZero = Self("slice-gap-not-zero")
    /// Bytes follow the last slice.
    public static let trailingBytes = Self("trailing-bytes")
    /// Two slices are for the same processor.
    public static let duplicateArchitecture = Self("duplicate-architecture")
    /// The universal header names another processor than the slice: the trick of 2018.
    public static let architectureMismatch = Self("architecture-mismatch")
    /// Count and size of the load commands disagree, so that readers see different commands.
    public static let loadCommandCount = Self("load-command-count")
    /// A load command, segment or section that must be the only one stands there twice.
    public static let duplicateLoadCommand = Self("duplicate-load-command")
    /// The last segment does not end where the slice ends.
    public static let imageEnd = Self("image-end")
    /// The signature lies before the end of what it should cover.
    public static let signaturePlace = Self("signature-place")
    /// A range that a load command names does not lie inside the slice.
    public static let rangeOutside = Self("range-outside")
}
