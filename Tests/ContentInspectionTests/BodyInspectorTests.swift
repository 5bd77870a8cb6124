// SPDX-License-Identifier: Apache-2.0

// What may be edited of a body, by its type and by its bytes.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Bodies")
struct BodyInspectorTests {
    static let card = "4111111111111111"
    static let masked = "XXXXXXXXXXXX1111"

    @Test(
        "Text is edited",
        arguments: [
            nil, "text/plain", "text/event-stream", "application/json", "application/problem+json; charset=utf-8",
            "image/svg+xml",
            "application/x-www-form-urlencoded", "APPLICATION/GraphQL", "text/html; charset=\"ISO-8859-1\"",
        ])
    func text(_ type: String?) throws {
        let outcome = inspectBody("a=\"\(Self.card)\"", type, try Plans.shipped())
        #expect(outcome.text == "a=\"\(Self.masked)\"")
    }

    @Test(
        "What is not text is reported",
        arguments: [
            "application/octet-stream", "image/png", "application/zip", "application/pdf", "application/x-protobuf",
            "garbage",
            "text/plain; charset=utf-16", "application/json; charset=UTF-32LE", "multipart/form-data",
            "multipart/signed; boundary=b",
            "multipart/mixed; boundary=\"\u{e9}\"", "text/plain; charset=a; charset=b; charset=utf-7", "",
        ])
    func notText(_ type: String) throws {
        let text = "a=\"\(Self.card)\""
        let bytes = Array(text.utf8)
        let inspector = BodyInspector(plan: try Plans.shipped(), mediaType: type)
        let driver = Driver.run(bytes, cuts: Array(0...bytes.count), through: inspector)
        #expect(driver.outcome.output == bytes)
        #expect(driver.mostHeld == 0)
        #expect(driver.outcome.findings.map(\.restraint?.code) == ["not-text"])
    }

    @Test(
        "A text is no text from its first binary byte on",
        arguments: [[0], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82, 0x20], [0xf5]] as [[UInt8]])
    func binary(_ bytes: [UInt8]) throws {
        let line = " \(Self.card) "
        let body = Array("é€😀\(line)".utf8) + bytes + Array(line.utf8)
        let expected = Array("é€😀 \(Self.masked) ".utf8) + bytes + Array(line.utf8)
        let plan = try Plans.shipped()
        for cut in body.indices {
            let outcome = Driver.run(body, cuts: [cut], through: BodyInspector(plan: plan, mediaType: nil)).outcome
            #expect(outcome.output == expected)
            #expect(outcome.findings.map(\.restraint?.code) == [nil, "not-text"])
        }
    }

    @Test("A stray byte far into a text does not end editing")
    func strayByte() throws {
        let body = Array(String(repeating: "a b ", count: 300).utf8) + [0xff] + Array(" \(Self.card) ".utf8)
        let outcome = Driver.run(body, through: BodyInspector(plan: try Plans.shipped(), mediaType: "text/plain"))
            .outcome
        #expect(outcome.output.suffix(18).elementsEqual(" \(Self.masked) ".utf8))
    }

    @Test("A restraint from outside stands above the type")
    func restraint() throws {
        let reason = Reason("content-digest", "")
        for type in ["text/plain", "image/png", "multipart/form-data; boundary=b"] {
            let inspector = BodyInspector(plan: try Plans.shipped(), mediaType: type, restraint: reason)
            let outcome = Driver.run(Array("--b\r\n\r\n \(Self.card)\r\n--b--".utf8), through: inspector).outcome
            #expect(outcome.findings.map(\.restraint) == [reason])
        }
    }
}
