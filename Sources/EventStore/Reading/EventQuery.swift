// SPDX-License-Identifier: Apache-2.0

// Which events a reader wants.

public import FlowModel
internal import GRDB

/// The hosts a reader asks for.
public enum HostPattern: Sendable, Equatable {
    case exactly(Host)
    /// Names below this one, and not the name itself, as in a certificate.
    case below(HostName)

    /// Reads a name, an address, or `*.` and a name.
    public init?(_ text: some StringProtocol) {
        if text.hasPrefix("*.") {
            guard let name = HostName(text.dropFirst(2)) else { return nil }
            self = .below(name)
        } else {
            guard let host = Host(text) else { return nil }
            self = .exactly(host)
        }
    }
}

/// A user as the store knows users: by number, and by pseudonym while a policy wants those.
public struct EventUser: Sendable, Hashable {
    public var number: UInt32
    public var pseudonym: String?

    public init(number: UInt32, pseudonym: String? = nil) {
        self.number = number
        self.pseudonym = pseudonym
    }
}

/// Conditions on events; all of those set must hold.
///
/// A condition on something that an event has not got itself is met through what belongs to it (a flow with a message
/// to the host, a message with a finding of the type) or what it belongs to (a finding in a flow of the outcome). A
/// notice has nothing but its time, so any other condition leaves it out.
public struct EventQuery: Sendable {
    /// Milliseconds since 1970-01-01 UTC: events at this moment or later.
    public var since: Int64?
    /// Milliseconds since 1970-01-01 UTC: events before this moment.
    public var until: Int64?
    /// For a flow any of its names, its destination, or the host of one of its messages.
    public var host: HostPattern?
    /// The type of a finding, or a family such as `secret/*`.
    public var findingType: String?
    /// What was done about a finding.
    public var action: ContentAction?
    /// The lane of a flow or of one of its messages.
    public var lane: Lane?
    /// How the flow ended.
    public var outcome: FlowOutcome?
    public var flow: FlowID?
    /// The user whose program made the flow, under either of the names that the store may have kept.
    public var user: EventUser?
    /// The kinds of events to give.
    public var kinds = Set(EventKind.allCases)
    /// Findings only of flows whose own record is not stored: they are still open, or a crash cut them short.
    public var onlyFindingsOfOpenFlows = false
    /// At most so many, the newest; nil for all.
    public var limit: Int?

    public init() {}
}

extension EventQuery {
    /// The conditions on the rows of one kind, whose table goes by the name of `e`.
    func conditions(on kind: EventKind) -> [SQL] {
        var all: [SQL] = []
        if let since { all.append("e.at >= \(since)") }
        if let until { all.append("e.at < \(until)") }
        if kind == .notice {
            let isPlain =
                host == nil && findingType == nil && action == nil && lane == nil && outcome == nil && flow == nil
            return isPlain ? all : ["0"]
        }
        if let flow { all.append("e.flow = \(Int64(bitPattern: flow.value))") }
        if let user {
            let own = { (table: String) -> SQL in
                """
                (\(sql: table).user_id = \(Int64(user.number))
                OR (\(sql: table).user_id IS NULL AND \(sql: table).user_pseudonym = \(user.pseudonym)))
                """
            }
            all.append(
                kind == .flow
                    ? own("e") : "EXISTS (SELECT 1 FROM flows f WHERE f.flow = e.flow AND \(own("f")))")
        }
        if let host { all.append(Self.condition(on: host, of: kind)) }
        if let lane { all.append(Self.condition(on: lane, of: kind)) }
        if let outcome {
            switch kind {
            case .flow: all.append("e.outcome = \(outcome.rawValue)")
            case .notice, .message, .finding:
                all.append(
                    "EXISTS (SELECT 1 FROM flows f WHERE f.flow = e.flow AND f.outcome = \(outcome.rawValue))")
            }
        }
        if let content = contentCondition {
            switch kind {
            case .finding: all.append(content("e"))
            case .message:
                all.append(
                    """
                    EXISTS (SELECT 1 FROM findings d
                    WHERE d.flow = e.flow AND d.message = e.message AND \(content("d")))
                    """)
            case .notice, .flow:
                all.append("EXISTS (SELECT 1 FROM findings d WHERE d.flow = e.flow AND \(content("d")))")
            }
        }
        if onlyFindingsOfOpenFlows, kind == .finding {
            all.append("NOT EXISTS (SELECT 1 FROM flows f WHERE f.flow = e.flow)")
        }
        return all
    }

    private static func condition(on host: HostPattern, of kind: EventKind) -> SQL {
        let matches = { (column: String) -> SQL in
            switch host {
            case .exactly(let host): return "\(sql: column) = \(host.description)"
            case .below(let name):
                // Not LIKE: an underscore may stand in a name.
                let suffix = "." + name.description
                return "substr(\(sql: column), \(-suffix.utf8.count)) = \(suffix)"
            }
        }
        guard kind == .flow else { return matches("e.host") }
        let own = ["e.destination_host", "e.name_resolved", "e.name_claimed", "e.name_proved"].map(matches)
        return """
            (\(own.joined(separator: " OR "))
            OR EXISTS (SELECT 1 FROM messages m WHERE m.flow = e.flow AND \(matches("m.host"))))
            """
    }

    private static func condition(on lane: Lane, of kind: EventKind) -> SQL {
        let lane = lane.rawValue
        switch kind {
        case .message: return "e.lane = \(lane)"
        case .flow:
            return """
                (e.lane = \(lane)
                OR EXISTS (SELECT 1 FROM messages m WHERE m.flow = e.flow AND m.lane = \(lane)))
                """
        case .notice, .finding:
            return """
                (EXISTS (SELECT 1 FROM messages m
                WHERE m.flow = e.flow AND m.message = e.message AND m.lane = \(lane))
                OR EXISTS (SELECT 1 FROM flows f WHERE f.flow = e.flow AND f.lane = \(lane)))
                """
        }
    }

    /// The conditions on a finding, whose table goes by the given name.
    private var contentCondition: ((String) -> SQL)? {
        guard findingType != nil || action != nil else { return nil }
        return { table in
            var all: [SQL] = []
            if let type = findingType {
                if type.hasSuffix("/*") {
                    // All that starts with "family/": the byte after "/" is "0".
                    let family = String(type.dropLast(2))
                    all.append("\(sql: table).type >= \(family + "/") AND \(sql: table).type < \(family + "0")")
                } else {
                    all.append("\(sql: table).type = \(type)")
                }
            }
            if let action { all.append("\(sql: table).action = \(action.rawValue)") }
            return all.joined(separator: " AND ")
        }
    }
}
