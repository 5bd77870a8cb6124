// SPDX-License-Identifier: Apache-2.0

// One Mach-O file as text for people.

import CodeIdentity
import EngineAssembly
import Foundation

enum SlicePrinter {
    static func text(_ report: CodeReport, path: String) -> String {
        var lines: [(String, String)] = []
        for slice in report.slices { lines += [("", slice.slice.architecture.description)] + facts(slice) }
        if let seal = report.seal {
            let state = seal.problems.isEmpty ? "ok" : "failed"
            lines.append(
                ("resources", "\(state): \(seal.files) files, \(seal.nestedCode.count) pieces of nested code"))
        }
        lines += report.wholeProblems.map { ("problem", "\($0)") }
        let kind = report.isUniversal ? "Mach-O universal, \(report.slices.count) slices" : "Mach-O"
        return IdentityText.block("\(path): \(kind)", lines)
    }

    private static func facts(_ slice: SliceReport) -> [(String, String)] {
        var lines: [(String, String)] = []
        if let claimed = slice.claimed {
            lines.append(("identifier", claimed.identifierText))
            if let team = claimed.teamText {
                lines.append(("team", slice.verified?.provedTeam != nil ? "\(team), proved" : "\(team), only claimed"))
            }
            lines.append(("cdhash", claimed.cdhash.description))
        }
        lines.append(
            ("signing", ([slice.signing.rawValue] + (slice.claimed?.flags.names ?? [])).joined(separator: ", ")))
        if let signer = slice.verified?.signer { lines.append(("signer", signer.rawValue)) }
        for directory in slice.signature?.directories ?? [] {
            let runtime = directory.runtime.map { ", runtime \($0)" } ?? ""
            lines.append(
                (
                    "directory",
                    "slot \(directory.slot), version \(String(directory.version, radix: 16)), "
                        + "\(directory.hashType.name), pages of \(1 << directory.pageShift)\(runtime)"
                ))
        }
        for (index, certificate) in (slice.proof?.chain ?? []).enumerated() {
            lines.append(("certificate", "\(index) \(certificate.printableSubject)"))
        }
        if let proof = slice.proof {
            let stamp = proof.secureTimestamp.map { time($0) + ", by a timestamp authority" }
            lines.append(
                (
                    "signed",
                    stamp ?? proof.signingTime.map { time($0) + ", by the signer's clock" } ?? "nobody says when"
                ))
        }
        if let designated = slice.designated, let requirement = try? Requirement(designated.expression) {
            lines.append(("designated", "\(requirement.text) (\(designated.source.rawValue))"))
        }
        for (key, value) in slice.entitlements.values.sorted(by: { $0.key < $1.key }) {
            lines.append(("entitlement", "\(key) = \((try? JSONLine.text(PropertyListJSON(value))) ?? "?")"))
        }
        lines.append(
            ("valid", slice.validity.outcomes.map { "\($0.name) \($0.outcome.name)" }.joined(separator: ", ")))
        if let verified = slice.verified {
            let paths = verified.injection.map(\.rawValue).joined(separator: ", ")
            lines.append(("injectable", paths.isEmpty ? "no, as far as the file says" : paths))
        }
        lines += slice.problems.map { ("problem", "\($0)") } + slice.remarks.map { ("remark", "\($0)") }
        return lines
    }

    private static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}

/// A heading and aligned facts below it.
enum IdentityText {
    static func block(_ heading: String, _ lines: [(String, String)]) -> String {
        ([heading.terminalSafe]
            + lines.map { name, value in
                name.isEmpty
                    ? "  \(value.terminalSafe)"
                    : "    \(name.padding(toLength: 12, withPad: " ", startingAt: 0)) \(value.terminalSafe)"
            }).joined(separator: "\n")
    }
}
