// SPDX-License-Identifier: Apache-2.0

// Requirements that prove nothing, and rules that let out by what code is not or by code that others can run inside.

internal import CodeIdentity
internal import FlowModel

extension PolicyCheck {
    /// How rules use a requirement.
    private struct Use {
        /// The first rule that lets out what meets it, or takes all but what meets it.
        var lettingOut: Checked?
        var other: Checked?
    }

    mutating func requirements() {
        var uses: [Int: Use] = [:]
        for checked in active {
            for (number, isWanted) in checked.rule.conditions.flatMap({ $0.codeUses(wanted: true) }) {
                // Everything but such code is stopped: then such code gets out, whoever it really is.
                if checked.letsOut == isWanted {
                    uses[number, default: Use()].lettingOut = uses[number]?.lettingOut ?? checked
                } else {
                    uses[number, default: Use()].other = uses[number]?.other ?? checked
                }
            }
            negation(checked)
            injectable(checked)
        }
        for (number, requirement) in policy.requirements.enumerated() {
            let use = uses[number]
            let weaknesses = RequirementWeakness.all(of: requirement.compiled.expression)
            guard let weakness = weaknesses.first(where: \.isGrave) ?? weaknesses.first else { continue }
            let severity = use?.lettingOut != nil && weakness.isGrave ? PolicyFinding.Severity.error : .warning
            let letsOut = use?.lettingOut.map { ", by which \($0.title) lets traffic past," } ?? ""
            note(
                PolicyFinding(
                    .weakRequirement, severity, requirement.place,
                    rule: (use?.lettingOut ?? use?.other)?.rule.name,
                    "the requirement \(Quoted.short(requirement.title))\(letsOut) is \(weakness.problem)",
                    mend: weakness.mend))
        }
    }

    /// "Whatever is not X" is met by code that nobody has thought of yet.
    private mutating func negation(_ checked: Checked) {
        guard checked.letsOut, let ways = checked.ways else { return }
        let isOpen = ways.contains { way in
            let refusesCode = !way.notCode.isEmpty || !way.notExecutables.isEmpty
            return refusesCode && way.code.isEmpty && way.executables.isEmpty && !way.namesClass
                && !way.namesDestination
        }
        guard isOpen else { return }
        note(
            .allowsByNegation, .warning, checked,
            "\(checked.letsOutText) of all programs but some: a program is let out by not being one of them, also one "
                + "that nobody has thought of yet",
            mend:
                "say what the program must be (`class`, `code`), or put the programs that are meant into a rule "
                + "before it"
        )
    }

    /// Who may run inside a program sends what he wants under its name, unless host and port leave nowhere to send it.
    private mutating func injectable(_ checked: Checked) {
        guard checked.lane == .bypass || checked.lane == .relay, let ways = checked.ways else { return }
        let open = ways.first { way in
            guard way.namesClass || !way.code.isEmpty, !way.classes.isDisjoint(with: Region.openClasses) else {
                return false
            }
            let isClosed = way.code.contains { numbers in
                numbers.allSatisfy { number in
                    policy.requirements.indices.contains(number)
                        && policy.requirements[number].compiled.expression.isOfSystem
                }
            }
            return !isClosed && !(way.namesDestination && way.namesPorts)
        }
        guard let open else { return }
        let missing = [open.namesDestination ? nil : "`to` or `address`", open.namesPorts ? nil : "`port`"]
            .compactMap { $0 }.joined(separator: " and ")
        note(
            .injectable, .warning, checked,
            "\(checked.letsOutText) for programs that code of others can run inside, as a plug-in, a script or a "
                + "preloaded library, and does not say where they may go: it lacks \(missing)",
            mend: "add \(missing), so that what runs inside them can reach only that")
    }
}

extension Region {
    /// The classes whose programs nobody keeps others' code out of.
    static let openClasses = Choices(.vendor, .thirdParty, .unsigned)

    /// Whether it takes some classes and not others.
    var namesClass: Bool { !Self.knownClass.isSubset(of: classes) }
    var namesDestination: Bool { asksAddress || !named.isEmpty }
    /// Whether it names ports rather than leaving some out.
    var namesPorts: Bool { ports.ranges.reduce(0) { $0 + $1.count } <= 1_024 }
}

extension RequirementWeakness {
    /// Whether code that nobody meant can meet the requirement without breaking a hash.
    fileprivate var isGrave: Bool {
        switch self {
        case .unproved, .anyAppleCertificate, .negativeOnly: true
        case .sha1Certificate, .tooManyWays: false
        }
    }

    fileprivate var problem: String {
        switch self {
        case .unproved(let way): "met by whoever writes this of himself: \(way)"
        case .anyAppleCertificate(let way): "met by every certificate that Apple issued, to anybody: \(way)"
        case .negativeOnly(let way): "met by whatever is not something: \(way)"
        case .sha1Certificate: "about a certificate named by its SHA-1, which collides"
        case .tooManyWays: "met in too many ways to look at each"
        }
    }

    fileprivate var mend: String {
        switch self {
        case .unproved:
            "add `anchor apple`, or `anchor apple generic` with the team (`certificate leaf[subject.OU] = …`); on "
                + "Linux `package` or `digest`"
        case .anyAppleCertificate: "add the team: `certificate leaf[subject.OU] = …`"
        case .negativeOnly: "say what the code must be"
        case .sha1Certificate: "ask for an anchor and a team"
        case .tooManyWays: "make it simpler, or split it"
        }
    }
}

extension RequirementExpression {
    /// Whether only unmodified programs of the system itself meet it, which load no code of others.
    fileprivate var isOfSystem: Bool {
        switch self {
        case .appleAnchor, .osAnchor, .unit: true
        case .and(let left, let right): left.isOfSystem || right.isOfSystem
        case .or(let left, let right): left.isOfSystem && right.isOfSystem
        default: false
        }
    }
}

extension Condition {
    /// The requirements it asks for, and whether meeting them or not meeting them fulfils it.
    fileprivate func codeUses(wanted: Bool) -> [(number: Int, isWanted: Bool)] {
        switch self {
        case .code(let references): references.map { ($0.number, wanted) }
        case .any(let conditions), .all(let conditions): conditions.flatMap { $0.codeUses(wanted: wanted) }
        case .not(let condition): condition.codeUses(wanted: !wanted)
        default: []
        }
    }
}
