// SPDX-License-Identifier: Apache-2.0

// The secret keys of an installation: made once, so that equal values and users can be counted across runs.

import ContentInspection
import EventStore
import Foundation

enum InstallationKeyFile {
    /// The key of finding digests, in `finding.key`.
    static func findings(in directory: String) throws -> FindingKey {
        FindingKey(bytes: try load("finding.key", in: directory))
    }

    /// The key of users' pseudonyms, in `user.key`; without it no pseudonym can be traced to its user.
    static func users(in directory: String) throws -> UserPseudonym {
        UserPseudonym(key: try load("user.key", in: directory))
    }

    /// Loads a key of the state directory, making it on first use with mode 0600.
    private static func load(_ name: String, in directory: String) throws -> [UInt8] {
        let path = "\(directory)/\(name)"
        if !FileManager.default.fileExists(atPath: path) {
            let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
            // Another process may do the same at once: the first link wins, and both read what it made.
            let draft = path + ".\(getpid())"
            guard
                FileManager.default.createFile(
                    atPath: draft, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
            else { throw Problem.refused("\(draft): cannot be written; check the state directory's permissions") }
            link(draft, path)
            unlink(draft)
        }
        guard let data = FileManager.default.contents(atPath: path), data.count == 32 else {
            throw Problem.refused("\(path): not a key of 32 bytes; remove it and a new one is made")
        }
        return Array(data)
    }
}
