// SPDX-License-Identifier: Apache-2.0

// From the conditions of a rule to the ways in which they can be met.

internal import CodeIdentity
internal import FlowModel

/// Turns conditions into the regions whose union is what they hold for.
///
/// A condition lists something: the reader lets none through that does not.
struct RegionWays {
    /// For each requirement, the first one that asks the same: two names of one requirement are no difference.
    private let sameCode: [Int]

    init(_ requirements: [PolicyRequirement]) {
        var first: [RequirementExpression: Int] = [:]
        sameCode = requirements.enumerated().map { number, requirement in
            let earlier = first[requirement.compiled.expression]
            if earlier == nil { first[requirement.compiled.expression] = number }
            return earlier ?? number
        }
    }

    /// The ways to meet all of the conditions, none of them empty; nil for too many.
    func ways(_ conditions: [Condition], _ budget: inout CheckBudget) -> [Region]? {
        ways(conditions, hold: true, &budget)
    }

    /// All of the conditions hold, or all of them certainly do not.
    private func ways(_ conditions: [Condition], hold: Bool, _ budget: inout CheckBudget) -> [Region]? {
        var met = [Region.everything]
        for condition in conditions {
            guard let next = ways(condition, holds: hold, &budget) else { return nil }
            guard let both = product(met, next, &budget) else { return nil }
            met = both
        }
        return met
    }

    private func product(_ some: [Region], _ others: [Region], _ budget: inout CheckBudget) -> [Region]? {
        var met: [Region] = []
        for one in some {
            for other in others {
                let both = one.meeting(other)
                guard budget.spend(1 + both.weight / 8) else { return nil }
                if !both.isEmpty(&budget) { met.append(both) }
                guard met.count <= PolicyLimits.checkWays.value else { return nil }
            }
        }
        return met
    }

    private func either(_ conditions: [Condition], holds: Bool, _ budget: inout CheckBudget) -> [Region]? {
        var met: [Region] = []
        for condition in conditions {
            guard let ways = ways(condition, holds: holds, &budget) else { return nil }
            met += ways
            guard met.count <= PolicyLimits.checkWays.value else { return nil }
        }
        return met
    }

    private func ways(_ condition: Condition, holds: Bool, _ budget: inout CheckBudget) -> [Region]? {
        switch condition {
        case .all(let inner):
            return holds ? ways(inner, hold: true, &budget) : either(inner, holds: false, &budget)
        case .any(let inner):
            return holds ? either(inner, holds: true, &budget) : ways(inner, hold: false, &budget)
        case .not(let inner): return ways(inner, holds: !holds, &budget)
        case .to(let destination, let proof):
            guard budget.spend(destination.prefixes.count) else { return nil }
            return ways(to: destination, proof, holds: holds)
        case .address(let prefixes):
            guard budget.spend(prefixes.count) else { return nil }
            return [addressed(prefixes, holds: holds)]
        default: return [side(condition, holds: holds)]
        }
    }

    /// A destination is met by name or by address, and missed only by both.
    private func ways(to destination: Destination, _ proof: NameProof, holds: Bool) -> [Region] {
        let sets = destination.names.sets.filter { !$0.isEmpty }
        let names = Region.Names(sets: sets, proof: proof)
        let addressed = destination.prefixes.isEmpty ? nil : addressed(destination.prefixes, holds: holds)
        if holds {
            var ways = addressed.map { [$0] } ?? []
            if !sets.isEmpty {
                var region = Region.everything
                region.named = [names]
                ways.append(region)
            }
            return ways
        }
        var region = addressed ?? .everything
        if !sets.isEmpty { region.notNamed = [names] }
        return [region]
    }

    private func addressed(_ prefixes: some Collection<IPPrefix>, holds: Bool) -> Region {
        var region = Region.everything
        let asked = Segments(prefixes.map(\.keys))
        region.addresses = holds ? asked : Region.knownAddress.subtracting(asked)
        region.asksAddress = holds
        return region
    }

    /// What one condition that asks for a single fact leaves.
    private func side(_ condition: Condition, holds: Bool) -> Region {
        var region = Region.everything
        let pick = { (asked: Choices, all: Choices) in holds ? asked : all.subtracting(asked) }
        switch condition {
        case .codeClass(let classes):
            region.classes = pick(Choices(classes, of: CodeClass.allCases), Region.knownClass)
        case .transport(let transports):
            region.transports = pick(Choices(transports, of: Region.transportKinds), Region.anyTransport)
        case .intake(let intakes):
            region.intakes = pick(Choices(intakes, of: ConditionReader.intakes), Region.anyIntake)
        case .interface(let classes):
            region.interfaces = pick(Choices(classes, of: InterfaceClass.allCases), Region.knownInterface)
        case .session(let kinds):
            region.sessions = pick(Choices(kinds, of: SessionKind.allCases), Region.knownSession)
        case .port(let ranges):
            let asked = Segments(ranges.map { Int($0.lowerBound)..<(Int($0.upperBound) + 1) })
            region.ports = holds ? asked : Region.anyPort.subtracting(asked)
        case .user(let ranges):
            let asked = Segments(ranges.map { Int64($0.lowerBound)..<(Int64($0.upperBound) + 1) })
            region.users = holds ? asked : Region.knownUser.subtracting(asked)
        case .code(let references):
            let numbers = Set(references.map { sameCode.indices.contains($0.number) ? sameCode[$0.number] : $0.number })
            // Requirements are judged for known code only.
            region.classes = Region.knownClass
            if holds { region.code = [numbers] } else { region.notCode = numbers }
        case .executable(let patterns):
            if holds { region.executables = [patterns] } else { region.notExecutables = patterns }
        case .applicationProtocol(let names):
            if holds { region.protocols = [Set(names)] } else { region.notProtocols = [Set(names)] }
        case .time(let window): region.time = holds ? TimeRegion(within: window) : TimeRegion(outside: window)
        case .any, .all, .not, .to, .address: break
        }
        return region
    }
}

extension Exclusion {
    /// The flows that it leaves alone.
    var region: Region {
        var region = Region.everything
        region.transports = Choices(transports, of: Region.transportKinds)
        if !ports.isEmpty { region.ports = Segments(ports.map { Int($0.lowerBound)..<(Int($0.upperBound) + 1) }) }
        switch scope {
        case .open: break
        case .peerToPeer: region.interfaces = Choices([InterfaceClass.peerToPeer], of: InterfaceClass.allCases)
        case .prefixes(let prefixes): region.addresses = Segments(prefixes.map(\.keys))
        }
        return region
    }
}
