// SPDX-License-Identifier: Apache-2.0

// Finds the rule that decides without asking a thousand rules.

internal import FlowModel

/// The rules that decide flows, in order, as rows of bits: a bit a rule, a row for each class, port range, network, ….
///
/// The rows of a flow's facts, laid over each other, leave the few rules that may match; only those are asked in full,
/// in order. (Bit vectors as in Lakshman and Stiliadis, SIGCOMM 1998.) A row may keep a rule that will say no, and
/// never drops one that would match, so the answer is that of asking them all.
struct RuleIndex: Sendable {
    /// What the walk found.
    struct Found {
        enum Decider: Sendable, Hashable {
            /// The place of the rule in `Policy.rules`.
            case rule(Int)
            /// No rule before the catch-all matched, and the identity is not known by this cause.
            case unknown(UnknownCause)
            case nothing
        }

        var decider = Decider.nothing
        /// Where the earlier rules lead that wait for what may still be learnt.
        var waiting = WaySet()
        /// What they wait for.
        var awaits: Awaited = []

        fileprivate mutating func note(_ way: Way, _ awaited: Awaited) {
            waiting.insert(way)
            awaits.formUnion(awaited)
        }
    }

    /// Names that rules ask for: those of one rule alone, or a list that many share.
    private struct Target {
        let names: HostSet.Part
        var rules: [Int32] = []
    }

    /// Rules that lead the same way and wait for the same: while they only wait, one says as much as all.
    private struct Family: Hashable {
        let way: Way
        let mayAwait: Awaited
    }

    /// What a rule asks beside its class, port and transport; a row of `asks` each.
    private enum Ask {
        /// A destination.
        static let destination = 0
        /// A destination that has names.
        static let name = 1
        /// A destination whose names a resolver's word does not fulfil.
        static let claim = 2
        /// The class or the code.
        static let identity = 3
        /// Requirements of this policy.
        static let code = 4
    }

    private static let heldRow = 7

    /// The stamp of the policy whose requirements are asked.
    private let stamp: UInt64
    private var places: [Int] = []
    /// All conditions of all rules, one rule after the other, and where those of each begin and end.
    private var conditions: [Condition] = []
    private var bounds: [Int] = [0]
    /// By the number of a requirement: the rules that ask for it.
    private var asking: [[Int32]] = []
    private var ways: [Way] = []
    private var catchAll: (place: Int, way: Way)?
    private var classes: BitRows
    private var transports: BitRows
    private var asks: BitRows
    private let ports: IntervalTable<UInt16>
    private let v4: IntervalTable<UInt128>
    private let v6: IntervalTable<UInt128>
    private let hosts: HostTable
    /// The rules of each target: one after the other, or a row when there are more of them than words in a row.
    private var targetRules: [(few: Range<Int>, row: Int?)] = []
    private var few: [Int32] = []
    private var many: BitRows
    private var families: [Family] = []
    private var familyRows: BitRows

