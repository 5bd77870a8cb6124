// SPDX-License-Identifier: Apache-2.0

// The flows that fulfil one way to meet a rule's conditions, as a region with one side for each fact.

internal import FlowModel

/// Some of a few values; the highest bit stands for "not known".
struct Choices: OptionSet, Sendable {
    let rawValue: UInt16

    static let unknown = Choices(rawValue: 1 << 15)

    init(rawValue: UInt16) { self.rawValue = rawValue }

    init<Value: Equatable>(_ values: [Value], of all: [Value]) {
        rawValue = all.indices.filter { $0 < 15 && values.contains(all[$0]) }.reduce(0) { $0 | 1 << UInt16($1) }
    }

    init(_ classes: CodeClass...) { self.init(classes, of: CodeClass.allCases) }
}

/// A conjunction of what conditions ask, each condition either fulfilled or certainly not.
///
/// "Not known" is a value like any other, because neither a condition nor its opposite holds for it. The claims made
/// here err to one side: a region called empty is empty and one called within another is within it, while the opposite
/// may only mean that it is not plain.
struct Region: Sendable {
    /// Names that a flow must have, or must not have, known at least so well.
    struct Names: Sendable {
        /// The hosts in all of these; none of them empty.
        var sets: [HostSet]
        var proof: NameProof
    }

    var classes = Self.knownClass.union(.unknown)
    var transports = Self.anyTransport
    var intakes = Self.anyIntake
    var interfaces = Self.knownInterface.union(.unknown)
    var sessions = Self.knownSession.union(.unknown)
    var ports = Self.anyPort
    var users = Self.anyUser
    var addresses = Self.anyAddress
    /// Whether an address is asked for, not only ruled out.
    var asksAddress = false
    /// For each entry, the flow has a name in it.
    var named: [Names] = []
    /// For each entry, the flow has no name in it, and none that may still come.
    var notNamed: [Names] = []
    /// For each entry, the code meets one of these requirements.
    var code: [Set<Int>] = []
    var notCode: Set<Int> = []
    /// For each entry, the path matches one of these patterns.
    var executables: [[ExecutablePattern]] = []
    var notExecutables: [ExecutablePattern] = []
    var protocols: [Set<String>] = []
    var notProtocols: [Set<String>] = []
    var time = TimeRegion()

    static let transportKinds: [Transport] = [.tcp, .udp]
    static let anyTransport = Choices(transportKinds, of: transportKinds)
    static let anyIntake = Choices(ConditionReader.intakes, of: ConditionReader.intakes)
    static let knownClass = Choices(CodeClass.allCases, of: CodeClass.allCases)
    static let knownInterface = Choices(InterfaceClass.allCases, of: InterfaceClass.allCases)
    static let knownSession = Choices(SessionKind.allCases, of: SessionKind.allCases)
    static let anyPort = Segments([0..<65_536])
    /// -1 stands for "not known".
    static let knownUser = Segments<Int64>([0..<(1 << 32)])
    static let anyUser = Segments<Int64>([-1..<(1 << 32)])
    static let knownAddress = Segments(AddressKey.known)
    static let anyAddress = Segments([AddressKey.unknown] + AddressKey.known)

    /// What it costs to compare what is listed in it, one with another.
    var weight: Int {
        let listed = named.count + notNamed.count + code.count + executables.count + notExecutables.count
        let others = protocols.count + notProtocols.count + time.count
        return (listed + others) * (listed + others) + notCode.count + ports.ranges.count + users.ranges.count
            + addresses.ranges.count
    }

    /// Every flow.
    static let everything = Region()

    /// The flows of both.
    func meeting(_ other: Region) -> Region {
        var both = self
        both.classes.formIntersection(other.classes)
        both.transports.formIntersection(other.transports)
        both.intakes.formIntersection(other.intakes)
        both.interfaces.formIntersection(other.interfaces)
        both.sessions.formIntersection(other.sessions)
        both.ports = ports.intersection(other.ports)
        both.users = users.intersection(other.users)
        both.addresses = addresses.intersection(other.addresses)
        both.asksAddress = asksAddress || other.asksAddress
        both.named += other.named
        both.notNamed += other.notNamed
        both.code += other.code
        both.notCode.formUnion(other.notCode)
        both.executables += other.executables
        both.notExecutables += other.notExecutables
        both.protocols += other.protocols
        both.notProtocols += other.notProtocols
        both.time = time.meeting(other.time)
        return both
    }

