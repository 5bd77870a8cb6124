// SPDX-License-Identifier: Apache-2.0

// A system call that failed.

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// What the kernel refused, and why.
public struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, for example `original destination of a connection`.
    public let operation: String
    /// The errno value.
    public let code: Int32

    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(operation): \(KernelError.text(code))" }

    /// The system's words for an errno value.
    static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
