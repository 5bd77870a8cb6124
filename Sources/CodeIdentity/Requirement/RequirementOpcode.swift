// SPDX-License-Identifier: Apache-2.0

// The numbers of the binary form (Apple's `requirement.h`).

/// What an expression begins with in a blob: the low 24 bits of its first word.
enum RequirementOpcode: UInt32 {
    case never = 0
    case always = 1
    case identifier = 2
    case appleAnchor = 3
    case certificateHash = 4
    case legacyInfoValue = 5
    case and = 6
    case or = 7
    case cdhash = 8
    case not = 9
    case info = 10
    case certificateField = 11
    case certificateTrusted = 12
    case anchorTrusted = 13
    case certificateExtension = 14
    case appleGenericAnchor = 15
    case entitlement = 16
    case certificatePolicy = 17
    case namedAnchor = 18
    case namedCode = 19
    case platform = 20
    case notarized = 21
    case certificateTimestamp = 22
    case legacyDeveloperID = 23

    /// The bits that say what to do with an opcode that is not known; they mean nothing on one that is.
    static let flags: UInt32 = 0xFF00_0000
    /// An unknown opcode with a length may be taken as false.
    static let genericFalse: UInt32 = 0x8000_0000
    /// An unknown opcode with a length may be skipped: the next expression stands in its place.
    static let genericSkip: UInt32 = 0x4000_0000
}

/// What a match begins with in a blob.
enum RequirementMatchCode: UInt32 {
    case exists = 0
    case equal = 1
    case contains = 2
    case beginsWith = 3
    case endsWith = 4
    case less = 5
    case greater = 6
    case lessOrEqual = 7
    case greaterOrEqual = 8
    case on = 9
    case before = 10
    case after = 11
    case onOrBefore = 12
    case onOrAfter = 13
    case absent = 14
}

/// The first word of a blob.
enum RequirementMagic {
    static let requirement: UInt32 = 0xFADE_0C00
    static let set: UInt32 = 0xFADE_0C01
    /// The requirements on the libraries of a program (`LC_DYLIB_CODE_SIGN_DRS`): a set by another name.
    static let librarySet: UInt32 = 0xFADE_0C05
}
