// SPDX-License-Identifier: Apache-2.0

// The system call behind rung one; everything that thinks about its answers is in `KernelCodeSigning.swift`.

#if canImport(Darwin)
import Darwin

extension KernelCodeSigning {
    /// Finds `csops_audittoken` and `csops`; nil on a system without them.
    ///
    /// The functions are exported by the system library and declared in xnu's `bsd/sys/codesign.h`, which the SDK does
    /// not carry. They are looked up once, here, rather than declared with a linker name: a Swift declaration would have
    /// Swift's calling convention, and a system without the symbol would not start the program.
    public init?() {
        typealias ByToken =
            @convention(c) @Sendable (Int32, UInt32, UnsafeMutableRawPointer?, Int, UnsafeMutableRawPointer?) -> Int32
        typealias ByNumber = @convention(c) @Sendable (Int32, UInt32, UnsafeMutableRawPointer?, Int) -> Int32

        let everywhere = UnsafeMutableRawPointer(bitPattern: -2)  // RTLD_DEFAULT, a cast that Swift does not import
        guard let tokenSymbol = dlsym(everywhere, "csops_audittoken"), let numberSymbol = dlsym(everywhere, "csops")
        else { return nil }
        let byToken = unsafeBitCast(tokenSymbol, to: ByToken.self)
        let byNumber = unsafeBitCast(numberSymbol, to: ByNumber.self)

        self.init { pid, token, operation, answer in
            guard let token else {
                return byNumber(pid, operation.rawValue, answer.baseAddress, answer.count) == 0 ? 0 : errno
            }
            var fields = token.fields  // 32 bytes, the layout of audit_token_t
            return withUnsafeMutableBytes(of: &fields) { bytes in
                byToken(pid, operation.rawValue, answer.baseAddress, answer.count, bytes.baseAddress) == 0 ? 0 : errno
            }
        }
    }
}
#endif
