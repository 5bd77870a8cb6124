// SPDX-License-Identifier: Apache-2.0

// "Did you mean".

import Testing

@testable import FlowPolicy

@Suite("Near misses")
struct NearMissTests {
    @Test(
        "The nearest word is offered, and none when all are far",
        arguments: [
            ("bypas", "bypass"), ("bypsas", "bypass"), ("Relay", "relay"), ("on-failure", "on_failure"),
            ("inspekt", "inspect"), ("xyz", nil), ("", nil), ("deny", nil), (String(repeating: "a", count: 5_000), nil),
        ] as [(String, String?)])
    func hint(typed: String, meant: String?) {
        let hint = NearMiss.hint(typed, among: ["bypass", "relay", "inspect", "block", "on_failure"])
        #expect(hint == (meant.map { " Did you mean `\($0)`?" } ?? ""))
    }
}
