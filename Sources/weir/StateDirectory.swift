// SPDX-License-Identifier: Apache-2.0

// Where Weir keeps what it must remember.

import Foundation

/// The state directory of this user.
enum StateDirectory {
    /// The directory named by `--state`, or the default.
    ///
    /// The default of root is `/var/lib/weir` whatever the environment says: sudo may hand over the variables of a
    /// user, and root's files do not belong into a user's home.
    static func resolve(
        _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
        isRoot: Bool = geteuid() == 0
    ) -> String {
        if let option { return option }
        if isRoot { return "/var/lib/weir" }
        // The XDG Base Directory Specification says to ignore a relative path.
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/weir" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/state/weir"
    }

    /// Makes the directory, and those above it that are missing, for this user alone (mode 0700).
    static func create(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
