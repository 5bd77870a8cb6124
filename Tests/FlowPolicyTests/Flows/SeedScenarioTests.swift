// SPDX-License-Identifier: Apache-2.0

// The questions that Weir began with.

import FlowPolicy
import Testing

@Suite struct SeedScenarioTests {
    @Test("The seed scenarios are decided as they should be, and reach every rule and every cause")
    func seed() throws {
        let test = try Described.test(
            try #require(PolicyVector.text("examples/policies/seed-scenarios.yaml")), "seed-scenarios.yaml")
        #expect(test.policy == "seed-policy.yaml")
        // With the catalogues that ship: they know what a proved program is.
        let policy = try Policy.read(
            yaml: try #require(PolicyVector.text("examples/policies/seed-policy.yaml")), file: "seed-policy.yaml",
            PolicyEnvironment(detectors: Sample.detectors))
        let report = test.run(policy)
        #expect(report.passed, "\(report.text)")
        #expect(report.flows >= 25)
        #expect(report.coverage.parts.filter { $0.kind != .exclusion && $0.flows == 0 } == [])
    }
}
