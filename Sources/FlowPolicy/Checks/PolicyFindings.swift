// SPDX-License-Identifier: Apache-2.0

// Findings for people and for programs.

/// The findings of one check, ready to be printed.
public struct PolicyFindings: Sendable {
    public let findings: [PolicyFinding]

    public init(_ findings: [PolicyFinding]) { self.findings = findings }

    /// The gravest severity among them; nil when there are none.
    public var worst: PolicyFinding.Severity? { findings.map(\.severity).max() }

    /// Two lines a finding: what is wrong, and how to mend it.
    public var text: String {
        findings.map { "\($0)\n    mend: \($0.mend)" }.joined(separator: "\n")
    }

    /// A JSON object a line.
    public var jsonLines: String {
        findings.map { finding in
            JSONLine([
                ("code", .text(finding.code.rawValue)), ("severity", .text(finding.severity.rawValue)),
                ("file", .text(finding.place.file)), ("line", .number(finding.place.line)),
                ("column", .number(finding.place.column)), ("rule", finding.rule.map(JSONLine.Value.text) ?? .null),
                ("message", .text(finding.message)), ("mend", .text(finding.mend)),
            ]).text
        }.joined(separator: "\n")
    }
}

extension PolicyFindings {
    /// The findings as a SARIF 2.1.0 log, for code review (OASIS, "Static Analysis Results Interchange Format").
    ///
    /// `version` is that of the program that prints it.
    public func sarif(version: String) -> String {
        let codes = PolicyFinding.Code.allCases
        let rules = codes.map { code in
            JSONLine([
                ("id", .text(code.rawValue)), ("shortDescription", .object(JSONLine([("text", .text(code.summary))]))),
            ])
        }
        let driver = JSONLine([
            ("name", .text("weir")), ("version", .text(version)), ("rules", .objects(rules)),
        ])
        let run = JSONLine([
            ("tool", .object(JSONLine([("driver", .object(driver))]))),
            // Columns count Unicode scalars, not the UTF-16 units that SARIF takes for granted.
            ("columnKind", .text("unicodeCodePoints")),
            ("results", .objects(findings.map { result($0, codes.firstIndex(of: $0.code) ?? 0) })),
        ])
        return JSONLine([
            ("$schema", .text("https://json.schemastore.org/sarif-2.1.0.json")), ("version", .text("2.1.0")),
            ("runs", .objects([run])),
        ]).text
    }

    private func result(_ finding: PolicyFinding, _ index: Int) -> JSONLine {
        let region = JSONLine([
            ("startLine", .number(max(1, finding.place.line))), ("startColumn", .number(max(1, finding.place.column))),
        ])
        let physical = JSONLine([
            ("artifactLocation", .object(JSONLine([("uri", .text(Self.uri(finding.place.file)))]))),
            ("region", .object(region)),
        ])
        return JSONLine([
            ("ruleId", .text(finding.code.rawValue)), ("ruleIndex", .number(index)),
            ("level", .text(finding.severity.rawValue)),
            ("message", .object(JSONLine([("text", .text("\(finding.message)\nMend: \(finding.mend)"))]))),
            ("locations", .objects([JSONLine([("physicalLocation", .object(physical))])])),
        ])
    }

    /// A path as a relative reference (RFC 3986 section 4.2); a `:` would make its beginning a scheme.
    private static func uri(_ path: String) -> String {
        path.utf8.reduce(into: "") { uri, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                uri.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                uri += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
    }
}
