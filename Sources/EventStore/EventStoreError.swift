// SPDX-License-Identifier: Apache-2.0

// What can go wrong with the event store, said to a person.

internal import GRDB

/// Why the event store cannot be opened, read or written.
///
/// `code` is stable and decides equality; `description` says what, where and what to do, and holds no stored value.
public struct EventStoreError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// There is no store yet.
        case missing
        /// The file or its directory may not be read or written.
        case denied
        /// A later version of Weir made the file.
        case newer
        /// The file is not an event store, or is broken.
        case damaged
        /// A row holds what this version of Weir does not know.
        case unreadable
        /// Another program holds the file locked.
        case busy
        /// The disk is full.
        case full
        /// Any other failure of the file system or of SQLite.
        case unavailable
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    public static func == (a: EventStoreError, b: EventStoreError) -> Bool { a.code == b.code }

    /// Whether only a person can mend it; everything else may pass by itself.
    var needsPerson: Bool { code == .newer || code == .damaged }

    /// Translates what SQLite says of the file at `path`.
    init(_ error: any Error, at path: String) {
        if let known = error as? EventStoreError {
            self = known
            return
        }
        guard let sqlite = error as? DatabaseError else {
            self.init(.unavailable, "\(path) cannot be used: \(error)")
            return
        }
        // The description of a DatabaseError may quote a statement with its values, so only code and message are taken.
        let words = "\(sqlite.message ?? "no details") (SQLite \(sqlite.extendedResultCode.rawValue))"
        switch sqlite.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.busy, "\(path) is locked by another program: end it if this does not pass")
        case .SQLITE_FULL:
            self.init(.full, "no space is left for \(path): free some, or keep fewer events")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(.denied, "\(path) may not be written: check who owns it and whether its disk is read-only")
        case .SQLITE_CANTOPEN:
            self.init(.denied, "\(path) cannot be opened: check that its directory exists and may be written")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.damaged, "\(path) is not a sound event store, \(words): move it away, and a new one is made")
        default:
            self.init(.unavailable, "\(path) cannot be used: \(words)")
        }
    }
}
