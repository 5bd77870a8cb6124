// SPDX-License-Identifier: Apache-2.0

// What decides before any rule is asked: exclusions, programs that are never taken, DNS.

internal import FlowModel

/// What decides before any rule is asked, with its verdicts ready-made.
struct Preemption: Sendable {
    enum Ground: Sendable, Hashable {
        case off
        /// An exclusion, by its place.
        case exclusion(Int)
        /// A catalogue row by which a program is never taken.
        case never(String)
        case dns
    }

    private let off: Verdict?
    private let exclusions: [Exclusion]
    // Rows of bits, a bit an exclusion, as in `RuleIndex`: an exclusion that cannot hold is not even copied.
    private let ports: IntervalTable<UInt16>
    private let v4: IntervalTable<UInt128>
    private let v6: IntervalTable<UInt128>
    /// Those that ask no address: of any link, then of links to neighbours.
    private let anywhere: BitRows
    private let excluded: [Verdict]
    private let never: [String: Verdict]
    private let neverOther: Verdict
    private let inspectedNeverRows: Set<String>
    private let dnsLeftAlone: Verdict
    private let dnsOthers: Verdict

    /// `verdict` makes a verdict of a lane, a code and a cause, as the mode allows.
    init(
        _ exclusions: [Exclusion], _ settings: PolicySettings, _ catalogues: Catalogues, isOff: Bool,
        _ verdict: (Lane, String, String) -> Verdict
    ) {
        off = isOff ? verdict(.bypass, "mode-off", "") : nil
        self.exclusions = exclusions
        let count = exclusions.count
        ports = IntervalTable(
            exclusions.enumerated().map { place, exclusion in
                let ports = exclusion.ports.isEmpty ? [0...UInt16.max] : exclusion.ports
                return (Intervals(ports), [Int32(truncatingIfNeeded: place)])
            }, rules: count)
        var prefixes: [(set: PrefixSet, places: [Int32])] = []
        var anywhere = BitRows(rows: 2, bits: count)
        for (place, exclusion) in exclusions.enumerated() {
            let bit = Int32(truncatingIfNeeded: place)
            switch exclusion.scope {
            case .prefixes(let own): prefixes.append((PrefixSet(own), [bit]))
            case .open: for row in 0...1 { anywhere.insert([bit], in: row) }
            case .peerToPeer: anywhere.insert([bit], in: 1)
            }
        }
        v4 = IntervalTable(prefixes.map { ($0.set.ranges(v4: true), $0.places) }, rules: count)
        v6 = IntervalTable(prefixes.map { ($0.set.ranges(v4: false), $0.places) }, rules: count)
        self.anywhere = anywhere
        excluded = exclusions.map { exclusion in
            verdict(
                .bypass, exclusion.tier == .never ? "never" : "excluded",
                "the exclusion \(exclusion.row): \(exclusion.reason)")
        }
        let rows = catalogues.programs.filter { $0.tier == .never }.map { "\($0.catalogue)/\($0.id)" }
        never = Dictionary(
            rows.map { ($0, verdict(.bypass, "never", "the catalogue row \($0): its program is never taken")) },
            uniquingKeysWith: { first, _ in first })
        neverOther = verdict(.bypass, "never", "a catalogue row: its program is never taken")
        inspectedNeverRows = Set(settings.inspectedNeverRows)
        dnsLeftAlone = verdict(
            .bypass, "dns", "`dns`: queries of the system, and of programs that are not known, are left alone")
        switch settings.dns {
        case .pass: dnsOthers = verdict(.bypass, "dns", "`dns: pass` leaves queries alone")
        case .report: dnsOthers = verdict(.relay, "dns", "`dns: report`: a program asks without the system's resolver")
        case .block: dnsOthers = verdict(.block, "dns", "`dns: block`: programs ask the system's resolver")
        }
    }

    var exclusionCount: Int { exclusions.count }

    func exclusion(_ place: Int) -> Exclusion { exclusions[place] }

    /// What decides the flow before the rules do, if anything does.
    func decide(_ facts: FlowFacts) -> (ground: Ground, verdict: Verdict)? {
        if let off { return (.off, off) }
        if let place = firstExclusion(facts) { return (.exclusion(place), excluded[place]) }
        if let row = facts.identity.neverRow, !isInspected(row) { return (.never(row), never[row] ?? neverOther) }
        guard facts.destination.port == 53 else { return nil }
        switch facts.identity.codeClass {
        case .unknown, .known(.os): return (.dns, dnsLeftAlone)
        case .known: return (.dns, dnsOthers)
        }
    }

    /// Whether some DNS query of a program of this class may be refused; `open` is what may still be learnt of it.
    func mayRefuseQueries(of codeClass: IdentitySummary.Class, _ open: Awaited) -> Bool {
        guard dnsOthers.lane == .block else { return false }
        switch codeClass {
        case .known(.os): return false
        case .known: return true
        case .unknown: return open.contains(.identity)
        }
    }

    /// Whether the policy has taken a row out of the never set by name.
    ///
    /// Rows may be named in full, `core-protocols/apns`, or by their id.
    func isInspected(_ row: String) -> Bool {
        inspectedNeverRows.contains { row == $0 || (row.hasSuffix($0) && row.dropLast($0.utf8.count).hasSuffix("/")) }
    }

    private func firstExclusion(_ facts: FlowFacts) -> Int? {
        let row = ports.row(of: facts.destination.port)
        let link = facts.interface == .peerToPeer ? 1 : 0
        let address = facts.destination.address
        let table = address?.isV4 == true ? v4 : v6
        let addressRow = address.map { table.row(of: $0.number) }
        for word in 0..<ports.rows.words {
            let scoped = anywhere[link, word] | (addressRow.map { table.rows[$0, word] } ?? 0)
            var candidates = ports.rows[row, word] & scoped
            while candidates != 0 {
                let place = word * 64 + candidates.trailingZeroBitCount
                candidates &= candidates - 1
                if exclusions[place].covers(facts.transport, facts.destination, facts.interface) { return place }
            }
        }
        return nil
    }
}
