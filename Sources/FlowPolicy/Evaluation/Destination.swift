// SPDX-License-Identifier: Apache-2.0

// The hosts and networks that a rule names.

internal import FlowModel

/// A set of host names: exact ones, and everything below others.
struct HostSet: Sendable {
    /// Keys are `Substring` so that the parents of a name can be looked up without copying it.
    private(set) var exact: Set<Substring> = []
    private(set) var below: Set<Substring> = []

    var isEmpty: Bool { exact.isEmpty && below.isEmpty }
    var count: Int { exact.count + below.count }

    /// Every entry, sorted: `a.example`, `*.b.example`.
    var texts: [String] { (exact.map(String.init) + below.map { "*.\($0)" }).sorted() }

    mutating func insert(_ pattern: HostPattern) {
        let name = pattern.name.description[...]
        if pattern.isBelow { below.insert(name) } else { exact.insert(name) }
    }

    mutating func insert(_ name: HostName) { insert(HostPattern(name)) }

    mutating func insert(below suffix: HostName) { insert(HostPattern(suffix, isBelow: true)) }

    mutating func formUnion(_ other: HostSet) {
        // The first list that a rule names is shared, not copied.
        if isEmpty {
            self = other
        } else {
            exact.formUnion(other.exact)
            below.formUnion(other.below)
        }
    }

    func contains(_ name: HostName) -> Bool {
        if !exact.isEmpty, exact.contains(name.description[...]) { return true }
        return !below.isEmpty && name.parents.contains { below.contains($0) }
    }
}

extension HostName {
    /// The names above this one, nearest first: `b.example`, `example` for `a.b.example`.
    var parents: some Sequence<Substring> {
        sequence(first: description[...]) { name in
            name.utf8.firstIndex(of: UInt8(ascii: ".")).map { name[name.utf8.index(after: $0)...] }
        }.dropFirst()
    }
}

/// The destinations that one `to` lists.
struct Destination: Sendable {
    var names = HostSet()
    var prefixes: [IPPrefix] = []
    /// What the document lists, in its order; lists and catalogues by their titles: `catalogue private-life`.
    var texts: [String] = []

    var count: Int { names.count + prefixes.count }

    /// Adds the destinations of a list or a catalogue.
    mutating func formUnion(_ other: Destination, _ title: String) {
        names.formUnion(other.names)
        prefixes += other.prefixes
        texts.append(title)
    }

    func truth(_ facts: FlowFacts, _ proof: NameProof, _ stage: NameStage) -> Truth {
        if !prefixes.isEmpty, let address = facts.destination.address,
            prefixes.contains(where: { $0.contains(address) })
        {
            return .yes
        }
        if !names.isEmpty {
            if facts.names.contains(where: { $0.proof >= proof && names.contains($0.name) }) { return .yes }
            if stage == .early, let wanted = mayStillMatch(facts, proof) { return .waits(wanted) }
        }
        // The address behind a name is not looked up, so a network can be neither hit nor missed.
        return prefixes.isEmpty || facts.destination.address != nil ? .no : .unknown
    }

    /// The proof that a name must still get before this could match; nil when it never will.
    private func mayStillMatch(_ facts: FlowFacts, _ proof: NameProof) -> NameProof? {
        // A resolver's word settles nothing: one address serves many names.
        guard facts.claimSettlesNames else { return max(proof, .claimed) }
        // A certificate proves the name that was claimed, so only that one can still rise.
        let awaitsProof = proof == .proved && !facts.names.contains { $0.proof == .proved }
        return awaitsProof && facts.names.contains { $0.proof == .claimed && names.contains($0.name) } ? .proved : nil
    }
}

extension FlowFacts {
    /// Whether the application has said where it goes, so that no other name is expected.
    var claimSettlesNames: Bool { names.contains { $0.proof >= .claimed } }
}
