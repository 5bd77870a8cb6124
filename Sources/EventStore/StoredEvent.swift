// SPDX-License-Identifier: Apache-2.0

// One event, as it is stored and read.

public import FlowModel

/// The kinds of events, in the order in which those of one moment are told.
public enum EventKind: String, Sendable, CaseIterable, Comparable {
    case message, finding, flow

    private var rank: Int { self == .message ? 0 : self == .finding ? 1 : 2 }

    public static func < (a: EventKind, b: EventKind) -> Bool { a.rank < b.rank }
}

/// A record in the store.
public indirect enum StoredEvent: Sendable {
    case message(MessageRecord)
    case finding(FindingRecord)
    case flow(FlowRecord)

    public var kind: EventKind {
        switch self {
        case .message: return .message
        case .finding: return .finding
        case .flow: return .flow
        }
    }

    public var flowID: FlowID {
        switch self {
        case .message(let record): return record.flow
        case .finding(let record): return record.flow
        case .flow(let record): return record.facts.id
        }
    }

    /// When it happened, in milliseconds since 1970-01-01 UTC; a flow happens when it ends.
    public var time: Int64 {
        switch self {
        case .message(let record): return record.at
        case .finding(let record): return record.at
        case .flow(let record): return record.endedAt
        }
    }
}
