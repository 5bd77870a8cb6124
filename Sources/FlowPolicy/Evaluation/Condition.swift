// SPDX-License-Identifier: Apache-2.0

// One thing a rule asks of a flow, and what the facts answer.

internal import FlowModel

/// What the facts of a flow say of a condition.
enum Truth: Equatable {
    case yes
    case no
    /// The fact is missing and will stay so: neither the condition nor its opposite holds.
    case unknown
    /// The facts that decide it may still be learnt; at least these are missing.
    case waits(Awaited)

    /// Whether this and that hold; what is certainly false outweighs what is not known.
    func and(_ other: Truth) -> Truth {
        switch (self, other) {
        case (.no, _), (_, .no): return .no
        case (.waits(let a), .waits(let b)): return .waits(a.union(b))
        case (.waits, _): return self
        case (_, .waits): return other
        case (.unknown, _), (_, .unknown): return .unknown
        case (.yes, .yes): return .yes
        }
    }

    /// Whether it is the same answer, whatever it waits for.
    func isLike(_ other: Truth) -> Bool {
        if case (.waits, .waits) = (self, other) { true } else { self == other }
    }

    var negated: Truth {
        switch self {
        case .yes: return .no
        case .no: return .yes
        case .unknown, .waits: return self
        }
    }
}

/// One condition of a rule.
enum Condition: Sendable {
    case codeClass([CodeClass])
    /// The code meets at least one of these requirements.
    case code([RequirementReference])
    case transport([Transport])
    case intake([IntakeKind])
    case port([ClosedRange<UInt16>])
    case address(PrefixSet)
    /// The destination, by a name of at least this proof or by address.
    case to(Destination, NameProof)
    case executable([ExecutablePattern])
    case interface([InterfaceClass])
    /// The number of the user.
    case user([ClosedRange<UInt32>])
    case session([SessionKind])
    case time(TimeWindow)
    /// The application protocol, at any depth: `tls`, `http/1.1`.
    case applicationProtocol([String])
    case any([Condition])
    case all([Condition])
    indirect case not(Condition)

    /// What the facts say; nothing is looked up and nothing is allocated.
    ///
    /// `open` is what may still be learnt.
    func truth(_ facts: FlowFacts, _ open: Awaited) -> Truth {
        switch self {
        case .codeClass(let classes):
            guard case .known(let known) = facts.identity.codeClass else {
                return open.contains(.identity) ? .waits(.identity) : .unknown
            }
            return classes.contains(known) ? .yes : .no
        case .code(let references):
            guard case .known = facts.identity.codeClass else {
                return open.contains(.identity) ? .waits(.identity) : .unknown
            }
            guard let results = facts.identity.requirements else { return .unknown }
            var truth = Truth.no
            for reference in references {
                // The results of another policy say nothing to this one.
                guard results.policy == reference.policy else { return .unknown }
                if results.satisfies(reference.number) { truth = .yes }
            }
            return truth
        case .interface(let classes):
            guard let interface = facts.interface else { return .unknown }
            return classes.contains(interface) ? .yes : .no
        case .user(let ranges):
            guard let user = facts.identity.userID else { return .unknown }
            return ranges.contains { $0.contains(user) } ? .yes : .no
        case .session(let kinds):
            guard let session = facts.session else { return .unknown }
            return kinds.contains(session) ? .yes : .no
        case .time(let window):
            guard let holds = window.contains(facts.startedAt, utcOffset: facts.utcOffset) else { return .unknown }
            return holds ? .yes : .no
        case .applicationProtocol(let names):
            if facts.protocols.contains(where: names.contains) { return .yes }
            if open.contains(.claimed) { return .waits(.claimed) }
            return facts.protocols.isEmpty ? .unknown : .no
        case .transport(let transports):
            return transports.contains(facts.transport) ? .yes : .no
        case .intake(let intakes):
            return intakes.contains(facts.intake) ? .yes : .no
        case .port(let ranges):
            return ranges.contains { $0.contains(facts.destination.port) } ? .yes : .no
        case .address(let prefixes):
            // To learn the address of a name is a DNS query, and admission makes none.
            guard let address = facts.destination.address else { return .unknown }
            return prefixes.covers(address) ? .yes : .no
        case .to(let destination, let proof):
            return destination.truth(facts, proof, open)
        case .executable(let patterns):
            guard let path = facts.identity.executable else { return .unknown }
            return patterns.contains { $0.matches(path) } ? .yes : .no
        case .any(let conditions):
            // "Any" is "not all of the opposites".
            return conditions.reduce(Truth.yes) { $0.and($1.truth(facts, open).negated) }.negated
        case .all(let conditions):
            return conditions.reduce(Truth.yes) { $0.and($1.truth(facts, open)) }
        case .not(let condition):
            return condition.truth(facts, open).negated
        }
    }

    /// At most what this can ever wait for.
    var mayAwait: Awaited {
        switch self {
        case .codeClass, .code: return .identity
        case .to(let destination, let proof):
            return destination.names.isEmpty ? [] : Awaited(proof)
        case .applicationProtocol: return .claimed
        case .transport, .intake, .port, .address, .executable, .interface, .user, .session, .time: return []
        case .any(let conditions), .all(let conditions):
            return conditions.reduce([]) { $0.union($1.mayAwait) }
        case .not(let condition): return condition.mayAwait
        }
    }

    /// Whether every way to fulfil this asks for an identity or a destination, not only for labels.
    ///
    /// A negation asks for neither: "not to a.example" holds for nearly everything.
    var isAnchored: Bool {
        switch self {
        case .codeClass, .code, .address, .to: return true
        case .transport, .intake, .port, .executable, .not, .interface, .user, .session, .time, .applicationProtocol:
            return false
        case .any(let conditions): return conditions.allSatisfy(\.isAnchored)
        case .all(let conditions): return conditions.contains(where: \.isAnchored)
        }
    }

    /// Whether the path of an executable is asked for anywhere in this.
    var asksExecutable: Bool {
        switch self {
        case .executable: return true
        case .codeClass, .code, .transport, .intake, .port, .address, .to, .interface, .user, .session, .time,
            .applicationProtocol:
            return false
        case .any(let conditions), .all(let conditions): return conditions.contains(where: \.asksExecutable)
        case .not(let condition): return condition.asksExecutable
        }
    }
}

/// One requirement of one policy.
struct RequirementReference: Hashable, Sendable {
    /// The stamp of the policy that asks.
    let policy: UInt64
    /// Its place in `Policy.requirements`.
    let number: Int
    /// How explanations call it.
    let title: String
}

/// A path of an executable, or a pattern in which `*` stands for any run of characters, `/` included.
struct ExecutablePattern: Hashable, Sendable {
    let text: String

    func matches(_ path: String) -> Bool {
        let pattern = text.utf8
        let path = path.utf8
        var p = pattern.startIndex
        var s = path.startIndex
        // Where to go on when a run of characters was taken too short: linear memory, no recursion.
        var star: String.Index?
        var retry = s
        while s < path.endIndex {
            if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
                star = p
                retry = s
                p = pattern.index(after: p)
            } else if p < pattern.endIndex, pattern[p] == path[s] {
                p = pattern.index(after: p)
                s = path.index(after: s)
            } else if let last = star {
                retry = path.index(after: retry)
                s = retry
                p = pattern.index(after: last)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
