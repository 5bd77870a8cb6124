// SPDX-License-Identifier: Apache-2.0

// Rules on programs: the operating system, tools of users, and programs that pin their servers.

internal import CodeIdentity
internal import FlowModel

extension PolicyCheck {
    mutating func programs() {
        for checked in active {
            guard let lane = checked.lane, let ways = checked.ways else { continue }
            switch lane {
            case .inspect, .block:
                system(checked, lane, ways)
                if lane == .inspect { pinned(checked, ways) }
            case .bypass, .relay:
                if lane == .relay { relayedSystem(checked, ways) }
                tools(checked, ways)
            }
        }
        spared()
    }

    /// Taking what the system does for itself breaks it: no rule may do so by name.
    private mutating func system(_ checked: Checked, _ lane: Lane, _ ways: [Region]) {
        if ways.contains(where: { $0.namesClass && takes(.os, $0, checked) }) {
            note(
                .osTaken, .error, checked,
                "would \(lane.rawValue) what the operating system does for itself (class os): updates, sign-in, "
                    + "certificate checks and name resolution break when they are taken",
                mend: "take `os` out of the classes, and begin with a rule `when: {class: os}`, `then: bypass`")
        } else if let row = rows(of: checked, ways, where: { $0.codeClass == .os }).first {
            note(
                .osTaken, .error, checked,
                "would \(lane.rawValue) \(row.id) of the operating system (\(row.role)): \(row.consequence)",
                mend: "make the requirement narrower, or bypass this program")
        }
    }

    /// Whether flows of a class come to this way of a rule, because nothing before it takes them all.
    private mutating func takes(_ codeClass: CodeClass, _ way: Region, _ checked: Checked) -> Bool {
        guard way.classes.contains(Choices(codeClass)) else { return false }
        var part = way
        part.classes = Choices(codeClass)
        return cover(of: [part], by: takers(before: checked)) == nil
    }

    private mutating func relayedSystem(_ checked: Checked, _ ways: [Region]) {
        guard ways.contains(where: { $0.namesClass && $0.classes.contains(Choices(.os)) }) else { return }
        note(
            .osRelayed, .warning, checked,
            "carries what the operating system does for itself (class os), which then waits for Weir and fails with it",
            mend: "write `then: bypass`: these flows are then never taken")
    }

    /// A rule that takes whatever comes takes the system too, where nothing has let it go before.
    private mutating func spared() {
        let open = active.first { checked in
            (checked.lane == .inspect || checked.lane == .block)
                && checked.ways?.contains {
                    !$0.namesClass && $0.code.isEmpty && !$0.namesDestination && takes(.os, $0, checked)
                } == true
        }
        guard let open else { return }
        note(
            .osNotSpared, .note, open,
            "takes what the operating system does for itself (class os) too, but for what the never set keeps out",
            mend: "put a rule `when: {class: os}`, `then: bypass` before it where Weir knows the programs")
    }

    /// A tool that does what a user wants carries whatever the user wants out.
    private mutating func tools(_ checked: Checked, _ ways: [Region]) {
        let open = ways.filter { !$0.namesDestination }
        let isNamed = open.contains { $0.namesClass && $0.classes.contains(Choices(.platformInteractive)) }
        let rows = isNamed ? [] : rows(of: checked, open, where: { $0.codeClass == .platformInteractive })
        guard isNamed || !rows.isEmpty else { return }
        let which = isNamed ? "class platform-interactive" : Self.listed(rows.map(\.id))
        note(
            .userTools, .warning, checked,
            "\(checked.letsOutText) for tools that send whatever a user tells them to, anywhere (\(which))",
            mend: isNamed
                ? "take `platform-interactive` out of the classes, or add `to` with the hosts that are meant"
                : "make the requirement narrower, or add `to` with the hosts that are meant")
    }

    /// What accepts only its own servers' certificates can be let go or refused, never read.
    private mutating func pinned(_ checked: Checked, _ ways: [Region]) {
        if ways.contains(where: { $0.namesClass && takes(.userCarryingPinned, $0, checked) }) {
            note(
                .pinnedInspected, .error, checked,
                "would inspect programs that accept only their own servers' certificates (class user-carrying-pinned): "
                    + "they would stop working, and nothing would be read",
                mend: "bypass or block them; management can turn their features off")
        } else if let row = rows(of: checked, ways, where: \.isPinned).first {
            note(
                .pinnedInspected, .error, checked,
                "would inspect \(row.id) (\(row.role)), which accepts only its own servers' certificates",
                mend: "bypass or block it"
                    + (row.restriction.map { "; the management restriction `\($0)` turns the feature off" } ?? ""))
        } else if let (row, isMeant) = pinnedHost(checked, ways) {
            note(
                .pinnedInspected, isMeant && row.evidence.decides ? .error : .warning, checked,
                "would inspect \(row.pattern), whose programs accept only its own certificate: \(row.reason)",
                mend: "relay or block this host in a rule before it")
        }
    }

