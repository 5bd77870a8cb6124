// SPDX-License-Identifier: Apache-2.0

// Records and places that the tests of the event store share.

import FlowModel
import Foundation
import Testing

@testable import EventStore

/// 2026-01-01T00:00:00Z in milliseconds.
let newYear: Int64 = 1_767_225_600_000

enum Samples {
    static func flow(
        _ id: UInt64 = 1, at: Int64 = newYear, host: String = "api.example.com", lane: Lane = .inspect,
        outcome: FlowOutcome = .completed, findings: Int = 0
    ) throws -> FlowRecord {
        let facts = FlowFacts(
            id: FlowID(id), intake: .connect, destination: Endpoint(host: try #require(Host(host)), port: 443),
            startedAt: at - 5)
        var record = FlowRecord(facts: facts, verdict: Verdict(lane, reason: Reason("rule", "for a test")))
        record.endedAt = at
        record.outcome = outcome
        record.findings = findings
        return record
    }

    static func message(
        _ flow: UInt64 = 1, at: Int64 = newYear, message: Int = 1, host: String = "api.example.com",
        lane: Lane = .inspect
    ) -> MessageRecord {
        MessageRecord(
            flow: FlowID(flow), at: at, message: message, method: "POST", host: host, status: 200,
            verdict: Verdict(lane, reason: Reason("rule", "for a test")), notes: [])
    }

    static func finding(
        _ flow: UInt64 = 1, at: Int64 = newYear, message: Int = 1, host: String = "api.example.com",
        type: String = "payment-card", action: ContentAction = .report
    ) -> FindingRecord {
        FindingRecord(
            flow: FlowID(flow), at: at, message: message, direction: .outbound, part: .body, host: host,
            finding: Finding(
                type: type, confidence: .proved, offset: 17, length: 16, excerpt: "4111********1111",
                digest: "0123456789abcdef", action: action))
    }

    static func notice(at: Int64 = newYear) -> NoticeRecord {
        NoticeRecord(at: at, .info, Reason("coverage-gap", "for a test"))
    }

    static func fullNotice() -> NoticeRecord {
        NoticeRecord(
            at: newYear + 9, .warning, Reason("coverage-gap", "a “gap”\n"),
            facts: [
                .init("open-connections", 1 << 40),
                .init("program", -3, executable: "/usr/bin/ünï\"code", provedName: "AB12CD34EF:com.example.sync"),
            ])
    }

    /// A flow whose every field differs from what it is by default.
    static func fullFlow() throws -> FlowRecord {
        var facts = FlowFacts(
            id: FlowID(.max - 1), transport: .udp, intake: .networkExtension,
            source: Endpoint("[fe80::1%3]:50000"), destination: try #require(Endpoint("203.0.113.9:8443")),
            identity: IdentitySummary(
                .known(.userCarryingPinned), executable: "/usr/bin/ünï\"code", processID: 4_321, userID: .max,
                provedName: "AB12CD34EF:com.example.sync", classReason: "row pinned-apps/sync: it syncs"),
            startedAt: newYear)
        facts.learn(try #require(HostName("resolved.example")), .resolved)
        facts.learn(try #require(HostName("claimed.example")), .claimed)
        facts.learn(try #require(HostName("proved.example")), .proved)
        var record = FlowRecord(
            facts: facts,
            verdict: Verdict(.block, profile: "strict", rule: "no keys", reason: Reason("rule", "a “reason”\n")))
        record.protocols = ["tls", "http/1.1"]
        record.bytesOutbound = 1 << 40
        record.bytesInbound = 7
        record.messages = 3
        record.findings = 2
        record.endedAt = newYear + 1_234
        record.outcome = .aborted
        record.notes = [Reason("alpn-not-read", "h3"), Reason("learned", "a \\ and a \"")]
        return record
    }

    static func fullMessage() -> MessageRecord {
        MessageRecord(
            flow: FlowID(.max - 1), at: newYear + 7, message: 2, method: "PATCH", host: "proved.example", status: 451,
            verdict: Verdict(.relay, profile: "p", rule: "r", reason: Reason("c", "d")), notes: [Reason("n", "o")])
    }

    static func fullFinding() -> FindingRecord {
        FindingRecord(
            flow: FlowID(.max - 1), at: newYear + 8, message: 2, direction: .inbound, part: .header("x-api-key"),
            host: "proved.example",
            finding: Finding(
                type: "secret/token", confidence: .medium, offset: 1 << 33, length: 40, excerpt: "ghp_****",
                digest: "fedcba9876543210", action: .redact, restraint: Reason("uneditable", "signed body")))
    }
}

/// A directory that goes when the test ends.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let name = "weir-events-\(UUID().uuidString)"
        path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/events.sqlite" }
}

extension EventStoreOptions {
    /// Nothing is too old, whatever the day on which the test runs.
    static var keepingAll: EventStoreOptions {
        var options = EventStoreOptions()
        options.privacy.keepDays = 36_500
        return options
    }

    /// A queue that holds whatever a test records.
    static var roomy: EventStoreOptions {
        var options = keepingAll
        options.queued = .max
        return options
    }

    /// Attempts that follow each other quickly.
    static var impatient: EventStoreOptions {
        var options = keepingAll
        options.busy = 20
        options.retryFirst = 5
        options.retryLast = 40
        return options
    }
}

/// Fills a new store, closes it and opens it to read.
func reader(of events: [StoredEvent], in directory: TemporaryDirectory) async throws -> EventReader {
    let store = try EventStore.open(at: directory.path, options: .roomy)
    store.record(events)
    let health = await store.close(within: .seconds(60))
    try #require(health.written == UInt64(events.count))
    return try EventReader.open(at: directory.path)
}

extension EventStore {
    func record(_ events: [StoredEvent]) {
        for event in events {
            switch event {
            case .flow(let flow): record(flow: flow)
            case .message(let message): record(message: message)
            case .finding(let finding): record(finding: finding)
            case .notice(let notice): record(notice: notice)
            }
        }
    }
}

extension EventReader {
    func all(_ query: EventQuery = EventQuery()) async throws -> [StoredEvent] {
        var all: [StoredEvent] = []
        for try await event in events(query) { all.append(event) }
        return all
    }

    /// The matching events in short: the first letter of the kind, and the flow.
    func found(_ change: (inout EventQuery) -> Void) async throws -> [String] {
        var query = EventQuery()
        change(&query)
        return try await all(query).map(\.brief)
    }
}

extension StoredEvent {
    var brief: String { "\(kind.rawValue.prefix(2))\(flowID.map { String($0.value) } ?? "")" }
}

/// Waits for a condition that must come true sooner or later.
func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<3_000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("waited half a minute in vain")
}
