// SPDX-License-Identifier: Apache-2.0

// Rules that decide nothing: contradictory, shadowed, left to exclusions, or switched off.

internal import FlowModel

/// Something that takes flows before later rules are asked.
struct Taker {
    /// The number of its rule; 0 for an exclusion.
    let number: Int
    let title: String
    let ways: [Region]
    /// The exclusion it stands for; nil for a rule.
    var exclusion: Exclusion?
    /// It takes whatever is left, and stands aside where `unknown` has a verdict.
    var isCatchAll = false

    /// What takes flows on every device, in the order of decision.
    static func all(_ policy: Policy, _ checked: [PolicyCheck.Checked]) -> [Taker] {
        let exclusions = policy.exclusions.map {
            Taker(number: 0, title: "the exclusion \($0.row)", ways: [$0.region], exclusion: $0)
        }
        let rules = checked.compactMap { checked -> Taker? in
            checked.lane == nil ? nil : Taker(checked, in: policy)
        }
        return exclusions + rules
    }

    /// Nil for a rule that is rolled out to some devices only, or only watched: then it takes nothing on the others.
    fileprivate init?(_ checked: PolicyCheck.Checked, in policy: Policy) {
        let rule = checked.rule
        guard (rule.rollout?.percent ?? 100) == 100, let ways = checked.ways,
            rule.mode == policy.mode || rule.mode == .observe || rule.mode == .enforce
        else { return nil }
        self.init(number: rule.number, title: checked.title, ways: ways, isCatchAll: rule.conditions.isEmpty)
    }

    private init(number: Int, title: String, ways: [Region], exclusion: Exclusion? = nil, isCatchAll: Bool = false) {
        self.number = number
        self.title = title
        self.ways = ways
        self.exclusion = exclusion
        self.isCatchAll = isCatchAll
    }
}

extension PolicyCheck {
    /// What takes flows before a rule is asked.
    func takers(before checked: Checked) -> ArraySlice<Taker> { takers.prefix { $0.number < checked.rule.number } }

    /// The takers that together take every flow of the regions, each once; nil when some flow may be left.
    mutating func cover(of ways: [Region], by takers: some Sequence<Taker>) -> [Taker]? {
        var cover: [Taker] = []
        for way in ways {
            guard let taker = takers.first(where: { $0.ways.contains { way.isWithin($0, &budget) } }) else {
                return nil
            }
            if !cover.contains(where: { $0.title == taker.title }) { cover.append(taker) }
        }
        return cover
    }

    mutating func reach() {
        var decided: [(detectors: Set<String>, taker: Taker)] = []
        let firstLook = checked.first { $0.lane == .inspect }
        let unread = firstLook.map(takers(before:)) ?? takers[...]
        for checked in checked {
            switched(checked)
            guard let ways = checked.ways else { continue }
            if ways.isEmpty { contradictory(checked) }
            switch checked.rule.consequence {
            case .flow:
                if !ways.isEmpty, let cover = cover(of: ways, by: takers(before: checked)) { shadowed(checked, cover) }
            case .content(let content):
                let detectors = Set(content.detectors)
                if !ways.isEmpty {
                    let earlier = decided.filter { budget.spend() && detectors.isSubset(of: $0.detectors) }.map(\.taker)
                    idle(checked, ways, earlier, unread)
                }
                if let taker = Taker(checked, in: policy) { decided.append((detectors, taker)) }
            }
        }
        unknownVerdicts()
    }

    private mutating func contradictory(_ checked: Checked) {
        note(
            .contradictory, .error, checked,
            "can never match: its conditions (\(Self.text(checked.rule.conditions))) cannot all hold",
            mend: "list alternatives in one condition or under `any`, or take the rule out")
    }

    private mutating func shadowed(_ checked: Checked, _ cover: [Taker]) {
        let titles = cover.map(\.title).joined(separator: " and ")
        if cover.allSatisfy({ $0.exclusion != nil }), let first = cover.first?.exclusion {
            let isHarmless = checked.lane == .bypass || checked.lane == .relay
            note(
                .neverSet, isHarmless ? .note : .warning, checked,
                "is never asked: its flows are left alone by \(titles): \(first.reason)",
                mend: isHarmless
                    ? "take the rule out: these flows never reach it"
                    : "take the rule out, or, if that is truly wanted, "
                        + (first.tier == .never
                            ? "name the row under `capture: inspect-never`: \(first.consequence)"
                            : "take its catalogue out of `capture: exclude`"))
            return
        }
        note(
            .shadowed, .warning, checked,
            "is never reached: \(titles) \(cover.count == 1 ? "takes" : "together take") every flow it would take",
            mend: "move it up, narrow what stands before it, or take it out")
    }

    /// A rule on content is shadowed by one that covers the same findings of the same flows, idle where nobody looks.
    private mutating func idle(_ checked: Checked, _ ways: [Region], _ earlier: [Taker], _ unread: ArraySlice<Taker>) {
        if let cover = cover(of: ways, by: earlier) {
            note(
                .shadowed, .warning, checked,
                "is never reached: \(cover.map(\.title).joined(separator: " and ")) decides every finding it would",
                mend: "move it up, narrow what stands before it, or take it out")
        } else if !policy.unknown.values.contains(where: \.inspects),
            let cover = cover(of: ways, by: unread)
        {
            note(
                .contentNotInspected, .warning, checked,
                "finds nothing: \(cover.map(\.title).joined(separator: " and ")) takes its flows, and nobody looks "
                    + "into them",
                mend: "inspect these flows, or take the rule out")
        }
    }

    private mutating func switched(_ checked: Checked) {
        let rule = checked.rule
        if rule.mode == .off, policy.mode != .off {
            note(.ruleOff, .note, checked, "is switched off by its own `mode`", mend: "give it a mode, or take it out")
        }
        switch rule.rollout?.percent {
        case 0:
            note(
                .rolloutNone, .note, checked, "is rolled out to 0 percent of all devices, so to none",
                mend: "raise `rollout: percent`, or write `mode: off` if that is what is meant")
        case 100:
            note(
                .rolloutComplete, .note, checked, "is rolled out to all devices", mend: "take `rollout` out: it is done"
            )
        default: break
        }
    }

    private mutating func unknownVerdicts() {
        guard !policy.unknown.isEmpty else { return }
        var unknown = Region.everything
        unknown.classes = .unknown
        // The catch-all stands aside for these verdicts.
        guard let taker = cover(of: [unknown], by: takers.filter { !$0.isCatchAll })?.first else { return }
        for cause in UnknownCause.allCases where policy.unknown[cause] != nil {
            note(
                PolicyFinding(
                    .unknownUnreached, .warning, place(of: "unknown.\(cause.rawValue)"),
                    "the verdict for `unknown: \(cause.rawValue)` is never asked for: \(taker.title) takes every flow",
                    mend: "leave `when` out of a rule that takes every flow, so that it stands aside"))
        }
    }

    static func text(_ conditions: [Condition]) -> String { conditions.map(\.text).joined(separator: ", ") }
}
