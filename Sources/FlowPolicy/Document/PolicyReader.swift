// SPDX-License-Identifier: Apache-2.0

// Reads a whole policy document.

internal import FlowModel
internal import Yams

/// Reads a document into a policy, or says everything that is wrong with it.
struct PolicyReader {
    static let keys = ["version", "mode", "unknown", "rules", "profiles"]
    static let ruleKeys = ["name", "when", "then", "profile", "reason", "unproved"]

    private let mode: Policy.Mode
    private let detectors: DetectorPatterns
    private let profiles: [String]

    static func read(
        _ yaml: String, file: String, _ environment: PolicyEnvironment
    ) throws(PolicyProblems) -> Policy {
        var reading = NodeReading(file: file)
        do throws(DocumentText.Fault) {
            let root = try DocumentText.compose(yaml)
            let policy = policy(root, digest: DocumentText.digest(yaml), environment, &reading)
            if let policy, reading.count == 0 { return policy }
        } catch {
            reading.note(error.code, error.place, error.message)
        }
        throw reading.outcome
    }

    private static func policy(
        _ root: Node, digest: String, _ environment: PolicyEnvironment, _ reading: inout NodeReading
    ) -> Policy? {
        guard let fields = reading.fields(root, "a policy", known: keys, planned: ["capture"]) else { return nil }
        if let value = fields["version"] {
            if let text = reading.text(value, "`version`"), text != "1" {
                reading.note(.badValue, value, "`version` is `\(Quoted.short(text))`: this program reads version 1")
            }
        } else {
            reading.note(.missingKey, root, "a policy begins with `version: 1`")
        }
        let mode = fields["mode"].flatMap { reading.choice($0, "`mode`", of: Policy.Mode.allCases) } ?? .observe
        let detectors = DetectorPatterns(environment.detectors)
        let profiles = fields["profiles"].map { ProfileReader(detectors: detectors).read($0, &reading) } ?? []
        let reader = PolicyReader(mode: mode, detectors: detectors, profiles: profiles.map(\.name))
        let unknown = fields["unknown"].map { reader.unknown($0, &reading) } ?? [:]
        var rules: [Rule] = []
        if let value = fields["rules"] {
            rules = reader.rules(value, &reading)
        } else {
            reading.note(.missingKey, root, "a policy needs `rules`: without a rule nothing would be taken")
        }
        var parts = PolicyParts(stamp: .random(in: .min ... .max))
        parts.mode = mode
        parts.digest = digest
        parts.rules = rules
        parts.unknown = unknown
        parts.profiles = profiles.map { $0.effective(mode) }
        parts.modeCap = environment.modeCap
        parts.catalogues = environment.catalogues
        parts.files = [reading.file]
        return Policy(parts)
    }

    private func unknown(
        _ node: Node, _ reading: inout NodeReading
    ) -> [UnknownCause: (lane: Lane, verdict: Verdict)] {
        var verdicts: [UnknownCause: (lane: Lane, verdict: Verdict)] = [:]
        guard
            let fields = reading.fields(
                node, "`unknown`", known: UnknownCause.allCases.map(\.rawValue))

        else { return [:] }
        for cause in UnknownCause.allCases {
            guard let value = fields[cause.rawValue],
                let lane = reading.choice(value, "`\(cause.rawValue)`", of: Lane.allCases, planned: ["hold"])
            else { continue }
            let profile = lane == .inspect ? defaultProfile(value, "`\(cause.rawValue): inspect`", &reading) : nil
            let verdict = mode.verdict(
                lane, profile: profile, rule: nil, code: "unknown-identity",
                cause: "`unknown`, because the identity is not known (\(cause.rawValue))")
            verdicts[cause] = (lane, verdict)
        }
        return verdicts
    }

    private func rules(_ node: Node, _ reading: inout NodeReading) -> [Rule] {
        guard case .sequence = node else {
            reading.note(.wrongType, node, "`rules` must be a list of rules, each beginning with `- name:`")
            return []
        }
        let items = reading.list(node, "`rules`")
        guard items.count <= PolicyLimits.rules.value else {
            reading.note(
                .tooMany, node,
                "there are \(items.count) rules; at most \(PolicyLimits.rules.value) are read: join some")
            return []
        }
        var rules: [Rule] = []
        var lines: [String: Int] = [:]
        var catchAll: Rule?
        for (index, item) in items.enumerated() {
            guard let fields = reading.fields(item, "a rule", known: Self.ruleKeys) else { continue }
            let name = name(fields, &lines, &reading)
            guard let rule = rule(index + 1, name ?? "", fields, &reading) else { continue }
            rules.append(rule)
            guard case .flow = rule.consequence else { continue }
            if let catchAll {
                reading.note(
                    .unreachable, item,
                    "never reached: rule \(catchAll.number) \"\(catchAll.name)\" takes every flow. Move this one up."
                )
            }
            if fields["when"] == nil, catchAll == nil { catchAll = rule }
        }
        return rules
    }

    private func name(
        _ fields: NodeReading.Fields, _ lines: inout [String: Int], _ reading: inout NodeReading
    ) -> String? {
        guard let node = fields["name"] else {
            reading.note(.missingKey, fields.node, "a rule needs a `name`: it stands in events and explanations")
            return nil
        }
        guard let name = reading.line(node, "`name`", PolicyLimits.nameCharacters) else { return nil }
        if let line = lines[name] {
            reading.note(
                .duplicateName, node, "the rule in line \(line) is called `\(name)` too: give one another name")
        }
        lines[name] = lines[name] ?? node.place.line
        return name
    }

