// SPDX-License-Identifier: Apache-2.0

// Reads the rules of a policy, and its verdicts for programs that are not known.

internal import FlowModel

/// Reads rules and makes their verdicts, so that deciding a flow only picks one.
struct RuleReader {
    static let keys = ["name", "when", "then", "profile", "reason", "unproved", "mode", "rollout"]
    static let rolloutKeys = ["percent", "rings", "every", "stop", "salt"]
    static let stopKeys = ["failures"]

    let mode: Policy.Mode
    /// Where the mode stands; nil when no document says it.
    let modePlace: Place?
    let device: String?
    /// Where the rings of a roll-out stand here, by its salt.
    let ringState: @Sendable (String) -> RolloutRings.State?
    let detectors: DetectorPatterns
    let profiles: [String]
    var conditions: ConditionReader
    /// Profiles of rules that only observe under a policy that enforces.
    private(set) var observed: Set<String> = []
    /// Profiles that rules or `unknown` inspect with.
    private(set) var used: Set<String> = []

    init(
        mode: Policy.Mode, modePlace: Place?, _ environment: PolicyEnvironment, detectors: DetectorPatterns,
        profiles: [String], conditions: ConditionReader
    ) {
        self.mode = mode
        self.modePlace = modePlace
        device = environment.device
        ringState = environment.ringState
        self.detectors = detectors
        self.profiles = profiles
        self.conditions = conditions
    }

    /// Reads `unknown`: the verdicts, and the causes for which a flow is held.
    mutating func unknown(
        _ node: DocumentNode, _ reading: inout NodeReading
    ) -> (verdicts: [UnknownCause: (lane: Lane, verdict: Verdict)], holds: Set<UnknownCause>) {
        var verdicts: [UnknownCause: (lane: Lane, verdict: Verdict)] = [:]
        var holds: Set<UnknownCause> = []
        let known = UnknownCause.allCases.map(\.rawValue)
        guard let fields = reading.fields(node, "`unknown`", known: known) else { return (verdicts, holds) }
        for cause in UnknownCause.allCases {
            guard let value = fields[cause.rawValue],
                let word = reading.word(
                    value, "`\(cause.rawValue)`", of: Lane.allCases.map(\.rawValue) + ["hold"])
            else { continue }
            guard let lane = Lane(rawValue: word) else {
                // Who claims nothing holds nothing.
                if mode == .observe || mode == .enforce { holds.insert(cause) }
                continue
            }
            let profile = lane == .inspect ? defaultProfile(value, "`\(cause.rawValue): inspect`", &reading) : nil
            let verdict = mode.verdict(
                lane, profile: profile, rule: nil, code: "unknown-identity",
                cause: "`unknown`, because the identity is not known (\(cause.rawValue))")
            verdicts[cause] = (lane, verdict)
        }
        return (verdicts, holds)
    }

    /// Reads the rules of a policy, all changes made.
    mutating func rules(
        _ items: [DocumentNode], _ node: DocumentNode, _ reading: inout NodeReading
    ) -> [Rule] {
        guard items.count <= PolicyLimits.rules.value else {
            reading.note(
                .tooMany, node,
                "there are \(items.count) rules; at most \(PolicyLimits.rules.value) are read: join some")
            return []
        }
        var rules: [Rule] = []
        var places: [String: Place] = [:]
        var catchAll: Rule?
        for (index, item) in items.enumerated() {
            guard let fields = reading.fields(item, "a rule", known: Self.keys) else { continue }
            let name = name(fields, &places, &reading)
            guard let rule = rule(index + 1, name ?? "", fields, &reading) else { continue }
            rules.append(rule)
            guard case .flow = rule.consequence else { continue }
            if let catchAll {
                reading.note(
                    .unreachable, item,
                    "never reached: rule \(catchAll.number) \"\(catchAll.name)\" takes every flow. Move this one up.")
            }
            // A rule that is being rolled out leaves the flows of other devices to what follows, and a document is good
            // on all devices or on none.
            if fields["when"] == nil, catchAll == nil, rule.rollout == nil, decides(rule) { catchAll = rule }
        }
        return rules
    }

