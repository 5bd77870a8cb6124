// SPDX-License-Identifier: Apache-2.0

// What happened: the records that a flow leaves behind.

/// How a flow ended.
public enum FlowOutcome: String, Sendable, Codable {
    /// Both directions ended in order.
    case completed
    /// One side reset the connection, and the reset was carried over.
    case reset
    /// The origin could not be reached; the application was told so.
    case unreachable
    /// Weir refused it by policy.
    case blocked
    /// Weir handed it back untouched.
    case declined
    /// Weir refused it because it broke its protocol's rules.
    case refused
    /// Weir ended it: a deadline, a limit or a fault of its own.
    case aborted
}

/// The summary of a flow, written once, at its end.
public struct FlowRecord: Sendable {
    public var facts: FlowFacts
    public var verdict: Verdict
    /// Application bytes carried to the origin and to the application.
    public var bytesOutbound: UInt64
    public var bytesInbound: UInt64
    public var messages: Int
    public var findings: Int
    /// Milliseconds since 1970-01-01 UTC.
    public var endedAt: Int64
    public var outcome: FlowOutcome
    /// What else a reader should know, in the order it happened: at most eight.
    public var notes: [Reason]

    public init(facts: FlowFacts, verdict: Verdict) {
        self.facts = facts
        self.verdict = verdict
        bytesOutbound = 0
        bytesInbound = 0
        messages = 0
        findings = 0
        endedAt = facts.startedAt
        outcome = .completed
        notes = []
    }

    /// The application protocols of the facts.
    public var protocols: [String] {
        get { facts.protocols }
        set { facts.protocols = newValue }
    }

    /// Adds a note; equal ones are kept once, and more than eight are dropped.
    public mutating func note(_ reason: Reason) {
        if notes.count < 8, !notes.contains(reason) { notes.append(reason) }
    }
}

/// Findings of one message, or of one stretch of a stream.
public struct FindingRecord: Sendable {
    public var flow: FlowID
    /// Milliseconds since 1970-01-01 UTC.
    public var at: Int64
    /// The number of the message in its flow, from 1.
    public var message: Int
    public var direction: Direction
    public var part: MessagePart
    /// The host the message was for.
    public var host: String
    public var finding: Finding

    public init(
        flow: FlowID, at: Int64, message: Int, direction: Direction, part: MessagePart, host: String, finding: Finding
    ) {
        self.flow = flow
        self.at = at
        self.message = message
        self.direction = direction
        self.part = part
        self.host = host
        self.finding = finding
    }
}

/// One request and its answer.
///
/// Neither path nor query is kept: both can hold secrets.
public struct MessageRecord: Sendable {
    public var flow: FlowID
    /// Milliseconds since 1970-01-01 UTC.
    public var at: Int64
    /// The number of the message in its flow, from 1.
    public var message: Int
    public var method: String
    public var host: String
    /// The status of the answer; 0 when there was none.
    public var status: Int
    public var verdict: Verdict
    /// Why it was not inspected or not edited in full, when that is so.
    public var notes: [Reason]

    public init(
        flow: FlowID, at: Int64, message: Int, method: String, host: String, status: Int, verdict: Verdict,
        notes: [Reason]
    ) {
        self.flow = flow
        self.at = at
        self.message = message
        self.method = method
        self.host = host
        self.status = status
        self.verdict = verdict
        self.notes = notes
    }
}
