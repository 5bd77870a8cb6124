// SPDX-License-Identifier: Apache-2.0

// Tests of the columns: what is stored is what was recorded.

import EventStore
import FlowModel
import Foundation
import Testing

struct EventRecordsTests {
    /// Compares by reflection, so that a field added to a record is compared as well.
    private func text(_ event: StoredEvent) -> String {
        var text = ""
        dump(event, to: &text)
        return text
    }

    @Test func everyFieldOfEveryRecordComesBack() async throws {
        let directory = try TemporaryDirectory()
        let events: [StoredEvent] = [
            .message(Samples.fullMessage()), .finding(Samples.fullFinding()), .notice(Samples.fullNotice()),
            .flow(try Samples.fullFlow()),
        ]
        let read = try await reader(of: events, in: directory).all()
        #expect(read.map(text) == events.map(text))
    }

    @Test func fieldsThatAreNotKnownComeBackAsSuch() async throws {
        let directory = try TemporaryDirectory()
        let events: [StoredEvent] = [
            .notice(Samples.notice()), .message(Samples.message()), .finding(Samples.finding()),
            .flow(try Samples.flow()),
        ]
        let read = try await reader(of: events, in: directory).all()
        #expect(read.map(text) == events.map(text))
    }

    @Test(arguments: [MessagePart.target, .body, .stream, .header("cookie"), .header("")])
    func everyPartOfAMessageComesBack(_ part: MessagePart) async throws {
        let directory = try TemporaryDirectory()
        var record = Samples.finding()
        record.part = part
        let read = try await reader(of: [.finding(record)], in: directory).all()
        #expect(read.map(text) == [text(.finding(record))])
    }

    @Test func numbersBeyondSQLiteAreKeptAsTheLargestItHas() async throws {
        let directory = try TemporaryDirectory()
        var flow = try Samples.flow()
        flow.bytesOutbound = .max
        let read = try await reader(of: [.flow(flow)], in: directory).all()
        guard case .flow(let record) = try #require(read.first) else { throw CancellationError() }
        #expect(record.bytesOutbound == UInt64(Int64.max))
    }

    @Test func ofANoticesFactsAsManyAreKeptAsTheLimitSays() async throws {
        let directory = try TemporaryDirectory()
        var notice = Samples.notice()
        notice.facts = (0..<100).map { .init("program", $0) }
        let read = try await reader(of: [.notice(notice)], in: directory).all()
        guard case .notice(let record) = try #require(read.first) else { throw CancellationError() }
        #expect(record.facts == Array(notice.facts.prefix(EventStoreLimits.facts.value)))
    }

    @Test func textOfAnyLengthIsCutAtTheLimit() async throws {
        let directory = try TemporaryDirectory()
        var message = Samples.message()
        message.method = String(repeating: "é", count: 100_000)
        let read = try await reader(of: [.message(message)], in: directory).all()
        guard case .message(let record) = try #require(read.first) else { throw CancellationError() }
        #expect(record.method == String(repeating: "é", count: EventStoreLimits.text.value / 2))
    }
}