    /// Indexes the rules at `places`; those behind the first one without conditions can never be reached.
    init(_ rules: [Rule], of stamp: UInt64, places: [Int], way: (Int) -> Way) {
        self.stamp = stamp
        for place in places {
            if rules[place].conditions.isEmpty {
                catchAll = (place, way(place))
                break
            }
            self.places.append(place)
            ways.append(way(place))
        }
        let count = self.places.count
        classes = BitRows(rows: 8, bits: count)
        transports = BitRows(rows: 2, bits: count)
        asks = BitRows(rows: 5, bits: count)
        var portSets: [Int32: Intervals<UInt16>] = [:]
        var networks: [(prefixes: PrefixSet, rules: [Int32])] = []
        var targets: [Target] = []
        var shared: [ObjectIdentifier: Int] = [:]
        var members: [Family: [Int32]] = [:]
        for (number, place) in self.places.enumerated() {
            let step = Int32(truncatingIfNeeded: number)
            let conditions = rules[place].conditions
            var rows = Set(0...Self.heldRow)
            var taken: Set<Transport> = [.tcp, .udp]
            for condition in conditions {
                switch condition {
                case .codeClass(let classes):
                    rows.formIntersection(classes.map { IdentitySummary.Class.known($0).row } + [Self.heldRow])
                    asks.insert(CollectionOfOne(step), in: Ask.identity)
                case .code(let references):
                    rows.remove(IdentitySummary.Class.unknown(.unresolved).row)
                    // Of two such conditions the first will do: the rest is asked in full.
                    if asks[Ask.code, number / 64] & 1 << UInt64(number % 64) == 0,
                        references.allSatisfy({ $0.policy == stamp && $0.number >= 0 })
                    {
                        asks.insert(CollectionOfOne(step), in: Ask.code)
                        for reference in references {
                            while asking.count <= reference.number { asking.append([]) }
                            asking[reference.number].append(step)
                        }
                    }
                    asks.insert(CollectionOfOne(step), in: Ask.identity)
                case .transport(let transports): taken.formIntersection(transports)
                case .port(let ranges) where portSets[step] == nil: portSets[step] = Intervals(ranges)
                default: continue
                }
            }
            self.conditions += conditions
            bounds.append(self.conditions.count)
            for row in rows { classes.insert(CollectionOfOne(step), in: row) }
            for transport in taken { transports.insert(CollectionOfOne(step), in: transport.row) }
            if let gate = Self.gate(conditions) {
                asks.insert(CollectionOfOne(step), in: Ask.destination)
                if !gate.names.isEmpty { asks.insert(CollectionOfOne(step), in: Ask.name) }
                if gate.proof > .resolved { asks.insert(CollectionOfOne(step), in: Ask.claim) }
                if !gate.prefixes.isEmpty { networks.append((gate.prefixes, [step])) }
                for names in gate.names.parts {
                    let target = shared[names.identity] ?? targets.count
                    if target == targets.count {
                        shared[names.identity] = target
                        targets.append(Target(names: names))
                    }
                    targets[target].rules.append(step)
                }
            }
            let mayAwait = conditions.reduce([] as Awaited) { $0.union($1.mayAwait) }
            members[Family(way: ways[number], mayAwait: mayAwait), default: []].append(step)
        }
        let all = (0..<count).map { Int32(truncatingIfNeeded: $0) }
        ports = IntervalTable(
            [(Intervals([0...UInt16.max]), all.filter { portSets[$0] == nil })] + portSets.map { ($1, [$0]) },
            rules: count)
        v4 = IntervalTable(networks.map { ($0.prefixes.ranges(v4: true), $0.rules) }, rules: count)
        v6 = IntervalTable(networks.map { ($0.prefixes.ranges(v4: false), $0.rules) }, rules: count)
        hosts = HostTable(targets.map(\.names))
        let words = asks.words
        many = BitRows(rows: targets.count { $0.rules.count > words }, bits: count)
        familyRows = BitRows(rows: members.count, bits: count)
        var row = 0
        for target in targets {
            if target.rules.count > words {
                many.insert(target.rules, in: row)
                targetRules.append((0..<0, row))
                row += 1
            } else {
                targetRules.append((few.count..<few.count + target.rules.count, nil))
                few += target.rules
            }
        }
        for (family, steps) in members {
            familyRows.insert(steps, in: families.count)
            families.append(family)
        }
    }

    /// The destination that must be hit before the rule can match.
    private static func gate(_ conditions: [Condition]) -> (names: HostSet, prefixes: PrefixSet, proof: NameProof)? {
        for case .to(let destination, let proof) in conditions {
            return (destination.names, destination.prefixes, proof)
        }
        for case .address(let prefixes) in conditions { return (HostSet(), prefixes, .proved) }
        return nil
    }

