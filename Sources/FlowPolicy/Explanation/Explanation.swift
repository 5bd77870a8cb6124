// SPDX-License-Identifier: Apache-2.0

// Everything that was considered for a flow, and the fact that decided it.

internal import FlowModel

/// Why a policy decides a flow as it does.
public struct Explanation: Sendable {
    /// What was considered.
    public enum Kind: String, Sendable, CaseIterable {
        /// Whether what is said of the program can be true.
        case identity
        case exclusion
        /// A program that is never taken.
        case never
        case dns
        case rule
        /// The verdict for not knowing the program.
        case unknown
        /// What becomes of an inspection of UDP to port 443.
        case quic
        /// What becomes of an inspection of Private Relay and its like.
        case privateRelay = "private-relay"
    }

    /// What became of it.
    public enum Outcome: String, Sendable, CaseIterable {
        case match
        case noMatch = "no match"
        /// It depends on what is not known yet.
        case waits
        /// It would have matched and stands aside for the verdict of an unknown identity.
        case standsAside = "stands aside"
        /// A rule on content that holds for what is found in this flow.
        case holds
        /// A rule that only records what it would do: by its mode, or because this device does not take it yet.
        case would

        /// For programs.
        var code: String { self == .noMatch ? "no-match" : self == .standsAside ? "stands-aside" : rawValue }
    }

    /// One thing that was considered, and what became of it.
    public struct Step: Sendable {
        public let kind: Kind
        /// The place of a rule in the document, from 1.
        public let number: Int?
        /// The name of a rule, the row of an exclusion or program, the cause of not knowing; nil when there is none.
        public let name: String?
        public let outcome: Outcome
        /// The fact that decided it.
        public let detail: String

        /// The name of the rule; nil when it is none.
        public var rule: String? { kind == .rule ? name : nil }
    }

    /// What is known of the flow.
    public let facts: String
    public let mode: Policy.Mode
    /// The digest of the policy.
    public let policy: String
    /// What comes before the rules, the rules up to the one that decides, all rules on content, and what follows.
    public let steps: [Step]
    public let admission: Admission
    /// Whether leaving the flow alone leaves alone whatever its socket sends later.
    public let isReleaseSticky: Bool
    /// In a line of at most 200 characters, for events: the rule, the proof of the identity, the destination.
    public let short: String
}

extension Explanation {
    /// The explanation for people, a line for each step.
    public var text: String {
        var lines = ["flow: \(facts)"]
        lines += steps.map { step in
            let number = step.number.map { " \($0)" } ?? ""
            let name = step.name.map { step.kind == .rule ? " \"\($0)\"" : " \($0)" } ?? ""
            return "\(step.kind.rawValue)\(number)\(name): \(step.outcome.rawValue): \(step.detail)"
        }
        let verdict = admission.verdict
        if case .deferred(let deferral) = admission {
            let lanes = deferral.candidates.map(\.rawValue).joined(separator: " or ")
            lines.append("deferred: \(deferral.awaits.words.joined(separator: ", ")) may lead to \(lanes)")
            let limit = deferral.within.map { " after \($0) ms" } ?? ""
            if deferral.atDeadline != verdict {
                lines.append("at the deadline\(limit): \(Self.words(deferral.atDeadline))")
            }
            lines.append("verdict if nothing more is learnt: \(Self.words(verdict))")
        } else {
            lines.append("verdict: \(Self.words(verdict))")
        }
        if isReleaseSticky, verdict.lane == .bypass {
            lines.append("sticky: whatever the socket sends later, to any destination, is left alone too")
        }
        return lines.joined(separator: "\n")
    }

    private static func words(_ verdict: Verdict) -> String {
        "\(verdict.lane.rawValue)\(verdict.profile.map { " with profile \($0)" } ?? ""): \(verdict.reason)"
    }

    /// The same for programs: a JSON object a line, the last one with the verdict.
    public var jsonLines: String {
        var lines = [JSONLine([("kind", .text("flow")), ("flow", .text(facts))])]
        lines += steps.map { step in
            var fields: [(String, JSONLine.Value)] = [("kind", .text(step.kind.rawValue))]
            if let number = step.number { fields.append(("number", .number(number))) }
            if let name = step.name { fields.append((step.kind == .rule ? "rule" : "name", .text(name))) }
            return JSONLine(fields + [("outcome", .text(step.outcome.code)), ("detail", .text(step.detail))])
        }
        let verdict = admission.verdict
        var fields: [(String, JSONLine.Value)] = [
            ("kind", .text("verdict")), ("lane", .text(verdict.lane.rawValue)),
            ("profile", verdict.profile.map(JSONLine.Value.text) ?? .null),
            ("rule", verdict.rule.map(JSONLine.Value.text) ?? .null), ("code", .text(verdict.reason.code)),
            ("reason", .text(verdict.reason.detail)), ("mode", .text(mode.rawValue)), ("policy", .text(policy)),
            ("short", .text(short)),
        ]
        if case .deferred(let deferral) = admission {
            fields.append(("awaits", .texts(deferral.awaits.words)))
            fields.append(("candidates", .texts(deferral.candidates.map(\.rawValue))))
            fields.append(("deadline", .text(deferral.atDeadline.lane.rawValue)))
            if let within = deferral.within { fields.append(("within", .number(within))) }
        }
        if isReleaseSticky { fields.append(("sticky", .text(verdict.lane == .bypass ? "released" : "claimed"))) }
        lines.append(JSONLine(fields))
        return lines.map(\.text).joined(separator: "\n")
    }
}
