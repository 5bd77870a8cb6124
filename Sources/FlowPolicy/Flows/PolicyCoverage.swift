// SPDX-License-Identifier: Apache-2.0

// Which parts of a policy some flows reach, and which none does.

internal import FlowModel

/// What flows reach of a policy: its rules, its exclusions, and its verdicts for unknown programs.
public struct PolicyCoverage: Sendable {
    /// One part of a policy.
    public struct Part: Sendable, Hashable {
        public enum Kind: String, Sendable, CaseIterable { case rule, exclusion, unknown }

        public let kind: Kind
        /// The name of a rule, a catalogue row, or a cause.
        public let name: String
        /// Where a rule stands.
        public let place: SourcePlace?
        public internal(set) var flows: Int
    }

    /// Every part, in the order of the policy: exclusions, rules, causes.
    public private(set) var parts: [Part]
    private var numbers: [String: Int] = [:]

    init(_ policy: Policy) {
        parts = policy.exclusions.map { Part(kind: .exclusion, name: $0.row, place: nil, flows: 0) }
        parts += policy.rules.map { Part(kind: .rule, name: $0.name, place: $0.place, flows: 0) }
        parts += UnknownCause.allCases.filter { policy.unknown[$0] != nil }
            .map { Part(kind: .unknown, name: $0.rawValue, place: nil, flows: 0) }
        // A row may give several exclusions; the first stands for all of them.
        var seen: Set<String> = []
        parts.removeAll { !seen.insert(Self.key($0.kind, $0.name)).inserted }
        for (number, part) in parts.enumerated() { numbers[Self.key(part.kind, part.name)] = number }
    }

    /// Counts a flow for the part that decided it, and for the rules on content that decided what is in it.
    mutating func add(_ facts: FlowFacts, _ verdict: Verdict, content: [String], _ policy: Policy) {
        guard policy.mode != .off else { return }
        if let rule = verdict.rule {
            hit(.rule, rule)
        } else if let exclusion = policy.exclusions.first(where: {
            $0.covers(facts.transport, facts.destination, facts.interface)
        }) {
            hit(.exclusion, exclusion.row)
        } else if let row = facts.identity.neverRow {
            hit(.exclusion, row)
        } else if case .unknown(let cause) = facts.identity.codeClass, policy.unknown[cause] != nil {
            hit(.unknown, cause.rawValue)
        }
        let rules = content.compactMap { policy.decision(on: $0, in: facts, verdict)?.rule }
        for rule in Set(rules) { hit(.rule, rule) }
    }

    private mutating func hit(_ kind: Part.Kind, _ name: String) {
        if let number = numbers[Self.key(kind, name)] { parts[number].flows += 1 }
    }

    private static func key(_ kind: Part.Kind, _ name: String) -> String { "\(kind.rawValue) \(name)" }

    /// The rules that decided no flow.
    public var rulesNeverHit: [Part] { parts.filter { $0.kind == .rule && $0.flows == 0 } }
}

extension PolicyCoverage {
    var lines: [String] {
        let rules = parts.filter { $0.kind == .rule }
        let missed = rulesNeverHit
        var lines = [
            missed.isEmpty
                ? "every rule decided a flow (\(rules.count))"
                : "\(missed.count) of \(rules.count) rules decided no flow:"
        ]
        lines += missed.map { "  \($0.place.map { "\($0): " } ?? "")\"\($0.name)\"" }
        for (kind, title) in [(Part.Kind.exclusion, "exclusions"), (.unknown, "causes in `unknown`")] {
            let all = parts.filter { $0.kind == kind }
            guard !all.isEmpty else { continue }
            let hit = all.filter { $0.flows > 0 }.map { "\($0.name) (\($0.flows))" }
            lines.append(
                "\(title): \(hit.count) of \(all.count) decided a flow"
                    + (hit.isEmpty ? "" : ": " + hit.joined(separator: ", ")))
        }
        return lines
    }

    var jsonLines: [JSONLine] {
        parts.map { part in
            JSONLine([
                ("kind", .text(part.flows == 0 ? "never-hit" : "hit")), ("part", .text(part.kind.rawValue)),
                ("name", .text(part.name)), ("file", part.place.map { .text($0.file) } ?? .null),
                ("line", part.place.map { .number($0.line) } ?? .null), ("flows", .number(part.flows)),
            ])
        }
    }
}
