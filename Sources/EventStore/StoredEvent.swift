// SPDX-License-Identifier: Apache-2.0

// One event, as it is stored and read.

public import FlowModel

/// The kinds of events, in the order in which those of one moment are told.
public enum EventKind: String, Sendable, CaseIterable, Comparable {
    case notice, message, finding, flow

    private var rank: Int {
        switch self {
        case .notice: return 0
        case .message: return 1
        case .finding: return 2
        case .flow: return 3
        }
    }

    public static func < (a: EventKind, b: EventKind) -> Bool { a.rank < b.rank }
}

/// A record in the store.
public indirect enum StoredEvent: Sendable {
    case notice(NoticeRecord)
    case message(MessageRecord)
    case finding(FindingRecord)
    case flow(FlowRecord)

    public var kind: EventKind {
        switch self {
        case .notice: return .notice
        case .message: return .message
        case .finding: return .finding
        case .flow: return .flow
        }
    }

    /// The flow it belongs to; a notice belongs to none.
    public var flowID: FlowID? {
        switch self {
        case .notice: return nil
        case .message(let record): return record.flow
        case .finding(let record): return record.flow
        case .flow(let record): return record.facts.id
        }
    }

    /// When it happened, in milliseconds since 1970-01-01 UTC; a flow happens when it ends.
    public var time: Int64 {
        switch self {
        case .notice(let record): return record.at
        case .message(let record): return record.at
        case .finding(let record): return record.at
        case .flow(let record): return record.endedAt
        }
    }
}
