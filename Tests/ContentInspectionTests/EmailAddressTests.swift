// SPDX-License-Identifier: Apache-2.0

// E-mail addresses: what is one and how it is masked.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "Addresses are found in text, forms and JSON, and masks keep the domain",
        arguments: [
            ("joe@example.com", "XXX@example.com"), ("<joe.doe+x@mail.example.org>", "<XXXXXXXXX@mail.example.org>"),
            ("Ask joe@example.com.", "Ask XXX@example.com."), ("e=joe%40example.com&f", "e=XXX%40example.com&f"),
            ("e%3Djoe%40example.com", "e%3DXXX%40example.com"), ("\\njoe@example.com", "\\nXXX@example.com"),
            ("mailto:joe@xn--bcher-kva.example", "mailto:XXX@xn--bcher-kva.example"),
            ("a@b.xn--p1ai", "X@b.xn--p1ai"),
        ])
    func addresses(_ text: String, _ expected: String) throws {
        #expect(inspect(text, try Plans.only("email")).text == expected)
    }

    @Test(
        "Decorators, packages, pictures and user names in URLs are nothing",
        arguments: [
            "@Test", "icon@2x.png", "react@18.2.0", "a@localhost", "ftp://joe@host.example", "XXX@example.com",
            "a.@b.example",
            "a@-b.example", "a@b..example", "a@b.c", String(repeating: "a", count: 65) + "@b.example", "a @b.example",
            "a@b.example_x",
        ])
    func nearMisses(_ text: String) throws {
        #expect(inspect(text, try Plans.only("email")).findings.isEmpty)
    }

    @Test("An address is reported by default, and nothing is held for it")
    func isReportedByDefault() throws {
        let bytes = Array("write to joe@example.com today".utf8)
        let driver = Driver.run(
            bytes, cuts: Array(0...bytes.count), through: StreamInspector(plan: try Plans.shipped()))
        #expect(driver.outcome.output == bytes)
        #expect(driver.outcome.findings.map(\.action) == [.report])
        #expect(driver.outcome.findings.map(\.restraint) == [nil])
        #expect(driver.mostHeld <= 1)
    }
}
