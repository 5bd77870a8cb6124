// SPDX-License-Identifier: Apache-2.0

// Every rule that was considered for a flow, and the fact that decided it.

public import FlowModel

/// Why a policy decides a flow as it does.
public struct Explanation: Sendable {
    /// What became of a rule.
    public enum Outcome: String, Sendable, CaseIterable {
        case match
        case noMatch = "no match"
        /// It depends on a name that is not known yet.
        case waits
        /// It would have matched and stands aside for the verdict of an unknown identity.
        case standsAside = "stands aside"
        /// A rule on content that holds for what is found in this flow.
        case holds

        /// For programs.
        var code: String { rawValue.split(separator: " ").joined(separator: "-") }
    }

    /// One rule and what became of it.
    public struct Step: Sendable {
        /// Its place in the document, from 1.
        public let number: Int
        public let rule: String
        public let outcome: Outcome
        /// The fact that decided it.
        public let detail: String
    }

    /// What is known of the flow.
    public let facts: String
    public let mode: Policy.Mode
    /// The digest of the policy.
    public let policy: String
    /// The rules up to the one that decides, and all rules on content.
    public let steps: [Step]
    public let admission: Admission
}

extension Policy {
    /// Says what admission makes of a flow, and why.
    ///
    /// Rules are asked one after another, without the table that admission uses: the slow way, and a check
    /// on the fast one.
    public func explain(_ facts: FlowFacts) -> Explanation {
        var steps: [Explanation.Step] = []
        var decided = false
        for rule in rules {
            let step: (Explanation.Outcome, String)
            switch rule.consequence {
            case .content(let content):
                let found = "\(content.decision.action.rawValue) \(content.detectors.joined(separator: ", "))"
                step = rule.truth(facts, .final) == .yes ? (.holds, found) : (.noMatch, rule.why(facts, .final))
            case .flow:
                if decided { continue }
                step = outcome(of: rule, facts)
                decided = step.0 == .match || step.0 == .standsAside
            }
            steps.append(.init(number: rule.number, rule: rule.name, outcome: step.0, detail: step.1))
        }
        return Explanation(facts: facts.text, mode: mode, policy: digest, steps: steps, admission: admit(facts))
    }

    private func outcome(of rule: Rule, _ facts: FlowFacts) -> (Explanation.Outcome, String) {
        if rule.conditions.isEmpty, case .unknown(let cause) = facts.identity.codeClass, unknown[cause] != nil {
            return (.standsAside, "`unknown` has a verdict for \(cause.rawValue)")
        }
        switch rule.truth(facts, .early) {
        case .yes: return (.match, rule.why(facts, .early))
        case .no, .unknown: return (.noMatch, rule.why(facts, .early))
        case .waits: return (.waits, rule.why(facts, .early))
        }
    }
}

extension Rule {
    /// The condition that settles the rule, in words; all of them when it matches.
    fileprivate func why(_ facts: FlowFacts, _ stage: NameStage) -> String {
        if conditions.isEmpty { return "every flow" }
        let truth = truth(facts, stage)
        if truth == .yes { return conditions.map(\.text).joined(separator: ", ") }
        return conditions.first { $0.truth(facts, stage) == truth }?.why(facts, stage) ?? ""
    }
}

extension Explanation {
    /// The explanation for people, a line a rule.
    public var text: String {
        var lines = ["flow: \(facts)"]
        lines += steps.map { "rule \($0.number) \"\($0.rule)\": \($0.outcome.rawValue): \($0.detail)" }
        let verdict = admission.verdict
        let profile = verdict.profile.map { " with profile \($0)" } ?? ""
        if case .deferred(let deferral) = admission {
            let lanes = deferral.candidates.map(\.rawValue).joined(separator: " or ")
            lines.append("deferred: a \(deferral.needs.rawValue) name may lead to \(lanes)")
            lines.append("verdict if no name is learnt: \(verdict.lane.rawValue)\(profile): \(verdict.reason)")
        } else {
            lines.append("verdict: \(verdict.lane.rawValue)\(profile): \(verdict.reason)")
        }
        return lines.joined(separator: "\n")
    }

    /// The same for programs: a JSON object a line, the last one with the verdict.
    public var jsonLines: String {
        var lines = [JSONLine([("kind", .text("flow")), ("flow", .text(facts))])]
        lines += steps.map { step in
            JSONLine([
                ("kind", .text("rule")), ("number", .number(step.number)), ("rule", .text(step.rule)),
                ("outcome", .text(step.outcome.code)), ("detail", .text(step.detail)),
            ])
        }
        let verdict = admission.verdict
        var fields: [(String, JSONLine.Value)] = [
            ("kind", .text("verdict")), ("lane", .text(verdict.lane.rawValue)),
            ("profile", verdict.profile.map(JSONLine.Value.text) ?? .null),
            ("rule", verdict.rule.map(JSONLine.Value.text) ?? .null), ("code", .text(verdict.reason.code)),
            ("reason", .text(verdict.reason.detail)), ("mode", .text(mode.rawValue)), ("policy", .text(policy)),
        ]
        if case .deferred(let deferral) = admission {
            fields.append(("needs", .text(deferral.needs.rawValue)))
            fields.append(("candidates", .texts(deferral.candidates.map(\.rawValue))))
        }
        lines.append(JSONLine(fields))
        return lines.map(\.text).joined(separator: "\n")
    }
}
