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
/// "Not known" is a value like any other, because neither a condition nor its opposite holds for it. The claims made here
/// err to one side: a region called empty is empty and one called within another is within it, while the opposite may
/// only mean that it is not plain.
struct Region: Sendable {
    struct Names: Sendable {
        var set: HostSet
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
    /// Whether anything is asked of the code's requirements, so that they must have been judged.
    var asksCode = false
    /// For each entry, the path matches one of these patterns.
    var executables: [[ExecutablePattern]] = []
    var notExecutables: [ExecutablePattern] = []
    var asksExecutable = false
    var protocols: [Set<String>] = []
    var notProtocols: [Set<String>] = []
    var time = TimeRegion()

    static let transportKinds: [Transport] = [.tcp, .udp]
    static let anyTransport = Choices(transportKinds, of: transportKinds)
    static let anyIntake = Choices(ConditionReader.intakes, of: ConditionReader.intakes)
    static let knownClass = Choices(CodeClass.allCases, of: CodeClass.allCases)
    static let knownInterface = Choices(InterfaceClass.allCases, of: InterfaceClass.allCases)
    static let knownSession = Choices(SessionKind.allCases, of: SessionKind.allCases)
    static let anyPort = Intervals([0..<65_536])
    /// -1 stands for "not known".
    static let knownUser = Intervals<Int64>([0..<(1 << 32)])
    static let anyUser = Intervals<Int64>([-1..<(1 << 32)])
    static let knownAddress = Intervals([AddressKey.known])
    static let anyAddress = Intervals([AddressKey.unknown..<AddressKey.known.upperBound])

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
        both.asksCode = asksCode || other.asksCode
        both.executables += other.executables
        both.notExecutables += other.notExecutables
        both.asksExecutable = asksExecutable || other.asksExecutable
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
                if asked.set.isWithin(refused.set, &budget) { return true }
            }
        }
        // A flow has one proved name. A claimed one and a proved one may differ.
        let proved = named.filter { $0.proof == .proved }
        for (index, one) in proved.enumerated() {
            for other in proved[..<index] where one.set.isDisjoint(with: other.set, &budget) { return true }
        }
        return false
    }

    private func executablesContradict(_ budget: inout CheckBudget) -> Bool {
        for (index, asked) in executables.enumerated() {
            let isRefused = asked.allSatisfy { one in
                notExecutables.contains { budget.spend() && one.isWithin($0) }
            }
            if isRefused { return true }
            for other in executables[..<index] {
                let isApart = asked.allSatisfy { one in other.allSatisfy { budget.spend() && one.isDisjoint(with: $0) }
                }
                if isApart { return true }
            }
        }
        return false
    }

    /// Whether every flow of this is in the other, at whatever stage its facts are.
    func isWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        guard budget.spend(), classes.isSubset(of: other.classes), transports.isSubset(of: other.transports),
            intakes.isSubset(of: other.intakes), interfaces.isSubset(of: other.interfaces),
            sessions.isSubset(of: other.sessions), asksCode || !other.asksCode,
            asksExecutable || !other.asksExecutable,
            ports.isWithin(other.ports, &budget), users.isWithin(other.users, &budget), time.isWithin(other.time)
        else { return false }
        let isCoded = other.code.allSatisfy { wanted in
            code.contains { budget.spend() && $0.subtracting(notCode).isSubset(of: wanted) }
        }
        guard isCoded, other.notCode.isSubset(of: notCode) else { return false }
        let speaks =
            other.protocols.allSatisfy { wanted in
                protocols.contains { budget.spend() && $0.isSubset(of: wanted) }
            }
            && other.notProtocols.allSatisfy { refused in
                notProtocols.contains { budget.spend() && refused.isSubset(of: $0) }
            }
        return speaks && runsWithin(other, &budget) && isNamedWithin(other, &budget)
            && addresses.isWithin(other.addresses, &budget)
    }

    private func runsWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        other.executables.allSatisfy { wanted in
            executables.contains { asked in
                asked.allSatisfy { one in wanted.contains { budget.spend() && one.isWithin($0) } }
            }
        }
            && other.notExecutables.allSatisfy { refused in
                notExecutables.contains { budget.spend() && refused.isWithin($0) }
                    || executables.contains { asked in
                        asked.allSatisfy { budget.spend() && $0.isDisjoint(with: refused) }
                    }
            }
    }

    /// A refusal holds early only when no name in it may still come; one of more names and of no stronger proof says that
    /// of fewer names too.
    private func isNamedWithin(_ other: Region, _ budget: inout CheckBudget) -> Bool {
        for wanted in other.named {
            var isNamed = false
            for asked in named where asked.proof >= wanted.proof && !isNamed {
                isNamed = asked.set.isWithin(wanted.set, &budget)
            }
            guard isNamed else { return false }
        }
        for refused in other.notNamed {
            var isRefused = false
            for mine in notNamed where mine.proof <= refused.proof && !isRefused {
                isRefused = refused.set.isWithin(mine.set, &budget)
            }
            guard isRefused else { return false }
        }
        return true
    }
}
