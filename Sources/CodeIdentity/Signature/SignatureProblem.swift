// SPDX-License-Identifier: Apache-2.0

// What can be wrong with the structure of a code signature.

extension CodeProblem.Code {
    // Thrown: there is nothing to go on with.

    /// The index of a signature, or one of its blobs, is not as it must be.
    public static let superBlobInvalid = Self("superblob-invalid")
    /// There is no code directory.
    public static let codeDirectoryMissing = Self("code-directory-missing")
    /// A code directory contradicts itself.
    public static let codeDirectoryInvalid = Self("code-directory-invalid")
    /// A code directory of a version, hash or layout that neither Apple's current systems nor Weir accept.
    public static let codeDirectoryUnsupported = Self("code-directory-unsupported")
    /// The signature covers less than all that precedes it.
    public static let unsignedBytes = Self("unsigned-bytes")

    // Collected: the signature can be read, and must not be trusted.

    /// Two entries of the index have the same type; readers differ in which they take.
    public static let duplicateSlot = Self("duplicate-slot")
    /// Two blobs share bytes.
    public static let blobOverlap = Self("blob-overlap")
    /// The blob in a slot is not of the slot's kind.
    public static let slotMagic = Self("slot-magic")
    /// Alternate directories are not numbered without a gap: user space and kernel see different ones.
    public static let alternateGap = Self("alternate-gap")
    /// Two directories use the same hash; the kernel refuses that.
    public static let duplicateHashType = Self("duplicate-hash-type")
    /// Two directories name different code.
    public static let directoriesDisagree = Self("directories-disagree")
    /// A directory claims more than precedes the signature.
    public static let codeLimit = Self("code-limit")
    /// A page size that the kernel does not accept for programs.
    public static let pageSize = Self("page-size")
    /// A component stands in the signature and no hash seals it.
    public static let unsealedComponent = Self("unsealed-component")
    /// The ad-hoc flag is set, which skips the check of the CMS signature that is there.
    public static let adhocWithCMS = Self("adhoc-with-cms")
    /// Neither a CMS signature nor the ad-hoc flag: nobody signed.
    public static let nobodySigned = Self("nobody-signed")
}
