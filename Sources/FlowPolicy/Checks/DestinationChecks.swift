// SPDX-License-Identifier: Apache-2.0

// Rules on hosts that let out more than they say, and patterns that cost too much.

internal import FlowModel

extension PolicyCheck {
    mutating func destinations() {
        for checked in active {
            if checked.lane == .bypass || checked.lane == .relay, let ways = checked.ways {
                uploads(checked, ways)
                claims(checked, ways)
            }
            patterns(checked)
        }
    }

    /// Whose programs are not said: everybody's uploads go the same way as what was meant.
    private mutating func uploads(_ checked: Checked, _ ways: [Region]) {
        let names = ways.filter { !$0.namesClass && $0.code.isEmpty }.flatMap(\.named)
        let found = UploadDomain.all.filter { domain in names.contains { $0.holdsAll(below: domain.name[...]) } }
        guard let first = found.first else { return }
        let more = found.count > 1 ? ", and \(Self.listed(found.dropFirst().map(\.name))) likewise" : ""
        note(
            .uploadDomain, .warning, checked,
            "\(checked.letsOutText) to everything below \(first.name), which takes \(first.uploads)\(more)",
            mend: "name the hosts that are meant, with `class` or `code` and `port` beside them")
    }

    private mutating func claims(_ checked: Checked, _ ways: [Region]) {
        let weak = ways.first { way in
            !way.namesClass && way.code.isEmpty && !way.named.isEmpty && way.named.allSatisfy { $0.proof < .proved }
        }
        guard let weak else { return }
        let isResolved = weak.named.allSatisfy { $0.proof == .resolved }
        note(
            .claimedName, .note, checked,
            isResolved
                ? "\(checked.letsOutText) by a name that only a resolver gave: one address serves many names"
                : "\(checked.letsOutText) by a name that the program itself gives: one that lies can claim it and "
                    + "go elsewhere",
            mend: "add `name-proof: proved`, or `class` or `code`, where that matters")
    }

    private mutating func patterns(_ checked: Checked) {
        let limit = PolicyLimits.patternStars.value
        for pattern in checked.rule.conditions.flatMap(\.patterns) {
            let stars = pattern.text.utf8.count { $0 == UInt8(ascii: "*") }
            guard stars > limit else { continue }
            note(
                .patternCost, .warning, checked,
                "matches paths against `\(Quoted.short(pattern.text))` with \(stars) runs of any characters: each "
                    + "may be tried along the whole path, for every flow",
                mend: "use at most \(limit) `*`")
        }
    }
}

extension Condition {
    /// The patterns of paths anywhere in it.
    fileprivate var patterns: [ExecutablePattern] {
        switch self {
        case .executable(let patterns): patterns
        case .any(let conditions), .all(let conditions): conditions.flatMap(\.patterns)
        case .not(let condition): condition.patterns
        default: []
        }
    }
}
