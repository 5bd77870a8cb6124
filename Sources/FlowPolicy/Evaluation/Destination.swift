// SPDX-License-Identifier: Apache-2.0

// The hosts and networks that a rule names.

internal import FlowModel

/// A set of host names: exact ones, and everything below others.
struct HostSet: Sendable {
    /// In the order of the document, as written: `a.example`, `*.b.example`.
    private(set) var texts: [String] = []
    /// Keys are `Substring` so that the parents of a name can be looked up without copying it.
    private(set) var exact: Set<Substring> = []
    private(set) var below: Set<Substring> = []

    var isEmpty: Bool { texts.isEmpty }

    mutating func insert(_ name: HostName) {
        if exact.insert(name.description[...]).inserted { texts.append(name.description) }
    }

    mutating func insert(below suffix: HostName) {
        if below.insert(suffix.description[...]).inserted { texts.append("*.\(suffix)") }
    }

    mutating func insert(_ pattern: HostPattern) {
        if pattern.isBelow { insert(below: pattern.name) } else { insert(pattern.name) }
    }

    func contains(_ name: HostName) -> Bool {
        if !exact.isEmpty, exact.contains(name.description[...]) { return true }
        return !below.isEmpty && name.parents.contains { below.contains($0) }
    }
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

/// A list of destinations with a name of its own: one object, however many rules use it.
final class DestinationList: Sendable {
    /// `list partners`, `catalogue private-life`.
    let title: String
    let names: HostSet
    let prefixes: PrefixSet

    init(title: String, names: HostSet, prefixes: PrefixSet = []) {
        self.title = title
        self.names = names
        self.prefixes = prefixes
    }
}

/// The destinations that one `to` lists.
struct Destination: Sendable {
    var names = HostSet()
    var prefixes: PrefixSet = []
    var lists: [DestinationList] = []

    /// As the document has them: names, networks, lists.
    var texts: [String] { names.texts + prefixes.map(\.description) + lists.map(\.title) }

    var hasNames: Bool { !names.isEmpty || lists.contains { !$0.names.isEmpty } }
    var hasPrefixes: Bool { !prefixes.isEmpty || lists.contains { !$0.prefixes.isEmpty } }

    func contains(_ name: HostName) -> Bool { names.contains(name) || lists.contains { $0.names.contains(name) } }

    func covers(_ address: IPAddress) -> Bool {
        prefixes.covers(address) || lists.contains { $0.prefixes.covers(address) }
    }

    func truth(_ facts: FlowFacts, _ proof: NameProof, _ open: Awaited) -> Truth {
        let address = facts.destination.address
        if let address, covers(address) { return .yes }
        if hasNames {
            if facts.names.contains(where: { $0.proof >= proof && contains($0.name) }) { return .yes }
            let wanted = mayStillMatch(facts, proof).intersection(open)
            if !wanted.isEmpty { return .waits(wanted) }
        }
        // The address behind a name is not looked up, so a network can be neither hit nor missed.
        return address != nil || !hasPrefixes ? .no : .unknown
    }

    /// What must still be learnt before this could match; nothing when it never will.
    private func mayStillMatch(_ facts: FlowFacts, _ proof: NameProof) -> Awaited {
        // A resolver's word settles nothing: one address serves many names.
        guard facts.claimSettlesNames else { return Awaited(proof) }
        // A certificate proves the name that was claimed, so only that one can still rise.
        let awaitsProof = proof == .proved && !facts.names.contains { $0.proof == .proved }
        return awaitsProof && facts.names.contains { $0.proof == .claimed && contains($0.name) } ? .proved : []
    }
}

extension FlowFacts {
    /// Whether the application has said where it goes, so that no other name is expected.
    var claimSettlesNames: Bool { names.contains { $0.proof >= .claimed } }
}
