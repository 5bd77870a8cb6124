// SPDX-License-Identifier: Apache-2.0

// IBANs: what is one, how sure, and how it is masked.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("IBANs")
struct IBANTests {
    private func confidence(_ text: String) throws -> Confidence? {
        inspect(text, try Plans.only("iban", .report)).findings.first?.confidence
    }

    @Test("Published numbers are proved and wrong check digits are nothing", arguments: try Vectors.examples("iban"))
    func examples(_ example: Vectors.Example) throws {
        #expect(try confidence("<\(example.text)>") == (example.isValid ? .proved : nil))
    }

    @Test(
        "Groups, escapes and punctuation around a number do not hide it",
        arguments: [
            "GB82 WEST 1234 5698 7654 32", "GB82+WEST+1234+5698+7654+32", "GB82%20WEST%201234%205698%207654%2032",
            "\\nGB82WEST12345698765432\\n", "%3DGB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32 and more",
            "MT84MALT011000012345MTLCAST001S",
        ])
    func writings(_ text: String) throws {
        #expect(try confidence(text) == .proved)
    }

    @Test(
        "Irregular groups and longer tokens are nothing",
        arguments: [
            "GB82 WEST 12345698765432", "GB82WEST 1234 5698 7654 32", "xGB82WEST12345698765432",
            "GB82WEST12345698765432x",
            "_GB82WEST12345698765432", "XX82WEST12345698765432", "GB82WEST123456987654",
        ])
    func nearMisses(_ text: String) throws {
        #expect(try confidence(text) == nil)
    }

    @Test("Lower case, or an account of letters, is reported and not edited")
    func unsure() throws {
        for text in ["gb82west12345698765432", "GB82west12345698765432", "LC09HEMMABCDEFGHJKLMNPQRSTUVWXYZ"] {
            let outcome = inspect(text, try Plans.only("iban"))
            #expect(outcome.text == text)
            #expect(outcome.findings.map(\.confidence) == [.medium])
            #expect(outcome.findings.map(\.restraint?.code) == ["below-edit-threshold"])
        }
    }

    @Test(
        "Masks keep the country, the last four characters and separators",
        arguments: [
            ("GB82WEST12345698765432", "GBXXXXXXXXXXXXXXXX5432"),
            ("GB82 WEST 1234 5698 7654 32", "GBXX XXXX XXXX XXXX XX54 32"),
            ("DE89%203704%200044%200532%200130%2000", "DEXX%20XXXX%20XXXX%20XXXX%20XX30%2000"),
        ])
    func masks(_ text: String, _ expected: String) throws {
        let outcome = inspect(text, try Plans.only("iban"))
        #expect(outcome.text == expected)
        #expect(outcome.findings.map(\.excerpt) == [String(expected.prefix(40))])
    }
}
