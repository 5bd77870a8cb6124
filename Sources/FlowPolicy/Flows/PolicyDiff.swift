// SPDX-License-Identifier: Apache-2.0

// What a new policy would decide otherwise than an old one, by flows that were recorded.

public import FlowModel

/// Compares two policies on flows, one after another, in bounded memory.
public struct PolicyDiff: Sendable {
    /// What a policy decides, without the words that explain it.
    public struct Decision: Sendable, Hashable, Comparable, CustomStringConvertible {
        public let lane: Lane
        public let profile: String?
        public let rule: String?

        init(_ verdict: Verdict) {
            lane = verdict.lane
            profile = verdict.profile
            rule = verdict.rule ?? verdict.reason.code
        }

        /// `inspect (strict) by "strip the rest"`.
        public var description: String {
            lane.rawValue + (profile.map { " (\($0))" } ?? "") + " by \"\(rule ?? "")\""
        }

        public static func < (a: Decision, b: Decision) -> Bool { a.description < b.description }

        func decidesAs(_ other: Decision) -> Bool { lane == other.lane && profile == other.profile }
    }

    /// Flows that change alike.
    public struct Change: Sendable {
        public let old: Decision
        public let new: Decision
        public internal(set) var flows = 0
        /// A few of them, in words.
        public internal(set) var examples: [String] = []
    }

    private struct Pair: Hashable {
        let old: Decision
        let new: Decision
    }

    private let old: Policy
    private let new: Policy
    private let file: String
    private let context: FlowDescription.Context
    private var table: [Pair: Change] = [:]
    private let asksCode: Bool

    /// Flows that were compared.
    public private(set) var flows = 0
    /// Flows that are decided otherwise.
    public private(set) var changed = 0
    /// Flows that another rule decides, to the same end.
    public private(set) var movedOnly = 0
    /// Flows of kinds of change that `PolicyLimits.differences` left no room for.
    public private(set) var unlisted = 0
    /// Flows of which nothing is proved, although a rule of a policy asks for `code`.
    public private(set) var unproved = 0
    /// Lines that are events of other kinds.
    public private(set) var otherEvents = 0
    /// Lines that could not be used, and the first problem.
    public private(set) var unusable = 0
    public private(set) var firstProblem: PolicyProblem?

    /// `file` names the flows in problems.
    public init(from old: Policy, to new: Policy, file: String, _ context: FlowDescription.Context) {
        self.old = old
        self.new = new
        self.file = file
        self.context = context
        asksCode = !old.requirements.isEmpty || !new.requirements.isEmpty
    }

    /// Compares the policies on a line of JSON; one that is no flow is counted.
    public mutating func add(line: String, number: Int) {
        switch RecordedLine(line, number: number, file: file, context) {
        case .flow(let flow): add(flow)
        case .other: otherEvents += 1
        case .unusable(let problem): skip(problem)
        }
    }

    /// Counts a line that could not even be read.
    public mutating func skip(line: Int, _ why: String) {
        skip(PolicyProblem(code: .tooLarge, file: file, line: line, column: 1, message: why))
    }

    private mutating func skip(_ problem: PolicyProblem) {
        unusable += 1
        firstProblem = firstProblem ?? problem
    }

    /// Compares the policies on a flow.
    public mutating func add(_ flow: FlowDescription) {
        flows += 1
        if asksCode, flow.evidence == nil, case .known = flow.facts.identity.codeClass { unproved += 1 }
        let facts = flow.facts(for: new)
        let pair = Pair(old: Decision(old.settle(flow.facts(for: old))), new: Decision(new.settle(facts)))
        guard pair.old != pair.new else { return }
        guard !pair.old.decidesAs(pair.new) else {
            movedOnly += 1
            return
        }
        changed += 1
        guard table[pair] != nil || table.count < PolicyLimits.differences.value else {
            unlisted += 1
            return
        }
        var change = table[pair] ?? Change(old: pair.old, new: pair.new)
        change.flows += 1
        let example = Self.example(facts)
        if change.examples.count < 3, !change.examples.contains(example) { change.examples.append(example) }
        table[pair] = change
    }

    /// The kinds of change, the most frequent first.
    public var changes: [Change] {
        table.values.sorted { ($1.flows, $0.old, $0.new) < ($0.flows, $1.old, $1.new) }
    }

    private static func example(_ facts: FlowFacts) -> String {
        let program = facts.identity.executable.map { " by \($0)" } ?? ""
        return "\(facts.displayHost):\(facts.destination.port)\(program) (\(facts.identity.className))"
    }
}

extension PolicyDiff {
    /// The comparison for people.
    public var text: String {
        var lines = changes.flatMap { change in
            ["\(change.flows) \(Self.flows(change.flows)): \(change.old) → \(change.new)"]
                + change.examples.map { "    \($0)" }
        }
        if unlisted > 0 { lines.append("\(unlisted) \(Self.flows(unlisted)) of further kinds of change") }
        lines.append(
            "\(changed) of \(flows) \(Self.flows(flows)) would be decided otherwise"
                + (movedOnly > 0 ? "; \(movedOnly) by another rule to the same end" : ""))
        if unproved > 0 {
            lines.append(
                "\(unproved) \(Self.flows(unproved)) name a class without its proof, "
                    + "so that rules on `code` could not be asked")
        }
        if otherEvents > 0 { lines.append("events of other kinds, left out: \(otherEvents)") }
        if unusable > 0 {
            lines.append(
                "lines that could not be used: \(unusable)" + (firstProblem.map { "; the first: \($0)" } ?? ""))
        }
        return lines.joined(separator: "\n")
    }

    /// The same for programs: a JSON object for each kind of change, and one for the whole.
    public var jsonLines: String {
        func fields(_ prefix: String, _ decision: Decision) -> [(String, JSONLine.Value)] {
            [
                (prefix + "_lane", .text(decision.lane.rawValue)),
                (prefix + "_profile", decision.profile.map { .text($0) } ?? .null),
                (prefix + "_rule", decision.rule.map { .text($0) } ?? .null),
            ]
        }
        var lines = changes.map { change in
            JSONLine(
                [("kind", .text("change")), ("flows", .number(change.flows))] + fields("old", change.old)
                    + fields("new", change.new) + [("examples", .texts(change.examples))])
        }
        lines.append(
            JSONLine([
                ("kind", .text("diff")), ("flows", .number(flows)), ("changed", .number(changed)),
                ("moved", .number(movedOnly)), ("unlisted", .number(unlisted)), ("unproved", .number(unproved)),
                ("other_events", .number(otherEvents)), ("unusable", .number(unusable)),
                ("old", .text(old.digest)), ("new", .text(new.digest)),
            ]))
        return lines.map(\.text).joined(separator: "\n")
    }

    private static func flows(_ count: Int) -> String { count == 1 ? "flow" : "flows" }
}
