// SPDX-License-Identifier: Apache-2.0

// The hosts and networks that a rule names.

internal import FlowModel

/// A set of host names: exact ones, and everything below others.
///
/// Sets that were taken in are shared, not copied: a list of a hundred thousand hosts exists once, however many rules
/// name it, and the index knows it again.
struct HostSet: Sendable {
    /// Names in tables of their own.
    struct Part: Sendable {
        /// Keys are `Substring` so that the parents of a name can be looked up without copying it.
        fileprivate(set) var exact: Set<Substring> = []
        fileprivate(set) var below: Set<Substring> = []
        /// Equal in two parts only when their names are the same.
        fileprivate var token = Token()

        fileprivate func contains(_ name: HostName) -> Bool {
            if !exact.isEmpty, exact.contains(name.description[...]) { return true }
            return !below.isEmpty && name.parents.contains { below.contains($0) }
        }

        fileprivate func holds(_ pattern: HostPattern) -> Bool {
            (pattern.isBelow ? below : exact).contains(pattern.name.description[...])
        }

        var identity: ObjectIdentifier { ObjectIdentifier(token) }
    }

    fileprivate final class Token: Sendable {}

    private(set) var parts: [Part] = []

    /// The sets that it was made of, each by itself.
    var sets: [HostSet] { parts.map { HostSet(parts: [$0]) } }

    var isEmpty: Bool { parts.isEmpty }
    /// How many entries there are; one that stands in two shared sets counts twice.
    var count: Int { parts.reduce(0) { $0 + $1.exact.count + $1.below.count } }
    var exact: Set<Substring> { parts.count == 1 ? parts[0].exact : parts.reduce(into: []) { $0.formUnion($1.exact) } }
    var below: Set<Substring> { parts.count == 1 ? parts[0].below : parts.reduce(into: []) { $0.formUnion($1.below) } }

    /// Every entry, sorted: `a.example`, `*.b.example`.
    var texts: [String] { (exact.map(String.init) + below.map { "*.\($0)" }).sorted() }

    /// Takes a name or everything below one in; false when it was there.
    @discardableResult
    mutating func insert(_ pattern: HostPattern) -> Bool {
        guard !parts.contains(where: { $0.holds(pattern) }) else { return false }
        // The last part is this set's own unless somebody else holds it too.
        if parts.isEmpty || !isKnownUniquelyReferenced(&parts[parts.count - 1].token) { parts.append(Part()) }
        let name = pattern.name.description[...]
        if pattern.isBelow {
            parts[parts.count - 1].below.insert(name)
        } else {
            parts[parts.count - 1].exact.insert(name)
        }
        return true
    }

    mutating func insert(_ name: HostName) { insert(HostPattern(name)) }

    mutating func insert(below suffix: HostName) { insert(HostPattern(suffix, isBelow: true)) }

    mutating func formUnion(_ other: HostSet) {
        let known = Set(parts.map(\.identity))
        parts += other.parts.filter { !known.contains($0.identity) }
    }

    func contains(_ name: HostName) -> Bool { parts.contains { $0.contains(name) } }
}

extension HostName {
    /// The names above this one, nearest first: `b.example`, `example` for `a.b.example`.
    var parents: Parents { Parents(rest: description[...]) }

    struct Parents: Sequence, IteratorProtocol {
        fileprivate var rest: Substring

        mutating func next() -> Substring? {
            guard let dot = rest.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
            rest = rest[rest.utf8.index(after: dot)...]
            return rest
        }
    }
}

/// The destinations that one `to` lists.
struct Destination: Sendable {
    var names = HostSet()
    var prefixes: PrefixSet = []
    /// What the document lists, in its order; lists and catalogues by their titles: `catalogue private-life`.
    var texts: [String] = []

    var count: Int { names.count + prefixes.count }

    /// Adds the destinations of a list or a catalogue.
    mutating func formUnion(_ other: Destination, _ title: String) {
        names.formUnion(other.names)
        // The first list that a rule names is shared, not copied.
        if prefixes.isEmpty { prefixes = other.prefixes } else { prefixes += other.prefixes }
        texts.append(title)
    }

    func truth(_ facts: FlowFacts, _ proof: NameProof, _ open: Awaited) -> Truth {
        let address = facts.destination.address
        if !prefixes.isEmpty, let address, prefixes.covers(address) { return .yes }
        if !names.isEmpty {
            if facts.names.contains(where: { $0.proof >= proof && names.contains($0.name) }) { return .yes }
            let wanted = mayStillMatch(facts, proof).intersection(open)
            if !wanted.isEmpty { return .waits(wanted) }
        }
        // The address behind a name is not looked up, so a network can be neither hit nor missed.
        return address != nil || prefixes.isEmpty ? .no : .unknown
    }

    /// What must still be learnt before this could match; nothing when it never will.
    private func mayStillMatch(_ facts: FlowFacts, _ proof: NameProof) -> Awaited {
        // A resolver's word settles nothing: one address serves many names.
        guard facts.claimSettlesNames else { return Awaited(proof) }
        // A certificate proves the name that was claimed, so only that one can still rise.
        let awaitsProof = proof == .proved && !facts.names.contains { $0.proof == .proved }
        return awaitsProof && facts.names.contains { $0.proof == .claimed && names.contains($0.name) } ? .proved : []
    }
}

extension FlowFacts {
    /// Whether the application has said where it goes, so that no other name is expected.
    var claimSettlesNames: Bool { names.contains { $0.proof >= .claimed } }
}
