// SPDX-License-Identifier: Apache-2.0

// Private keys: when one has begun, what is masked, and where it ends.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Private keys")
struct PrivateKeyTests {
    private static let known = [
        "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ]

    @Test("All between the BEGIN and END lines is masked, and the lines stay", arguments: known)
    func labels(_ label: String) throws {
        let outcome = inspect("a\n\(Samples.key(label))\nb", try Plans.shipped())
        #expect(outcome.text == "a\n\(Samples.maskedKey(label))\nb")
        #expect(outcome.types == ["private-key"])
        #expect(outcome.findings.map(\.confidence) == [.proved])
        #expect(outcome.findings.map(\.excerpt) == [String("-----BEGIN \(label)-----".prefix(40))])
        #expect(outcome.findings.map(\.length) == [Samples.key(label).utf8.count])
    }

    @Test(
        "Line breaks stay valid however they are written",
        arguments: ["\r\n", "\\n", "\\r\\n", "\\\\n", "\\u000a", "%0A", "&#10;", "\\n\" +\n  \""])
    func lineBreaks(_ lineEnd: String) throws {
        let outcome = inspect("\"\(Samples.key(lineEnd: lineEnd))\"", try Plans.shipped())
        #expect(outcome.text == "\"\(Samples.maskedKey(lineEnd: lineEnd))\"")
    }

    @Test("In a form, spaces of the label may be written as plus or %20", arguments: ["+", "%20"])
    func forms(_ space: String) throws {
        let key = Samples.key(lineEnd: "%0A").replacing(" ", with: space)
        let masked = Samples.maskedKey(lineEnd: "%0A").replacing(" ", with: space)
        #expect(inspect("key=\(key)&b=c", try Plans.shipped()).text == "key=\(masked)&b=c")
    }

    @Test("One key has one digest however its lines are broken")
    func digests() throws {
        let digests = ["\n", "\\n", "%0A"].map { lineEnd in
            (try? Plans.shipped()).map { inspect(Samples.key(lineEnd: lineEnd), $0).findings.map(\.digest) }
        }
        #expect(Set(digests).count == 1)
    }

    @Test(
        "A mention, a public key, a certificate and a mask are nothing",
        arguments: [
            "grep -e '-----BEGIN PRIVATE KEY-----' file",
            "[\"-----BEGIN RSA PRIVATE KEY-----\", \"-----BEGIN EC PRIVATE KEY-----\"]",
            Samples.key("PUBLIC KEY"), Samples.key("CERTIFICATE"), Samples.maskedKey(),
            "-----BEGIN (RSA )?PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w",
        ])
    func nearMisses(_ text: String) throws {
        let outcome = inspect(text, try Plans.shipped())
        #expect(outcome.findings.isEmpty)
        #expect(outcome.text == text)
    }

    @Test("A key without its END line is masked up to the end of the field, the limit or the text around it")
    func unterminated() throws {
        let plan = try Plans.shipped()
        let open = "-----BEGIN PRIVATE KEY-----\n" + Samples.keyBody
        let masked = "-----BEGIN PRIVATE KEY-----\n" + String(repeating: "X", count: 48)
        #expect(inspect(open, plan).text == masked)
        #expect(inspect(open, plan).findings.map(\.confidence) == [.high])
        #expect(inspect("{\"k\":\"\(open)\"},{\"a\":\"abc\"}", plan).text == "{\"k\":\"\(masked)\"},{\"a\":\"abc\"}")
        let long = inspect(open + String(repeating: "A", count: 100_000), plan)
        #expect(long.text.utf8.suffix(30_000).allSatisfy { $0 == UInt8(ascii: "A") })
        #expect(long.findings.map(\.length) == [65_536])
        // The END line of another key ends nothing.
        let other = inspect(open + "\n-----END EC PRIVATE KEY-----\nAAAA", plan)
        #expect(other.text == masked + "\n-----XXX XX XXXXXXX XXX-----\nXXXX")
    }

    @Test("A key passes in pieces: nothing but the beginning is ever held")
    func isNotHeld() throws {
        let body = (0..<200).map { _ in Samples.keyBody }.joined(separator: "\n")
        let text = Array("-----BEGIN PRIVATE KEY-----\n\(body)\n-----END PRIVATE KEY-----".utf8)
        let driver = Driver.run(text, cuts: Array(0...text.count), through: StreamInspector(plan: try Plans.shipped()))
        #expect(driver.mostHeld < 64)
        #expect(!driver.outcome.text.contains("MII"))
    }

    @Test("A deadline before the key is certain lets the BEGIN line go and still masks the rest")
    func deadlineBefore() throws {
        let text = Array(Samples.key().utf8)
        let events = [TimedEvent(offset: 40, event: .deadline)]
        let driver = Driver.run(text, events: events, through: StreamInspector(plan: try Plans.shipped()))
        let masked = Array(Samples.maskedKey().utf8)
        #expect(driver.outcome.output == Array(text[..<40]) + Array(masked[40...]))
        #expect(driver.outcome.deadlineReleases == 1)
        #expect(driver.outcome.findings.map(\.restraint?.code) == ["released-at-deadline"])
        #expect(driver.outcome.findings.map(\.action) == [.redact])
    }

    @Test("A deadline inside a key releases nothing")
    func deadlineInside() throws {
        let text = Array(Samples.key().utf8)
        for at in 60..<text.count {
            let events = [TimedEvent(offset: at, event: .deadline)]
            let driver = Driver.run(text, events: events, through: StreamInspector(plan: try Plans.shipped()))
            #expect(driver.outcome.text == Samples.maskedKey())
            #expect(driver.outcome.deadlineReleases == 0)
        }
    }
}
