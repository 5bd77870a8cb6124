// SPDX-License-Identifier: Apache-2.0

// The secret keys of an installation: made once, so that equal values and users can be counted across runs.

package import ContentInspection
package import EventStore
internal import Foundation

package enum InstallationKeyFile {
    /// The key of finding digests, in `finding.key`.
    package static func findings(in directory: String) throws -> FindingKey {
        FindingKey(bytes: try load("finding.key", in: directory))
    }

    /// The key of users' pseudonyms, in `user.key`; without it no pseudonym can be traced to its user.
    package static func users(in directory: String) throws -> UserPseudonym {
        UserPseudonym(key: try load("user.key", in: directory))
    }

    private static func load(_ name: String, in directory: String) throws -> [UInt8] {
        let data = try StateDirectory.file(name, in: directory) {
            (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        }
        guard data.count == 32 else {
            throw Problem.refused("\(directory)/\(name): not a key of 32 bytes; remove it and a new one is made")
        }
        return Array(data)
    }
}
