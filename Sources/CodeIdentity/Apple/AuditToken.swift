// SPDX-License-Identifier: Apache-2.0

// How macOS names a running program so that a reused process number is noticed.

/// The audit token of one process image.
///
/// `exec` and the reuse of a process number both change `processVersion`, so a token never names two programs. It is
/// the only name of a process that identity may be asked by. The layout is `proc_calc_audit_token` in xnu's
/// `bsd/kern/kern_prot.c`; the eight fields are in the byte order of the machine.
public struct AuditToken: Hashable, Sendable, CustomStringConvertible {
    /// The length of `audit_token_t`.
    public static let size = 32

    /// The eight fields of `audit_token_t.val`.
    public let fields: SIMD8<UInt32>

    public init(fields: SIMD8<UInt32>) { self.fields = fields }

    /// Copies the bytes of `NEFlowMetaData.sourceAppAuditToken`; nil unless there are exactly 32.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        var fields = SIMD8<UInt32>()
        withUnsafeMutableBytes(of: &fields) { $0.copyBytes(from: bytes) }
        self.fields = fields
    }

    /// The 32 bytes as the system gives and takes them.
    public var bytes: [UInt8] { withUnsafeBytes(of: fields) { Array($0) } }

    /// The user who logged in; does not change with `su`.
    public var auditUser: UInt32 { fields[0] }
    public var effectiveUser: UInt32 { fields[1] }
    public var effectiveGroup: UInt32 { fields[2] }
    public var realUser: UInt32 { fields[3] }
    public var realGroup: UInt32 { fields[4] }
    /// 0 is the kernel.
    public var processID: Int32 { Int32(bitPattern: fields[5]) }
    public var auditSession: UInt32 { fields[6] }
    /// Another number for each image that a process number ever ran.
    public var processVersion: UInt32 { fields[7] }

    public var description: String { "pid \(processID) version \(processVersion)" }
}