    /// A pinned host among the names of a rule that comes to it, and whether the rule names just that: one on a whole
    /// domain may not know what lies below.
    private mutating func pinnedHost(_ checked: Checked, _ ways: [Region]) -> (row: HostRow, isMeant: Bool)? {
        for way in ways {
            for names in way.named {
                let entries = names.sets.flatMap { $0.entries(within: pinned.set, &budget) }
                if let entry = entries.first(where: { takes($0, names.proof, way, checked) }) {
                    return pinned.rows.first { entry.isWithin($0.pattern) }.map { ($0, true) }
                }
                let below = pinned.rows.first { row in
                    names.holdsAll(below: row.pattern.name.description[...])
                        && takes(row.pattern, names.proof, way, checked)
                }
                if let below { return (below, false) }
            }
        }
        return nil
    }

    private mutating func takes(_ host: HostPattern, _ proof: NameProof, _ way: Region, _ checked: Checked) -> Bool {
        var part = way
        var set = HostSet()
        set.insert(host)
        part.named.append(.init(sets: [set], proof: proof))
        return cover(of: [part], by: takers(before: checked)) == nil
    }

    /// The catalogue's programs that meet what a rule asks of code by name, and come to it.
    private mutating func rows(
        of checked: Checked, _ ways: [Region], where isMeant: (ProgramRow) -> Bool
    ) -> [ProgramRow] {
        let ways = ways.filter { !$0.code.isEmpty }
        guard !ways.isEmpty else { return [] }
        return policy.catalogues.programs.filter { row in
            row.evidence.decides && isMeant(row)
                && ways.contains { way in
                    meets(row, way) && row.codeClass.map { takes($0, way, checked) } ?? true
                }
        }
    }

    private mutating func meets(_ row: ProgramRow, _ way: Region) -> Bool {
        let requirements = policy.requirements
        func isMet(_ number: Int) -> Bool {
            requirements.indices.contains(number) && row.match.meets(requirements[number].compiled)
        }
        guard budget.spend() else { return false }
        return way.code.allSatisfy { clause in clause.contains(where: isMet) }
            && !way.notCode.contains(where: isMet)
    }

    static func listed(_ words: [String]) -> String {
        words.prefix(3).joined(separator: ", ") + (words.count > 3 ? " and \(words.count - 3) more" : "")
    }
}

extension ProgramRow.Match {
    /// Whether a program that the row describes can meet a requirement.
    ///
    /// For programs of a team or a package, whether the requirement asks for just that: their other facts stand in no
    /// row.
    fileprivate func meets(_ requirement: CompiledRequirement) -> Bool {
        switch self {
        case .applePlatform(let identifier):
            return requirement.evaluate(CodeEvidence.platformCode(identifier)) == .true
        case .team(let team, let identifier):
            let asked = requirement.expression.asked
            let field = RequirementExpression.certificateField(
                slot: 0, name: Array("subject.OU".utf8), .equal(Array(team.utf8)))
            guard asked.contains(field) else { return false }
            let identifiers = asked.compactMap { if case .identifier(let name) = $0 { name } else { nil } }
            return identifier.map { identifiers.isEmpty || identifiers.contains(Array($0.utf8)) } ?? true
        case .package(let package, let paths):
            let asked = requirement.expression.asked
            guard asked.contains(.package(Array(package.utf8))) else { return false }
            let asksPath = asked.compactMap { if case .path(.equal(let path)) = $0 { path } else { nil } }
            return paths.isEmpty || asksPath.isEmpty || paths.contains { asksPath.contains(Array($0.utf8)) }
        }
    }
}

extension RequirementExpression {
    /// The atoms that it asks for, those under `!` left out.
    fileprivate var asked: [RequirementExpression] {
        switch self {
        case .and(let left, let right), .or(let left, let right): left.asked + right.asked
        case .not: []
        default: [self]
        }
    }
}
