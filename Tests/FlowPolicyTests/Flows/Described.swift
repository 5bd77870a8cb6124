// SPDX-License-Identifier: Apache-2.0

// Descriptions of flows and tests of policies for the tests of this folder.

import FlowModel
import FlowPolicy
import Testing

enum Described {
    static let context = FlowDescription.Context(now: 1_000, utcOffset: 3_600) { $0 == "alice" ? 1001 : nil }

    static func test(_ yaml: String, _ file: String = "test.yaml") throws -> PolicyTest {
        try PolicyTest.read(yaml: yaml, file: file, context)
    }

    static func flows(_ text: String) throws -> [FlowDescription] {
        try FlowDescription.read(text, file: "flows.yaml", context)
    }

    static func flow(_ text: String) throws -> FlowDescription {
        let flows = try flows(text)
        try #require(flows.count == 1)
        return flows[0]
    }

    /// A flow whose program is described by the text of an `identity`.
    static func program(_ identity: String) throws -> FlowDescription {
        try flow("{to: \"a.example:443\", identity: \(identity)}")
    }

    /// The problems of a text that must have some.
    static func problems(_ text: String) -> [PolicyProblem] {
        do throws(PolicyProblems) {
            _ = try FlowDescription.read(text, file: "flows.yaml", context)
            return []
        } catch {
            return error.problems
        }
    }
}