    /// Whether no flow can be in it.
    func isEmpty(_ budget: inout CheckBudget) -> Bool {
        if classes.isEmpty || transports.isEmpty || intakes.isEmpty || interfaces.isEmpty || sessions.isEmpty
            || ports.isEmpty || users.isEmpty || addresses.isEmpty || time.isEmpty
        {
            return true
        }
        if code.contains(where: { $0.isSubset(of: notCode) }) { return true }
        if protocols.contains(where: { asked in notProtocols.contains { asked.isSubset(of: $0) } }) { return true }
        return namesContradict(&budget) || executablesContradict(&budget)
    }

    private func namesContradict(_ budget: inout CheckBudget) -> Bool {
        for asked in named {
            for refused in notNamed where asked.proof >= refused.proof {
                if asked.isWithin(refused, &budget) { return true }
            }
        }
        // A flow has one proved name. A claimed one and a proved one may differ.
        let proved = named.filter { $0.proof == .proved }
        for (index, one) in proved.enumerated() {
            for other in proved[..<index] where one.isDisjoint(with: other, &budget) { return true }
        }
        return false
    }

    private func executablesContradict(_ budget: inout CheckBudget) -> Bool {
        for (index, asked) in executables.enumerated() {
            let isRefused = asked.allSatisfy { one in
                notExecutables.contains { one.isWithin($0, &budget) }
            }
            if isRefused { return true }
            for other in executables[..<index] {
                let isApart = asked.allSatisfy { one in other.allSatisfy { one.isDisjoint(with: $0, &budget) }
                }
                if isApart { return true }
            }
        }
        return false
    }

    /// Whether every flow of this is in the other, at whatever stage its facts are.
    func isWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        // What most pairs of rules differ in comes first.
        guard budget.spend(), classes.isSubset(of: other.classes), transports.isSubset(of: other.transports),
            isNamedWithin(other, &budget), ports.isWithin(other.ports, &budget)
        else { return false }
        return intakes.isSubset(of: other.intakes) && interfaces.isSubset(of: other.interfaces)
            && sessions.isSubset(of: other.sessions) && users.isWithin(other.users, &budget)
            && addresses.isWithin(other.addresses, &budget) && time.isWithin(other.time)
            && meetsCode(of: other, &budget) && speaks(within: other, &budget) && runsWithin(other, &budget)
    }

    private func meetsCode(of other: Region, _ budget: inout CheckBudget) -> Bool {
        other.notCode.isSubset(of: notCode)
            && other.code.allSatisfy { wanted in
                code.contains { budget.spend() && $0.subtracting(notCode).isSubset(of: wanted) }
            }
    }

    private func speaks(within other: Region, _ budget: inout CheckBudget) -> Bool {
        other.protocols.allSatisfy { wanted in protocols.contains { budget.spend() && $0.isSubset(of: wanted) } }
            && other.notProtocols.allSatisfy { refused in
                notProtocols.contains { budget.spend() && refused.isSubset(of: $0) }
            }
    }

    private func runsWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        other.executables.allSatisfy { wanted in
            executables.contains { asked in
                asked.allSatisfy { one in wanted.contains { one.isWithin($0, &budget) } }
            }
        }
            && other.notExecutables.allSatisfy { refused in
                notExecutables.contains { refused.isWithin($0, &budget) }
                    || executables.contains { asked in
                        asked.allSatisfy { $0.isDisjoint(with: refused, &budget) }
                    }
            }
    }

    /// A refusal holds early only when no name in it may still come; one of more names says that of fewer names too.
    private func isNamedWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        for wanted in other.named {
            var isNamed = false
            for asked in named where asked.proof >= wanted.proof && !isNamed {
                isNamed = asked.isWithin(wanted, &budget)
            }
            guard isNamed else { return false }
        }
        for refused in other.notNamed {
            var isRefused = false
            for mine in notNamed where mine.proof == refused.proof && !isRefused {
                isRefused = refused.isWithin(mine, &budget)
            }
            guard isRefused else { return false }
        }
        return true
    }
}
