// SPDX-License-Identifier: Apache-2.0

// What can be wrong with a bundle and its resource seal; each detail names the path.

extension CodeProblem.Code {
    /// A folder that is no bundle, or a bundle that two readers could lay out differently.
    public static let bundleLayout = Self("bundle-layout")
    /// Info.plist is missing or not usable; what was wrong with it as a property list stands in the detail.
    public static let bundleInfo = Self("bundle-info")
    /// The main executable that Info.plist names is not a plain file of the bundle.
    public static let bundleExecutable = Self("bundle-executable")
    /// Something stands in the root of the bundle, beside what is sealed.
    public static let bundleUnsealedRoot = Self("bundle-unsealed-root")

    /// `CodeResources` is missing, or no seal.
    public static let sealMalformed = Self("seal-malformed")
    /// A rule of the seal whose pattern or value is not understood: what it would seal is not known.
    public static let sealRule = Self("seal-rule")
    /// The rules leave out what Apple's strict check wants sealed.
    public static let sealWeakRules = Self("seal-weak-rules")
    /// A seal of version 1: SHA-1, and only the resources.
    public static let sealVersion1 = Self("seal-version-1")
    /// A file is there that the seal does not know.
    public static let sealAdded = Self("seal-added")
    /// A sealed file is not there, or left out by the rules.
    public static let sealMissing = Self("seal-missing")
    /// A sealed file has another content, target or type.
    public static let sealAltered = Self("seal-altered")
    /// A symbolic link that leaves the sealed files, leads nowhere, or goes in circles.
    public static let sealLink = Self("seal-link")
    /// Neither file nor folder nor symbolic link, or a name that is not UTF-8.
    public static let sealUnsupported = Self("seal-unsupported")
}
