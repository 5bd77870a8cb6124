// SPDX-License-Identifier: Apache-2.0

// Plans and detector names.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Plans")
struct InspectionPlanTests {
    @Test("Patterns name detectors by id, by family, or all")
    func patterns() {
        #expect(Detectors.matching("iban") == ["iban"])
        #expect(Detectors.matching("finance/*") == ["payment-card", "iban"])
        #expect(Detectors.matching("secret/*") == ["private-key", "github-token"])
        #expect(Detectors.matching("*").count == 5)
        #expect(Detectors.matching("secret") == [])
    }

    @Test("An unknown detector is an error that names the known ones")
    func unknown() {
        let error = #expect(throws: PlanError.self) {
            try InspectionPlan(actions: ["iban": .report, "credit-card": .report], key: Plans.key)
        }
        #expect(error == .unknownDetector("credit-card"))
        #expect(error?.description.contains("payment-card") == true)
    }

    @Test("A plan knows whether it may edit")
    func mayEdit() throws {
        #expect(try InspectionPlan(actions: [:], key: Plans.key).isEmpty)
        #expect(try !Plans.all(.report).mayEdit)
        #expect(try Plans.only("email", .block).mayEdit)
        #expect(try !Plans.only("email", .report).isEmpty)
    }

    @Test("An empty plan lets everything pass unseen")
    func empty() throws {
        let outcome = inspect("4111111111111111", try InspectionPlan(actions: [:], key: Plans.key))
        #expect(outcome.text == "4111111111111111")
        #expect(outcome.findings.isEmpty)
    }
}
