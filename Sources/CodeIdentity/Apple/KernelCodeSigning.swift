// SPDX-License-Identifier: Apache-2.0

// The kernel's answers, asked one by one and read with care; the system call itself comes from outside.

import FlowModel

/// The operations of `csops` that are asked (`bsd/sys/codesign.h`); none needs root.
enum CodeSigningOperation: UInt32, Sendable {
    case status = 0
    case cdhash = 5
    case identity = 11
    case team = 14
}

/// Rung one by means of `csops_audittoken`.
public struct KernelCodeSigning: CodeSigningKernel {
    /// Makes the call and gives 0 or `errno`.
    ///
    /// Without a token the number alone is asked, which only tells whether anybody has it.
    typealias Call =
        @Sendable (
            _ pid: Int32, _ token: AuditToken?, _ operation: CodeSigningOperation,
            _ answer: UnsafeMutableRawBufferPointer
        ) -> Int32

    /// `errno` of xnu's `bsd/sys/errno.h`, written out because other systems number them otherwise.
    enum Errno {
        static let noEntry: Int32 = 2
        static let noSuchProcess: Int32 = 3
        static let invalid: Int32 = 22
        static let range: Int32 = 34
        static let noSystemCall: Int32 = 78
        static let badExecutable: Int32 = 85
    }

    private let call: Call

    init(call: @escaping Call) { self.call = call }

    public func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
        // 0 would mean the caller to the kernel.
        guard token.processID > 0 else { return .failure(.noToken) }
        do throws(KernelStatusError) {
            var status = KernelStatus(bits: KernelCodeStatus(rawValue: try bits(of: token)))
            // Each call compares the process version again, so all four answers are of one image.
            status.cdhash = try cdhash(of: token)
            status.claimedIdentifier = try text(.identity, of: token, most: CodeIdentityLimits.kernelIdentifier.value)
            status.claimedTeam = try text(.team, of: token, most: CodeIdentityLimits.kernelTeam.value)
            return .success(status)
        } catch {
            return .failure(error)
        }
    }

    private func bits(of token: AuditToken) throws(KernelStatusError) -> UInt32 {
        var bits: UInt32 = 0
        let failure = withUnsafeMutableBytes(of: &bits) { call(token.processID, token, .status, $0) }
        guard failure == 0 else { throw refusal(failure, token) }
        return bits
    }

    private func cdhash(of token: AuditToken) throws(KernelStatusError) -> CDHash? {
        // The kernel wants exactly this size.
        var bytes = [UInt8](repeating: 0, count: 20)
        let failure = bytes.withUnsafeMutableBytes { call(token.processID, token, .cdhash, $0) }
        switch failure {
        case 0: return CDHash(bytes)
        case Errno.badExecutable, Errno.invalid: return nil  // no code directory
        default: throw refusal(failure, token)
        }
    }

    private func text(
        _ operation: CodeSigningOperation, of token: AuditToken, most: Int
    ) throws(KernelStatusError) -> String? {
        var bytes = [UInt8](repeating: 0, count: Self.header + most + 1)
        let failure = bytes.withUnsafeMutableBytes { call(token.processID, token, operation, $0) }
        switch failure {
        case 0: return Self.text(in: bytes)
        // None, no longer valid, no signature, or longer than we read: then it claims nothing.
        case Errno.noEntry, Errno.invalid, Errno.badExecutable, Errno.range: return nil
        default: throw refusal(failure, token)
        }
    }

    /// The kernel says "no such process" for an image that is gone and for a number that is another's now.
    private func refusal(_ failure: Int32, _ token: AuditToken) -> KernelStatusError {
        guard failure == Errno.noSuchProcess else { return .refused(failure) }
        var bits: UInt32 = 0
        let probe = withUnsafeMutableBytes(of: &bits) { call(token.processID, nil, .status, $0) }
        return probe == Errno.noSuchProcess ? .exited : .recycled
    }

    private static let header = 8

    /// Reads four unused bytes, the length of all in network order, and text up to its NUL.
    static func text(in bytes: [UInt8]) -> String? {
        guard bytes.count >= header else { return nil }
        let length = bytes[4..<header].reduce(0) { $0 << 8 | Int($1) }
        guard length > header, length <= bytes.count else { return nil }
        let text = bytes[header..<length].prefix { $0 != 0 }
        return text.isEmpty ? nil : String(validating: text, as: UTF8.self)
    }
}
