// SPDX-License-Identifier: Apache-2.0

// A file of the system that runs the tests.

import Foundation

enum SmallFixture {
    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}
