// SPDX-License-Identifier: Apache-2.0

// The requirement language as a tree: what the text means and what the blob holds.

/// A code signing requirement as a tree.
///
/// Byte strings are as written: they need not be UTF-8. The first group is Apple's (opcodes of `requirement.h`), the
/// second is Linux's and has no binary form.
public indirect enum RequirementExpression: Hashable, Sendable {
    case never
    case always
    case identifier([UInt8])
    case appleAnchor
    case appleGenericAnchor
    /// SHA-1 of the certificate at the slot; 20 bytes in text, any length in a blob (evaluating another length fails).
    case certificateHash(slot: Int32, [UInt8])
    /// Opcode 5, which no compiler writes.
    case legacyInfoValue(key: [UInt8], value: [UInt8])
    case and(RequirementExpression, RequirementExpression)
    case or(RequirementExpression, RequirementExpression)
    case not(RequirementExpression)
    case cdhash([UInt8])
    case info(key: [UInt8], RequirementMatch)
    case entitlement(key: [UInt8], RequirementMatch)
    /// The name is the whole key, for example `subject.OU`.
    case certificateField(slot: Int32, name: [UInt8], RequirementMatch)
    /// The object identifier is DER content octets.
    case certificateExtension(slot: Int32, oid: [UInt8], RequirementMatch)
    case certificatePolicy(slot: Int32, oid: [UInt8], RequirementMatch)
    case certificateTimestamp(slot: Int32, oid: [UInt8], RequirementMatch)
    case certificateTrusted(slot: Int32)
    case anchorTrusted
    case namedAnchor([UInt8])
    case namedCode([UInt8])
    case platform(Int32)
    case notarized
    case legacyDeveloperID
    /// An opcode that Weir does not know and that may be taken as false; with its flag bits.
    case unknown(opcode: UInt32, operand: [UInt8])
    /// An opcode that Weir does not know and that may be skipped, the next expression standing in its place.
    case skipped(opcode: UInt32, operand: [UInt8], RequirementExpression)

    /// `anchor os`: an unmodified program of the distribution, see `LinuxIdentity`.
    case osAnchor
    case package([UInt8])
    case unit([UInt8])
    /// The executable's path; the match is `equal` or `beginsWith`.
    case path(RequirementMatch)
    /// SHA-256 of the executable, 32 bytes.
    case digest([UInt8])
    case interpreter
    /// The effective user.
    case user(UInt32)
}

/// What is asked of a value.
public enum RequirementMatch: Hashable, Sendable {
    case exists
    case absent
    case equal([UInt8])
    case contains([UInt8])
    case beginsWith([UInt8])
    case endsWith([UInt8])
    case less([UInt8])
    case greater([UInt8])
    case lessOrEqual([UInt8])
    case greaterOrEqual([UInt8])
    /// Whole seconds since 2001-01-01 00:00:00 UTC.
    case on(Int64)
    case before(Int64)
    case after(Int64)
    case onOrBefore(Int64)
    case onOrAfter(Int64)
    /// A code that Weir does not know; one data item follows it, and it matches nothing.
    case unknown(code: UInt32, operand: [UInt8])
}

/// The kinds of requirement in a set; the raw value is the index type (`requirement.h`).
public enum RequirementKind: UInt32, Sendable, Hashable, CaseIterable {
    case host = 1
    case guest = 2
    case designated = 3
    case library = 4
    case plugin = 5
}
