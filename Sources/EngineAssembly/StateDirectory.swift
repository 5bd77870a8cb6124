// SPDX-License-Identifier: Apache-2.0

// Where Weir keeps what it must remember.

package import Foundation

/// The state directory of this user.
package enum StateDirectory {
    /// Where the state of a whole machine is: root's, and the extension's on a Mac.
    package static let machine: String = {
        #if os(macOS)
        "/Library/Application Support/Weir"
        #else
        "/var/lib/weir"
        #endif
    }()

    /// The directory named by `--state`, or the default.
    ///
    /// The default of root is the machine's whatever the environment says: sudo may hand over the variables of a
    /// user, and root's files do not belong into a user's home.
    package static func resolve(
        _ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
        isRoot: Bool = geteuid() == 0
    ) -> String {
        if let option { return option }
        if isRoot { return machine }
        // The XDG Base Directory Specification says to ignore a relative path.
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/weir" }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/state/weir"
    }

    /// Makes the directory, and those above it that are missing, for this user alone (mode 0700).
    package static func create(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// A file that is made once for an installation, on first use, readable by this user alone (mode 0600).
    package static func file(_ name: String, in directory: String, makingOnce content: () -> [UInt8]) throws -> Data {
        let path = "\(directory)/\(name)"
        if !FileManager.default.fileExists(atPath: path) {
            // Another process may do the same at once: the first link wins, and both read what it made.
            let draft = path + ".\(getpid())"
            guard
                FileManager.default.createFile(
                    atPath: draft, contents: Data(content()), attributes: [.posixPermissions: 0o600])
            else { throw Problem.refused("\(draft): cannot be written; check the state directory's permissions") }
            link(draft, path)
            unlink(draft)
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Problem.refused("\(path): cannot be read; check the state directory's permissions")
        }
        return data
    }
}
