// SPDX-License-Identifier: Apache-2.0

// Documents that the program itself can print must say what it says.

import Foundation
import TestKit
import Testing

extension Interop {
    @Suite struct Documents {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()

        @Test("docs/limits.md holds the table that `weir limits` prints")
        func limits() throws {
            let document = try String(contentsOf: Self.root.appending(path: "docs/limits.md"), encoding: .utf8)
            let printed = try WeirProgram.run(["limits"])
            #expect(printed.status == 0)
            #expect(document.hasSuffix(printed.text), "run `weir limits` and put its table into docs/limits.md")
        }
    }
}
