// SPDX-License-Identifier: Apache-2.0

// GitHub tokens: what is one, how sure, and how it is masked.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("GitHub tokens")
struct GitHubTokenTests {
    @Test("A right checksum is proved, a wrong one is reported", arguments: try Vectors.examples("github_token"))
    func examples(_ example: Vectors.Example) throws {
        for frame in ["\"#\"", "a=#&", "#", ",#,", "\\n#\\n", "%20#%20"] {
            let text = frame.replacing("#", with: example.text)
            let outcome = inspect(text, try Plans.only("github-token"))
            #expect(outcome.findings.map(\.confidence) == [example.isValid ? .proved : .medium])
            let masked = String(example.text.prefix(4)) + String(repeating: "X", count: 36)
            #expect(outcome.text == (example.isValid ? frame.replacing("#", with: masked) : text))
        }
    }

    @Test("A fine-grained token is high by its shape and keeps its prefix")
    func fineGrained() throws {
        let outcome = inspect(Samples.fineGrained, try Plans.only("github-token"))
        #expect(outcome.findings.map(\.confidence) == [.high])
        #expect(
            outcome.text == "github_pat_" + String(repeating: "X", count: 22) + "_" + String(repeating: "X", count: 59))
    }

    @Test(
        "Other lengths, longer tokens and masks are nothing",
        arguments: [
            String(Samples.token.dropLast()), Samples.token + "a", Samples.token + "_", "x" + Samples.token,
            String(Samples.fineGrained.dropLast()), Samples.fineGrained + "0",
            "ghp_" + String(repeating: "X", count: 36),
            "ghx_qhFWCEPyYngFb51yBMWXaSCrUZoL8g00LEtf",
        ])
    func nearMisses(_ text: String) throws {
        #expect(inspect(text, try Plans.only("github-token")).findings.isEmpty)
    }
}
