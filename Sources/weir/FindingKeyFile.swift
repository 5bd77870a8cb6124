// SPDX-License-Identifier: Apache-2.0

// The key of finding digests: made once for an installation, so that equal values can be counted across runs.

import ContentInspection
import Foundation

enum FindingKeyFile {
    /// Loads `finding.key` of the state directory, making it on first use with mode 0600.
    static func load(in directory: String) throws -> FindingKey {
        let path = directory + "/finding.key"
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
        return FindingKey(bytes: Array(data))
    }
}
