// SPDX-License-Identifier: Apache-2.0

// Tests of what is removed, and in which order.

import FlowModel
import Foundation
import GRDB
import Testing

@testable import EventStore

struct RetentionTests {
    private static let day: Int64 = 86_400_000

    private func retention(days: Int = 30, bytes: Int = 256 << 20) -> Retention {
        Retention(keepDays: days, keepBytes: bytes)
    }

    /// Works until nothing is left to do; returns how many events each step removed.
    private func work(_ retention: Retention, _ directory: TemporaryDirectory, now: Int64) throws -> [Int] {
        let file = try EventFile.openForWriting(in: directory.path, busy: 1_000)
        defer { file.close() }
        var removed: [Int] = []
        for _ in 0..<1_000 {
            let step = try retention.step(file.database, now: now)
            removed.append(step.removed)
            if step.isDone { return removed }
        }
        Issue.record("retention does not end")
        return removed
    }

    private func fill(_ directory: TemporaryDirectory, _ events: [StoredEvent]) async throws {
        _ = try await reader(of: events, in: directory)
    }

    private func count(_ directory: TemporaryDirectory) throws -> [String: Int] {
        try DatabaseQueue(path: directory.database).read { db in
            var counts: [String: Int] = [:]
            for table in ["flows", "messages", "findings"] {
                counts[table] = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)")
            }
            return counts
        }
    }

    @Test func eventsOlderThanTheLimitGoWithAllThatBelongsToThem() async throws {
        let directory = try TemporaryDirectory()
        let now = newYear + 30 * Self.day
        try await fill(
            directory,
            [
                .message(Samples.message(1, at: newYear - 2)), .finding(Samples.finding(1, at: newYear - 2)),
                .flow(try Samples.flow(1, at: newYear - 1)),
                // A child that is younger than its flow goes with it.
                .finding(Samples.finding(1, at: newYear + 50)),
                .message(Samples.message(2, at: newYear)), .finding(Samples.finding(2, at: newYear)),
                .flow(try Samples.flow(2, at: newYear)),
                .notice(Samples.notice(at: newYear - 1)), .notice(Samples.notice()),
                // A flow that never ended.
                .finding(Samples.finding(3, at: newYear - 9)),
            ])
        _ = try work(retention(days: 30), directory, now: now)
        let left = try await EventReader.open(at: directory.path).all().map(\.brief)
        #expect(left == ["no", "me2", "fi2", "fl2"])
    }

    @Test func eventsAreRemovedInBoundedSteps() async throws {
        let directory = try TemporaryDirectory()
        let step = EventStoreLimits.upkeepStep.value
        let events = try (1...(2 * step + 5)).map { StoredEvent.flow(try Samples.flow(UInt64($0))) }
        try await fill(directory, events)
        let removed = try work(retention(), directory, now: newYear + 31 * Self.day)
        #expect(removed.prefix(3) == [step, step, 5])
        #expect(removed.dropFirst(3).allSatisfy { $0 == 0 })
        #expect(try count(directory) == ["flows": 0, "messages": 0, "findings": 0])
    }

    @Test func theOldestGoWhenTheStoreIsTooLargeAndTheFileShrinks() async throws {
        let directory = try TemporaryDirectory()
        let events = try (0..<2_000).flatMap { index -> [StoredEvent] in
            let at = newYear + Int64(index)
            return [
                .message(Samples.message(UInt64(index), at: at)), .finding(Samples.finding(UInt64(index), at: at)),
                .flow(try Samples.flow(UInt64(index), at: at)),
            ]
        }
        try await fill(directory, events)
        let limit = 512 << 10
        _ = try work(retention(bytes: limit), directory, now: newYear)

        let size = try #require(FileManager.default.attributesOfItem(atPath: directory.database)[.size] as? Int)
        // The slack that is left for the next events is 256 pages.
        #expect(size <= limit + 257 * 4_096)
        let left = try await EventReader.open(at: directory.path).all()
        #expect(left.count > 300)
        #expect(left.last?.brief == "fl1999")
        let first = try #require(left.first?.flowID).value
        #expect(first > 1_000)
        // All that is left is the unbroken end of what there was.
        #expect(left.map(\.brief) == events.suffix(left.count).map(\.brief))
    }

    @Test func aSoundStoreIsLeftAlone() async throws {
        let directory = try TemporaryDirectory()
        try await fill(directory, [.flow(try Samples.flow())])
        #expect(try work(retention(), directory, now: newYear) == [0])
        #expect(try count(directory)["flows"] == 1)
    }

    @Test func aFileThatCannotShrinkDoesNotKeepUpkeepBusy() async throws {
        let directory = try TemporaryDirectory()
        // Made without auto-vacuum, as by a tool that copies tables.
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: versionOne) }
        try database.close()
        let events = (100..<20_100).map { StoredEvent.message(Samples.message(UInt64($0), at: newYear + 1)) }
        let store = try EventStore.open(at: directory.path, options: .roomy)
        store.record(events)
        await store.close(within: .seconds(60))
        let removed = try work(retention(bytes: 0), directory, now: newYear)
        #expect(removed.reduce(0, +) == 20_003)
        #expect(removed.last == 0)
    }

    @Test func aLimitBelowAnEmptyStoreRemovesAllAndEnds() async throws {
        let directory = try TemporaryDirectory()
        try await fill(directory, [.flow(try Samples.flow())])
        #expect(try work(retention(bytes: 0), directory, now: newYear) == [1, 0])
    }

    @Test func theWriterRemovesOldEventsByItself() async throws {
        let directory = try TemporaryDirectory()
        try await fill(
            directory, [.flow(try Samples.flow(1, at: 1_000)), .flow(try Samples.flow(2, at: EventTime.now))])
        let metrics = CountingMetrics()
        let store = try EventStore.open(at: directory.path, metrics: metrics)
        try await eventually { metrics.count("events_expired_total") == 1 }
        await store.close(within: .seconds(60))
        #expect(try await EventReader.open(at: directory.path).all().map(\.brief) == ["fl2"])
    }

    @Test func theDaysOfThePolicyAreKeptAndAnotherPolicyChangesThem() async throws {
        let directory = try TemporaryDirectory()
        let ago = { (days: Int64) in EventTime.now - days * Self.day }
        let ages: [(flow: UInt64, days: Int64)] = [(1, 50), (2, 20), (3, 5), (4, 0)]
        let events = try ages.map { StoredEvent.flow(try Samples.flow($0.flow, at: ago($0.days))) }
        var options = EventStoreOptions()
        options.privacy = EventPrivacy(keepDays: 40)
        let metrics = CountingMetrics()
        let store = try EventStore.open(at: directory.path, options: options, metrics: metrics)
        store.record(events)
        #expect(await store.flush(within: .seconds(60)))
        await store.close(within: .seconds(60))
        // Upkeep is done when a store is opened.
        let left = { (days: Int?) async throws -> [String] in
            options.privacy = EventPrivacy(keepDays: days)
            let before = metrics.count("events_upkeep_total")
            let store = try EventStore.open(at: directory.path, options: options, metrics: metrics)
            try await eventually { metrics.count("events_upkeep_total") >= before + 2 }
            await store.close(within: .seconds(60))
            return try await EventReader.open(at: directory.path).all().map(\.brief)
        }
        #expect(try await left(40) == ["fl2", "fl3", "fl4"])
        #expect(try await left(7) == ["fl3", "fl4"])
    }

    @Test func thePolicysDaysHaveABoundOnBothSides() {
        #expect(EventPrivacy(keepDays: nil).keepDays == EventStoreLimits.keepDays.value)
        #expect(EventPrivacy(keepDays: 90).keepDays == 90)
        #expect(EventPrivacy(keepDays: .max).keepDays == EventStoreLimits.keepDaysMost.value)
        #expect(EventPrivacy(keepDays: 0).keepDays == 1)
        #expect(EventPrivacy(keepDays: .min).keepDays == 1)
    }

    @Test func aBusyStoreKeepsItsSizeWhileItIsWritten() async throws {
        let directory = try TemporaryDirectory()
        var options = EventStoreOptions()
        options.keepBytes = 1 << 20
        let metrics = CountingMetrics()
        let store = try EventStore.open(at: directory.path, options: options, metrics: metrics)
        for round in 0..<8 {
            for index in 0..<5_000 {
                store.record(message: Samples.message(UInt64(round * 5_000 + index), at: EventTime.now))
            }
            #expect(await store.flush(within: .seconds(60)))
        }
        try await eventually { metrics.count("events_expired_total") > 0 }
        let health = await store.close(within: .seconds(60))
        #expect(health.written == 40_000)
        #expect(try (count(directory)["messages"] ?? 0) < 40_000)
    }
}
