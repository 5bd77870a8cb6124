// SPDX-License-Identifier: Apache-2.0

// The key of finding digests: made once for an installation, so that equal values can be counted across runs.

import ContentInspection
import Foundation

enum FindingKeyFile {
    /// Loads `finding.key` of the state directory, making it on first use with mode 0600.
    static func load(in directory: String) throws -> FindingKey {
        let data = try StateDirectory.file("finding.key", in: directory) {
            (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        }
        guard data.count == 32 else {
            throw Problem.refused("\(directory)/finding.key: not a key of 32 bytes; remove it and a new one is made")
        }
        return FindingKey(bytes: Array(data))
    }
}
