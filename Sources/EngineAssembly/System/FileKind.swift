// SPDX-License-Identifier: Apache-2.0

// What a descriptor is.

// Whichever module brings `stat` first owns it in the compiler's eyes, and that need not be the C library.
internal import CoreFoundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a file is.
package enum FileKind {
    case regular, folder, other

    /// The file behind a descriptor; nil when there is none.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status.st_mode)
    }

    private init(_ mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .folder
        default: self = .other
        }
    }
}
