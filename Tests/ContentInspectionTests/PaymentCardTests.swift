// SPDX-License-Identifier: Apache-2.0

// Payment cards: what is one, how sure, and how it is masked.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Payment cards")
struct PaymentCardTests {
    private func confidence(_ text: String) throws -> Confidence? {
        inspect(text, try Plans.only("payment-card", .report)).findings.first?.confidence
    }

    @Test(
        "Published numbers are proved and wrong check digits are nothing",
        arguments: try Vectors.examples("credit_card"))
    func examples(_ example: Vectors.Example) throws {
        #expect(try confidence("<\(example.text)>") == (example.isValid ? .proved : nil))
    }

    @Test(
        "Numbers are found as people write them",
        arguments: [
            "4111 1111 1111 1111", "4111-1111-1111-1111", "4111+1111+1111+1111", "4111%201111%201111%201111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111", "3782 822463 10005", "12 4111 1111 1111 1111", "No.4111111111111111",
            "4111 1111 1111 1111 123", "4111111111111111 12/27", "(4111111111111111)", "号4111111111111111号",
            "4111111111111111.",
            "\\n4111111111111111\\n", "%204111111111111111%20", "%3A4111111111111111", "a=4111111111111111&",
        ])
    func writings(_ text: String) throws {
        #expect(try confidence(text) == .proved)
    }

    @Test(
        "What only looks like a number is left alone",
        arguments: [
            "0.4111111111111111", ".4111111111111111", "4111111111111111.5", "a4111111111111111", "4111111111111111a",
            "_4111111111111111", "4111111111111111_", "41111111111111111", "94111111111111111", "4111 1111-1111 1111",
            "4111  1111 1111 1111", "1234-4111-1111-1111-1111", "4111-1111-1111-1111-1234", "b6fe-4111-1111-1111-1111",
            "fa4111111111111111ce",
            "41111111-1111-1111-1111-111111111111", "1000000000000008", "%414111111111111111",
        ])
    func nearMisses(_ text: String) throws {
        #expect(try confidence(text) == nil)
    }

    @Test(
        "What could be an identifier is reported and needs a word beside it to be edited",
        arguments: [
            ("{\"id\":4111111111111111}", Confidence.medium), ("{\"card\":4111111111111111}", .high),
            ("/v1/4111111111111111", .medium), ("/cards/4111111111111111", .high),
            ("{\"pan\":4111111111111111}", .high),
            ("{\"company\":4111111111111111}", .medium), ("order-4111111111111111", .medium),
            ("4000000000000000006", .medium), ("visa 4000000000000000006", .high), ("6222021000000000009", .proved),
            ("5018000000000009", .medium), ("5018 0000 0000 0009", .high), ("4111 1111 1111 1111 1234", .medium),
            ("4111 1111 1111 1111 5B57", .medium), ("4E00 4111 1111 1111 1111", .medium),
            ("visa 4111 1111 1111 1111 exp 12/27", .proved),
        ])
    func identifiers(_ text: String, _ expected: Confidence) throws {
        #expect(try confidence(text) == expected)
    }

    @Test(
        "Masks keep length, separators, the last four digits, and JSON numbers",
        arguments: [
            ("\"4111111111111111\"", "\"XXXXXXXXXXXX1111\""), ("4111 1111 1111 1111", "XXXX XXXX XXXX 1111"),
            ("3782-822463-10005", "XXXX-XXXXXX-X0005"), ("4111%201111%201111%201111", "XXXX%20XXXX%20XXXX%201111"),
            ("{\"card\": 4111111111111111}", "{\"card\": 1000000000001111}"),
            ("card: 4111111111111111", "card: XXXXXXXXXXXX1111"),
            ("%204111111111111111", "%20XXXXXXXXXXXX1111"), ("card,4111111111111111,12", "card,1000000000001111,12"),
        ])
    func masks(_ text: String, _ expected: String) throws {
        #expect(inspect(text, try Plans.only("payment-card")).text == expected)
    }

    @Test("In a JSON body, numbers in indented arrays stay numbers")
    func jsonArrays() throws {
        let text = "{\"cards\": [\n    4111111111111111,\n    5555555555554444\n]}"
        let masked = "{\"cards\": [\n    1000000000001111,\n    1000000000004444\n]}"
        #expect(inspectBody(text, "application/json", try Plans.shipped()).text == masked)
    }

    @Test("A number has one digest however it is written, and another key gives another")
    func digests() throws {
        let plan = try Plans.only("payment-card")
        let digests = ["4111111111111111", "4111 1111 1111 1111", "4111%201111%201111%201111"].map {
            inspect($0, plan).findings.map(\.digest)
        }
        #expect(Set(digests).count == 1)
        #expect(digests.first?.first?.count == 16)
        let other = try InspectionPlan(actions: ["payment-card": .redact], key: FindingKey(bytes: [1]))
        #expect(inspect("4111111111111111", other).findings.map(\.digest) != digests.first)
    }
}
