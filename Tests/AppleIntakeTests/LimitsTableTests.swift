// SPDX-License-Identifier: Apache-2.0

// The table of limits of the room in docs/macos-limits.md.

import FlowModel
import Foundation
import Testing

@testable import AppleIntake

@Suite struct LimitsTableTests {
    @Test func `The table of limits in the documents is that of the code`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/macos-limits.md"), encoding: .utf8)
        let table = AppleIntakeLimits.all.map {
            "| `\($0.name)` | \($0.value) | \($0.unit.rawValue) | \($0.reason) | `\($0.metric)` |"
        }
        let rows = document.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") }
        #expect(rows == table, "the table should be:\n\(table.joined(separator: "\n"))")
    }

    @Test func `No two limits have one name`() {
        let names = AppleIntakeLimits.all.map { "\($0.name)" }
        #expect(Set(names).count == names.count)
    }
}
