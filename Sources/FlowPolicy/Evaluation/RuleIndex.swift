// SPDX-License-Identifier: Apache-2.0

// Finds the rule that decides without asking a thousand rules for their hosts.

internal import FlowModel

/// A set of lanes.
struct LaneSet: OptionSet, Sendable {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ lane: Lane) {
        switch lane {
        case .bypass: self.init(rawValue: 1)
        case .relay: self.init(rawValue: 2)
        case .inspect: self.init(rawValue: 4)
        case .block: self.init(rawValue: 8)
        }
    }

    /// In the order of `Lane`.
    var lanes: [Lane] { Lane.allCases.filter { contains(LaneSet($0)) } }
}

/// The rules that decide flows, in order, with one table of all the hosts they name.
///
/// Most rules fail on class, port or name. Those three are kept in a few bytes a rule, and names are looked up once for
/// all rules, so that only rules that may match are asked in full.
struct RuleIndex: Sendable {
    /// What the walk found.
    struct Found {
        enum Decider {
            /// The index of the rule.
            case rule(Int)
            /// No rule before the catch-all matched, and the identity is not known by this cause.
            case unknown(UnknownCause)
            case nothing
        }

        var decider = Decider.nothing
        /// The lanes, as the document has them, of earlier rules that wait for a name.
        var waiting: LaneSet = []
        /// The strongest proof that one of those asks for.
        var needs: NameProof?
    }

    /// What a rule certainly needs of a flow: no references, so that the walk over a thousand of them counts none.
    private struct Step: Sendable {
        let rule: Int32
        let lane: LaneSet
        /// The proof its names need; nil when it does not ask for names, or not only.
        let namesGate: NameProof?
        /// A bit for each class it takes, and all bits when it does not ask.
        var classes = UInt8.max
        /// The lowest and the highest port it takes.
        var ports: ClosedRange<UInt16> = 0...UInt16.max
        let isCatchAll: Bool

        init(_ rule: Rule, at place: Int32, _ lane: Lane) {
            self.rule = place
            self.lane = LaneSet(lane)
            namesGate = rule.namesGate?.proof
            isCatchAll = rule.conditions.isEmpty
            for condition in rule.conditions {
                if case .codeClass(let taken) = condition {
                    classes = taken.reduce(0) { $0 | IdentitySummary.Class.known($1).bit }
                } else if case .port(let ranges) = condition, let low = ranges.map(\.lowerBound).min(),
                    let high = ranges.map(\.upperBound).max()
                {
                    ports = low...high
                }
            }
        }
    }

    private var steps: [Step] = []
    private var exact: [Substring: [Int32]] = [:]
    private var below: [Substring: [Int32]] = [:]

    init(_ rules: [Rule]) {
        for (index, rule) in rules.enumerated() {
            guard case .flow(let lane, _) = rule.consequence else { continue }
            let place = Int32(truncatingIfNeeded: index)
            steps.append(Step(rule, at: place, lane))
            guard let names = rule.namesGate?.names else { continue }
            for name in names.exact { exact[name, default: []].append(place) }
            for name in names.below { below[name, default: []].append(place) }
        }
    }

    /// Walks the rules in order up to the one that decides.
    ///
    /// `ownVerdict` says whether a cause of not knowing the identity has a verdict that replaces the catch-all.
    func find(
        _ facts: FlowFacts, _ stage: NameStage, in rules: [Rule], ownVerdict: (UnknownCause) -> Bool
    ) -> Found {
        var found = Found()
        let namesSettled = stage == .final || facts.claimSettlesNames
        let classBit = facts.identity.codeClass.bit
        let port = facts.destination.port
        // Looked up when the first rule asks for a name, so that a rule on class before it costs next to nothing.
        var named: [Int32] = []
        var hasLookedUp = false
        var next = named.startIndex
        for step in steps {
            guard step.classes & classBit != 0, step.ports.contains(port) else { continue }
            if let proof = step.namesGate {
                if !hasLookedUp {
                    named = rulesNaming(facts.names)
                    hasLookedUp = true
                }
                while next < named.endIndex, named[next] < step.rule { next += 1 }
                if next == named.endIndex || named[next] != step.rule {
                    if namesSettled { continue }
                    // One waiting rule says as much as a hundred that wait for the same and go the same way.
                    if let needs = found.needs, needs >= proof, found.waiting.contains(step.lane) { continue }
                }
            }
            if step.isCatchAll { break }
            switch rules[Int(step.rule)].truth(facts, stage) {
            case .no, .unknown: continue
            case .waits(let proof):
                found.waiting.insert(step.lane)
                found.needs = max(proof, found.needs ?? proof)
            case .yes:
                found.decider = .rule(Int(step.rule))
                return found
            }
        }
        if case .unknown(let cause) = facts.identity.codeClass, ownVerdict(cause) {
            found.decider = .unknown(cause)
        } else if let last = steps.last, last.isCatchAll {
            found.decider = .rule(Int(last.rule))
        }
        return found
    }

    /// The rules whose table entries one of the names hits, in order.
    private func rulesNaming(_ names: [NameEvidence]) -> [Int32] {
        var hits: [Int32] = []
        for evidence in names {
            if !exact.isEmpty, let rules = exact[evidence.name.description[...]] { hits += rules }
            guard !below.isEmpty else { continue }
            for parent in evidence.name.parents {
                if let rules = below[parent] { hits += rules }
            }
        }
        if hits.count > 1 { hits.sort() }
        return hits
    }
}

extension IdentitySummary.Class {
    /// A bit of its own for each class; an unknown identity has one that no rule asks for by name.
    fileprivate var bit: UInt8 {
        switch self {
        case .known(.os): return 1
        case .known(.platformInteractive): return 2
        case .known(.userCarryingPinned): return 4
        case .known(.vendor): return 8
        case .known(.thirdParty): return 16
        case .known(.unsigned): return 32
        case .unknown: return 128
        }
    }
}
