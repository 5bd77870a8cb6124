// SPDX-License-Identifier: Apache-2.0

// What stops a verb: one clear line and an exit status.

internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An error that is told to the user as it is.
package struct Problem: Error {
    /// What, where and what to do.
    package let text: String
    package let status: Int32

    /// Something the user can mend: a bad file, a port in use.
    package static func refused(_ text: String) -> Problem { Problem(text: text, status: 1) }
    /// A command line that cannot be.
    package static func usage(_ text: String) -> Problem { Problem(text: text, status: 2) }
    /// Our own fault.
    package static func internalError(_ text: String) -> Problem { Problem(text: text, status: 70) }
}

/// So that a system that is handed the error shows its text.
extension Problem: LocalizedError {
    package var errorDescription: String? { text }
}

/// Whole lines to a descriptor, without Swift's buffered printing in between.
package enum FileDescriptorText {
    package static func standardError(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