    private func rule(
        _ number: Int, _ name: String, _ fields: NodeReading.Fields, _ reading: inout NodeReading
    ) -> Rule? {
        let when = fields["when"].map { ConditionReader().read($0, &reading) } ?? ConditionReader.When()
        let text = fields["reason"].flatMap { reading.line($0, "`reason`", PolicyLimits.reasonCharacters) }
        let unproved = fields["unproved"].map { reading.boolean($0, "`unproved`") ?? true } ?? false
        guard let then = fields["then"] else {
            reading.note(
                .missingKey, fields.node, "a rule needs `then`: \(NodeReading.list(Lane.allCases.map(\.rawValue)))")
            return nil
        }
        let place = SourcePlace(
            file: reading.file, line: fields.node.place.line, column: fields.node.place.column)
        let cause = Self.cause(number, name, when.conditions, text)
        if let content = when.content {
            if fields["profile"] != nil {
                reading.note(
                    .contradiction, fields.key("profile"), "a rule with `content` takes no `profile`: take it out")
            }
            let ids = detectors.expandList(content, "`content`", &reading)
            guard let action = contentAction(then, &reading) else { return nil }
            if action == .report { checkLabels(when, unproved, fields, &reading) }
            let content = ContentRule(
                name: name, detectors: ids, decision: mode.decision(action), reason: Reason("rule", cause))
            return Rule(
                number: number, name: name, place: place, conditions: when.conditions, consequence: .content(content),
                mode: mode)
        }
        guard let lane = lane(then, &reading) else { return nil }
        if lane == .bypass || lane == .relay { checkLabels(when, unproved, fields, &reading) }
        let profile = profile(fields, lane, then, &reading)
        let verdict = mode.verdict(lane, profile: profile, rule: name, code: "rule", cause: cause)
        return Rule(
            number: number, name: name, place: place, conditions: when.conditions, consequence: .flow(lane, verdict),
            mode: mode)
    }

    private func contentAction(_ node: Node, _ reading: inout NodeReading) -> ContentAction? {
        if case .scalar(let scalar) = node, ["bypass", "relay", "inspect"].contains(scalar.string) {
            reading.note(
                .contradiction, node,
                "content is known only when Weir looks, too late for `\(scalar.string)`: "
                    + "a rule with `content` can `block`, `redact` or `report`"
            )
            return nil
        }
        return reading.choice(node, "`then` of a rule with `content`", of: ContentAction.allCases)
    }

    private func lane(_ node: Node, _ reading: inout NodeReading) -> Lane? {
        if case .scalar(let scalar) = node, ["redact", "report"].contains(scalar.string) {
            reading.note(
                .contradiction, node,
                "`\(scalar.string)` is for findings: "
                    + "add `content` to `when`, or write `then: inspect` and put it in the profile"
            )
            return nil
        }
        return reading.choice(node, "`then`", of: Lane.allCases)
    }

    private func profile(
        _ fields: NodeReading.Fields, _ lane: Lane, _ then: Node, _ reading: inout NodeReading
    ) -> String? {
        guard let node = fields["profile"] else {
            return lane == .inspect ? defaultProfile(then, "`then: inspect`", &reading) : nil
        }
        guard lane == .inspect else {
            reading.note(.contradiction, fields.key("profile"), "`profile` goes with `then: inspect` only: take it out")
            return nil
        }
        guard let name = reading.text(node, "`profile`") else { return nil }
        guard profiles.contains(name) else {
            let hint = reading.hint(name, among: profiles)
            reading.note(
                .unknownProfile, node, "there is no profile `\(Quoted.short(name))`.\(hint) Add it under `profiles`.")
            return nil
        }
        return name
    }

    private func defaultProfile(_ node: Node, _ what: String, _ reading: inout NodeReading) -> String? {
        if profiles.count == 1 { return profiles.first }
        reading.note(
            .missingKey, node,
            profiles.isEmpty
                ? "\(what) needs a profile that says what to look for: add one under `profiles`"
                : "\(what) needs to know which profile, because there are \(profiles.count): add a rule with `profile`")
        return nil
    }

    /// Refuses to allow on the path of an executable, which anybody can take ("names are labels, identity is proof").
    private func checkLabels(
        _ when: ConditionReader.When, _ unproved: Bool, _ fields: NodeReading.Fields, _ reading: inout NodeReading
    ) {
        // A `when` with problems may lack the very condition that proves: one mistake, one problem.
        guard when.isSound, !unproved, when.conditions.contains(where: \.asksExecutable),
            !when.conditions.contains(where: \.isAnchored)
        else { return }
        reading.note(
            .unproved, fields.key("when"),
            "this rule lets traffic out on the path of an executable alone, and any program can be put at a path: "
                + "add `class` or `to`, or write `unproved: true` in the rule to accept that")
    }

    /// The words that stand in every verdict of a rule.
    private static func cause(_ number: Int, _ name: String, _ conditions: [Condition], _ text: String?) -> String {
        let asked = conditions.isEmpty ? "every flow" : conditions.map(\.text).joined(separator: ", ")
        return "rule \(number) \"\(name)\" (\(asked))" + (text.map { ": \($0)" } ?? "")
    }
}
