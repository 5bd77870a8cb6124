// SPDX-License-Identifier: Apache-2.0

// Findings as text, as lines of JSON and as SARIF.

import FlowModel
import Foundation
import Testing

@testable import FlowPolicy

@Suite("Printed findings")
struct PolicyFindingsTests {
    private static let findings = PolicyFindings([
        PolicyFinding(
            .shadowed, .warning, SourcePlace(file: "conf/a b:ü.yaml", line: 7, column: 5), rule: "say \"no\"",
            "rule 2 \"say \\no\" is never reached", mend: "move it up"),
        PolicyFinding(
            .osTaken, .error, SourcePlace(file: "b.yaml", line: 0, column: 0),
            "one\ntwo\u{2028}\u{7}three", mend: "go"),
    ])

    @Test("Text has two lines a finding, whatever the document put into it")
    func text() {
        #expect(
            Self.findings.text == """
                conf/a b:ü.yaml:7:5: warning: rule 2 "say \\no" is never reached (shadowed)
                    mend: move it up
                b.yaml:0:0: error: one\u{fffd}two\u{fffd}\u{fffd}three (os-taken)
                    mend: go
                """)
        #expect(Self.findings.worst == .error)
        #expect(PolicyFindings([]).text == "")
        #expect(PolicyFindings([]).worst == nil)
    }

    @Test("A message is cut where a line ends")
    func cut() {
        let long = String(repeating: "é", count: 600)
        let finding = PolicyFinding(.unused, .note, SourcePlace(file: "a", line: 1, column: 1), long, mend: long)
        #expect(finding.message.unicodeScalars.count == PolicyLimits.findingCharacters.value + 1)
        #expect(finding.mend.hasSuffix("…"))
    }

    private func object(_ text: some StringProtocol) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("Lines of JSON have every field")
    func jsonLines() throws {
        let lines = Self.findings.jsonLines.split(separator: "\n")
        #expect(lines.count == 2)
        let first = try object(lines[0])
        #expect(
            Set(first.keys) == ["code", "severity", "file", "line", "column", "rule", "message", "mend"])
        #expect(first["rule"] as? String == "say \"no\"")
        #expect(first["line"] as? Int == 7)
        #expect(try object(lines[1])["rule"] is NSNull)
    }

    /// The members that the schema of SARIF 2.1.0 requires, and the values it allows for those we write.
    @Test("SARIF has what its schema requires")
    func sarif() throws {
        let log = try object(Self.findings.sarif(version: "1.2.3"))
        #expect(Set(log.keys) == ["$schema", "version", "runs"])
        #expect(log["version"] as? String == "2.1.0")
        let runs = try #require(log["runs"] as? [[String: Any]])
        let run = try #require(runs.first)
        #expect(runs.count == 1)
        #expect(Set(run.keys) == ["tool", "columnKind", "results"])
        #expect(run["columnKind"] as? String == "unicodeCodePoints")
        let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
        #expect(driver["name"] as? String == "weir")
        #expect(driver["version"] as? String == "1.2.3")
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(rules.compactMap { $0["id"] as? String } == PolicyFinding.Code.allCases.map(\.rawValue))
        #expect(rules.allSatisfy { (($0["shortDescription"] as? [String: Any])?["text"] as? String)?.isEmpty == false })

        let results = try #require(run["results"] as? [[String: Any]])
        #expect(results.count == 2)
        for (result, finding) in zip(results, Self.findings.findings) {
            #expect(Set(result.keys) == ["ruleId", "ruleIndex", "level", "message", "locations"])
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index]["id"] as? String == finding.code.rawValue)
            #expect(result["ruleId"] as? String == finding.code.rawValue)
            #expect(["none", "note", "warning", "error"].contains(try #require(result["level"] as? String)))
            let message = try #require((result["message"] as? [String: Any])?["text"] as? String)
            #expect(message == "\(finding.message)\nMend: \(finding.mend)")
            let locations = try #require(result["locations"] as? [[String: Any]])
            let physical = try #require(locations.first?["physicalLocation"] as? [String: Any])
            let uri = try #require((physical["artifactLocation"] as? [String: Any])?["uri"] as? String)
            #expect(uri.removingPercentEncoding == finding.place.file)
            #expect(uri.utf8.allSatisfy { $0 < 0x80 && $0 != 0x20 } && !uri.contains(":"))
            let region = try #require(physical["region"] as? [String: Any])
            #expect(region["startLine"] as? Int == max(1, finding.place.line))
            #expect(region["startColumn"] as? Int == max(1, finding.place.column))
        }
    }

    @Test("SARIF without findings still says that somebody looked")
    func empty() throws {
        let run = try #require((try object(PolicyFindings([]).sarif(version: "1"))["runs"] as? [[String: Any]])?.first)
        #expect((run["results"] as? [Any])?.isEmpty == true)
    }

    @Test("Every code is a word of its own, says what it means, and stands in the guide")
    func codes() throws {
        let guide = try #require(PolicyVector.text("docs/policy-checks.md"))
        for code in PolicyFinding.Code.allCases {
            #expect(code.rawValue.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") })
            #expect(code.summary.hasSuffix("."))
            #expect(guide.contains("| `\(code.rawValue)` |"), "\(code.rawValue)")
        }
    }
}