    private func name(
        _ fields: NodeReading.Fields, _ places: inout [String: Place], _ reading: inout NodeReading
    ) -> String? {
        guard let node = fields["name"] else {
            reading.note(.missingKey, fields.node, "a rule needs a `name`: it stands in events and explanations")
            return nil
        }
        guard let name = reading.line(node, "`name`", PolicyLimits.nameCharacters) else { return nil }
        if let place = places[name] {
            let file = place.file == node.place.file ? "" : " of \(reading.sources.name(place))"
            reading.note(
                .duplicateName, node,
                "the rule in line \(place.line)\(file) is called `\(name)` too: give one another name")
        }
        places[name] = places[name] ?? node.place
        return name
    }

    private mutating func rule(
        _ number: Int, _ name: String, _ fields: NodeReading.Fields, _ reading: inout NodeReading
    ) -> Rule? {
        let when = fields["when"].map { conditions.read($0, &reading) } ?? ConditionReader.When()
        let text = fields["reason"].flatMap { reading.line($0, "`reason`", PolicyLimits.reasonCharacters) }
        let unproved = fields["unproved"].map { reading.boolean($0, "`unproved`") ?? true } ?? false
        let rollout = fields["rollout"].flatMap { self.rollout($0, name, &reading) }
        let mode = self.mode(fields["mode"], rollout, &reading)
        guard let then = fields["then"] else {
            reading.note(
                .missingKey, fields.node, "a rule needs `then`: \(NodeReading.list(Lane.allCases.map(\.rawValue)))")
            return nil
        }
        let place = fields.node.place
        let cause = Self.cause(number, name, when.conditions, text)
        let consequence: Rule.Consequence
        if let content = when.content {
            if rollout?.rings != nil {
                reading.note(
                    .contradiction, fields.key("rollout"),
                    "`rings` watch the flows that a rule decides, and a rule with `content` decides none: use `percent`"
                )
            }
            if fields["profile"] != nil {
                reading.note(
                    .contradiction, fields.key("profile"), "a rule with `content` takes no `profile`: take it out")
            }
            let ids = detectors.expandList(content, "`content`", &reading)
            guard let action = contentAction(then, &reading) else { return nil }
            if action == .report { checkLabels(when, unproved, fields, &reading) }
            consequence = .content(
                ContentRule(name: name, detectors: ids, decision: mode.decision(action), reason: Reason("rule", cause)))
        } else {
            guard let lane = self.lane(then, &reading) else { return nil }
            if lane == .bypass || lane == .relay { checkLabels(when, unproved, fields, &reading) }
            var profile = self.profile(fields, lane, then, &reading)
            if mode == .observe, self.mode == .enforce, let name = profile {
                observed.insert(name)
                profile = WrittenProfile.observedName(name)
            }
            consequence = .flow(
                lane, mode.verdict(lane, profile: profile, rule: name, code: "rule", cause: cause))
        }
        return Rule(
            number: number, name: name,
            place: SourcePlace(file: reading.sources.name(place), line: place.line, column: place.column),
            conditions: when.conditions, consequence: consequence, mode: mode, rollout: rollout,
            isUnprovedAccepted: unproved)
    }

    /// Whether flows end at a rule: one that is only recorded lets the rules after it decide.
    private func decides(_ rule: Rule) -> Bool { rule.mode == mode || rule.mode == .observe }

    /// How much of a rule is carried out: what it says, what the policy says, or that this device has it not yet.
    private func mode(_ node: DocumentNode?, _ rollout: Rollout?, _ reading: inout NodeReading) -> Policy.Mode {
        var own: Policy.Mode?
        if let node, let written = reading.choice(node, "`mode`", of: Policy.Mode.allCases) {
            own = written
            // An overlay may turn a whole document down without asking each of its rules.
            if written.rank >= mode.rank, modePlace == nil || modePlace?.file == node.place.file {
                reading.note(
                    .contradiction, node,
                    "a rule can only do less than the policy, whose mode is `\(mode.rawValue)`: take `mode` out, or "
                        + "lower it")
            }
        }
        if rollout?.includes(device) == false, (own ?? mode).rank >= Policy.Mode.decide.rank { own = .decide }
        guard let own, own.rank <= mode.rank else { return mode }
        // Under `decide` a rule of that mode is one that decides, so one that must not is off.
        return own == .decide && mode == .decide ? .off : own
    }

