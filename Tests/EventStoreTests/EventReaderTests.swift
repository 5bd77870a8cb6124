// SPDX-License-Identifier: Apache-2.0

// Tests of reading page by page, and of following.

import EventStore
import FlowModel
import Testing

struct EventReaderTests {
    @Test func pagesLoseAndRepeatNothingHoweverManyShareAMoment() async throws {
        let directory = try TemporaryDirectory()
        // Three moments for 1,500 events: every page begins inside one.
        let events = try (0..<500).flatMap { index -> [StoredEvent] in
            let at = newYear + Int64(index % 3)
            return [
                .flow(try Samples.flow(UInt64(index), at: at)), .message(Samples.message(UInt64(index), at: at)),
                .finding(Samples.finding(UInt64(index), at: at)),
            ]
        }
        let reader = try await reader(of: events, in: directory)
        let all = try await reader.all()
        #expect(all.count == 1_500)
        #expect(Set(all.map(\.brief)).count == 1_500)
        #expect(all.map(\.time) == all.map(\.time).sorted())
        for limit in [1, 255, 256, 257, 1_000, 1_499] {
            #expect(try await reader.found { $0.limit = limit } == all.suffix(limit).map(\.brief))
        }
    }

    @Test func aListEndsWhereTheStoreEndedWhenItBegan() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        for id in 1...300 { store.record(flow: try Samples.flow(UInt64(id))) }
        #expect(await store.flush(within: .seconds(60)))
        var iterator = try EventReader.open(at: directory.path).events().makeAsyncIterator()
        var count = try await iterator.next() == nil ? 0 : 1
        for id in 301...400 { store.record(flow: try Samples.flow(UInt64(id))) }
        #expect(await store.flush(within: .seconds(60)))
        while try await iterator.next() != nil { count += 1 }
        #expect(count == 300)
        await store.close(within: .seconds(60))
    }

    @Test func aFollowerGetsWhatIsThereAndThenWhatIsNew() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        store.record([.flow(try Samples.flow(1)), .flow(try Samples.flow(2))])
        #expect(await store.flush(within: .seconds(60)))
        let reader = try EventReader.open(at: directory.path)
        var query = EventQuery()
        query.limit = 1
        query.kinds = [.flow, .finding]
        var iterator = reader.follow(query, every: .milliseconds(5)).makeAsyncIterator()
        #expect(try await iterator.next()?.brief == "fl2")
        // Older by its clock, and new all the same; messages were not asked for.
        store.record([.message(Samples.message(3)), .finding(Samples.finding(3, at: 5))])
        #expect(try await iterator.next()?.brief == "fi3")
        store.record(try (10..<700).map { .flow(try Samples.flow($0)) })
        for id in 10..<700 { #expect(try await iterator.next()?.brief == "fl\(id)") }
        await store.close(within: .seconds(60))
    }

    @Test func aFollowerGoesOnAfterAllWasRemoved() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        // Upkeep at opening is over before this is stored.
        store.record(flow: try Samples.flow(1, at: 0))
        await store.close(within: .seconds(60))
        var iterator = try EventReader.open(at: directory.path).follow(every: .milliseconds(5)).makeAsyncIterator()
        #expect(try await iterator.next()?.brief == "fl1")
        // Opening removes the event of 1970; a new one must not take its number.
        let metrics = CountingMetrics()
        let again = try EventStore.open(at: directory.path, metrics: metrics)
        try await eventually { metrics.count("events_expired_total") == 1 }
        again.record(flow: try Samples.flow(2, at: EventTime.now))
        #expect(try await iterator.next()?.brief == "fl2")
        await again.close(within: .seconds(60))
    }

    @Test func aFollowerEndsWhenItsTaskIsCancelled() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(of: [.flow(try Samples.flow())], in: directory)
        let (seen, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            var count = 0
            for try await _ in reader.follow(every: .seconds(3_600)) {
                count += 1
                continuation.yield()
            }
            return count
        }
        for await _ in seen { break }
        task.cancel()
        #expect(try await task.value == 1)
    }
}