    /// Walks the rules in order up to the one that decides.
    ///
    /// `open` is what may still be learnt; `standsAside` says that the cause of not knowing the identity has a verdict
    /// that replaces the catch-all.
    func find(_ facts: FlowFacts, _ open: Awaited, standsAside: Bool) -> Found {
        // A thousand rules take 256 bytes: memory on the stack, as up to 1,024 are.
        let words = asks.words
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * words) { scratch in
            find(
                facts, open, standsAside, hits: UnsafeMutableBufferPointer(rebasing: scratch[..<words]),
                met: UnsafeMutableBufferPointer(rebasing: scratch[words...]))
        }
    }

    private func find(
        _ facts: FlowFacts, _ open: Awaited, _ standsAside: Bool,
        hits: UnsafeMutableBufferPointer<UInt64>, met: UnsafeMutableBufferPointer<UInt64>
    ) -> Found {
        var found = Found()
        let identity = facts.identity.codeClass
        let isHeld = identity.isUnknown && open.contains(.identity)
        let classRow = isHeld ? Self.heldRow : identity.row
        let portRow = ports.row(of: facts.destination.port)
        let isNamed = !open.contains(.claimed) || facts.claimSettlesNames
        // Names and requirements are looked up when the first rule asks, so that a rule on class before it costs next to nothing.
        var isLookedUp = false
        var isMet = false
        for word in 0..<asks.words {
            /// Rules that can only wait, and whose like waits already.
            func silenced() -> UInt64 {
                guard !found.awaits.isEmpty else { return 0 }
                // Rules that ask for a name are looked up before the first of them is asked.
                let nameless = isNamed || !isLookedUp ? 0 : asks[Ask.claim, word] & ~hits[word]
                let cannotMatch =
                    nameless | (isHeld ? asks[Ask.identity, word] : 0)
                guard cannotMatch != 0 else { return 0 }
                var alike: UInt64 = 0
                for (number, family) in families.enumerated()
                where found.waiting.contains(family.way)
                    && found.awaits.isSuperset(of: family.mayAwait.intersection(open))
                {
                    alike |= familyRows[number, word]
                }
                return alike & cannotMatch
            }
            var candidates =
                classes[classRow, word] & ports.rows[portRow, word] & transports[facts.transport.row, word]
            candidates &= ~silenced()
            let searching = asks[Ask.destination, word] | (isHeld ? 0 : asks[Ask.code, word])
            var isNarrowed = false
            while candidates != 0 {
                if !isNarrowed, candidates & (~candidates &+ 1) & searching != 0 {
                    isNarrowed = true
                    if candidates & asks[Ask.destination, word] != 0 {
                        if !isLookedUp { lookUp(facts, into: hits) }
                        isLookedUp = true
                        let reached = hits[word] | (isNamed ? 0 : asks[Ask.name, word])
                        candidates &= ~asks[Ask.destination, word] | reached
                    }
                    if !isHeld, candidates & asks[Ask.code, word] != 0 {
                        if !isMet { meet(facts.identity.requirements, into: met) }
                        isMet = true
                        candidates &= ~asks[Ask.code, word] | met[word]
                    }
                    candidates &= ~silenced()
                    continue
                }
                let step = word * 64 + candidates.trailingZeroBitCount
                candidates &= candidates - 1
                switch conditions[bounds[step]..<bounds[step + 1]].truth(facts, open) {
                case .no, .unknown: continue
                case .waits(let awaited):
                    found.note(ways[step], awaited)
                    candidates &= ~silenced()
                case .yes:
                    found.decider = .rule(places[step])
                    return found
                }
            }
        }
        if standsAside, case .unknown(let cause) = identity {
            found.decider = .unknown(cause)
            // Once the program is known, what stood aside decides.
            if isHeld { found.note(catchAll?.way ?? Way(.bypass, nil), .identity) }
        } else if let catchAll {
            found.decider = .rule(catchAll.place)
        }
        return found
    }

    /// Marks the rules one of whose requirements the program meets.
    private func meet(_ results: RequirementResults?, into met: UnsafeMutableBufferPointer<UInt64>) {
        met.update(repeating: 0)
        // The results of another policy say nothing to this one.
        guard let results, results.policy == stamp else { return }
        results.forEachSatisfied { requirement in
            guard requirement < asking.count else { return }
            for step in asking[requirement] { met[Int(step) / 64] |= 1 << UInt64(step % 64) }
        }
    }

    /// Marks the rules that one of the names or the address hits.
    private func lookUp(_ facts: FlowFacts, into hits: UnsafeMutableBufferPointer<UInt64>) {
        hits.update(repeating: 0)
        if let address = facts.destination.address {
            let table = address.isV4 ? v4 : v6
            let row = table.row(of: address.number)
            for word in hits.indices { hits[word] = table.rows[row, word] }
        }
        for evidence in facts.names {
            hosts.forEachSet(holding: evidence.name) { target in
                let rules = targetRules[target]
                if let row = rules.row {
                    for word in hits.indices { hits[word] |= many[row, word] }
                } else {
                    for step in few[rules.few] { hits[Int(step) / 64] |= 1 << UInt64(step % 64) }
                }
            }
        }
    }
}

extension Transport {
    fileprivate var row: Int { self == .tcp ? 0 : 1 }
}

extension IdentitySummary.Class {
    fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }

    /// A row of its own for each class, and one for an identity that is not known and will not be.
    fileprivate var row: Int {
        switch self {
        case .known(.os): return 0
        case .known(.platformInteractive): return 1
        case .known(.userCarryingPinned): return 2
        case .known(.vendor): return 3
        case .known(.thirdParty): return 4
        case .known(.unsigned): return 5
        case .unknown: return 6
        }
    }
}