    private func rollout(_ node: DocumentNode, _ name: String, _ reading: inout NodeReading) -> Rollout? {
        guard let fields = reading.fields(node, "`rollout`", known: Self.rolloutKeys) else { return nil }
        let salt = fields["salt"].flatMap { reading.line($0, "`salt`", PolicyLimits.nameCharacters) }
        if let value = fields["rings"] {
            if fields["percent"] != nil {
                reading.note(
                    .contradiction, fields.key("percent"), "`percent` and `rings` both say who takes the rule: keep one"
                )
            }
            return rings(value, fields, &reading).map { rings in
                let state = ringState(salt ?? name) ?? rings.begin(now: 0)
                return rings.rollout(state, salt: salt ?? name)
            }
        }
        for key in ["every", "stop"] where fields[key] != nil {
            reading.note(.contradiction, fields.key(key), "`\(key)` goes with `rings`: add them, or take it out")
        }
        guard let value = fields["percent"] else {
            reading.note(
                .missingKey, node,
                "`rollout` needs `percent`, the share of all devices that take the rule, or `rings`, which widen it")
            return nil
        }
        return reading.number(value, "`percent`", in: 0...100).map { Rollout(percent: $0, salt: salt ?? name) }
    }

    /// `rings: [1, 10, 50, 100], every: 24h, stop: {failures: 2%}`.
    private func rings(
        _ node: DocumentNode, _ fields: NodeReading.Fields, _ reading: inout NodeReading
    ) -> RolloutRings? {
        let before = reading.count
        let percents = reading.list(node, "`rings`").compactMap { reading.number($0, "a ring", in: 1...100) }
        let hour = 3_600_000
        let every = fields["every"].flatMap {
            reading.number($0, "`every`", units: [("h", hour), ("d", 24 * hour)], in: hour...(365 * 24 * hour))
        }
        if fields["every"] == nil {
            reading.note(.missingKey, node, "`rings` need `every`: how long each lasts at least, such as 24h")
        }
        var rise: Int?
        if let stop = fields["stop"] {
            if let own = reading.fields(stop, "`stop`", known: Self.stopKeys), let failures = own["failures"] {
                rise = reading.number(failures, "`failures`", units: [("%", 100)], in: 0...10_000)
            } else {
                reading.note(.missingKey, stop, "`stop` needs `failures`: by how much they may rise, such as 2%")
            }
        } else {
            reading.note(.missingKey, node, "`rings` need `stop`: how many more failures end them, {failures: 2%}")
        }
        guard reading.count == before, let every, let rise else { return nil }
        if let rings = RolloutRings(percents: percents, every: Int64(every), allowedRise: rise) { return rings }
        reading.note(.badValue, node, "`rings` must rise, and be at most sixteen: [1, 10, 50, 100]")
        return nil
    }

    private func contentAction(_ node: DocumentNode, _ reading: inout NodeReading) -> ContentAction? {
        if let word = node.word, ["bypass", "relay", "inspect"].contains(word) {
            reading.note(
                .contradiction, node,
                "content is known only when Weir looks, too late for `\(word)`: "
                    + "a rule with `content` can `block`, `redact` or `report`"
            )
            return nil
        }
        return reading.choice(node, "`then` of a rule with `content`", of: ContentAction.allCases)
    }

    private func lane(_ node: DocumentNode, _ reading: inout NodeReading) -> Lane? {
        if let word = node.word, ["redact", "report"].contains(word) {
            reading.note(
                .contradiction, node,
                "`\(word)` is for findings: "
                    + "add `content` to `when`, or write `then: inspect` and put it in the profile"
            )
            return nil
        }
        return reading.choice(node, "`then`", of: Lane.allCases)
    }

    private mutating func profile(
        _ fields: NodeReading.Fields, _ lane: Lane, _ then: DocumentNode, _ reading: inout NodeReading
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
            reading.noteMissing(
                .unknownProfile, node, "there is no profile `\(Quoted.short(name))`.\(hint) Add it under `profiles`.")
            return nil
        }
        used.insert(name)
        return name
    }

    private mutating func defaultProfile(
        _ node: DocumentNode, _ what: String, _ reading: inout NodeReading
    ) -> String? {
        if profiles.count == 1, let only = profiles.first {
            used.insert(only)
            return only
        }
        reading.noteMissing(
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

extension Policy.Mode {
    /// How much is carried out, least first.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
