// SPDX-License-Identifier: Apache-2.0

// Tests of the queue between flows and the writer.

import FlowModel
import Testing

@testable import EventStore

struct EventInboxTests {
    private let event = StoredEvent.message(Samples.message())

    private func count(_ take: EventInbox.Take) -> Int {
        if case .records(let records) = take { return records.count }
        return 0
    }

    @Test func theNewestAreDroppedWhenItIsFull() {
        var inbox = EventInbox(capacity: 2)
        #expect(inbox.add(event) == (wake: true, dropped: false))
        #expect(inbox.add(event) == (wake: false, dropped: false))
        #expect(inbox.add(event) == (wake: false, dropped: true))
        #expect(inbox.health.queued == 2)
        #expect(inbox.health.dropped == 1)
    }

    @Test func recordsWithTheWriterStillCountUntilTheyAreStored() {
        var inbox = EventInbox(capacity: 2)
        _ = inbox.add(event)
        _ = inbox.add(event)
        #expect(count(inbox.take()) == 2)
        #expect(inbox.add(event).dropped)
        inbox.stored(1)
        #expect(!inbox.add(event).dropped)
        #expect(inbox.health.queued == 2)
    }

    @Test func theWriterIsWokenOnceUntilItRests() {
        var inbox = EventInbox(capacity: 9)
        #expect(inbox.add(event).wake)
        #expect(!inbox.add(event).wake)
        #expect(count(inbox.take()) == 2)
        #expect(!inbox.add(event).wake)
        #expect(count(inbox.take()) == 1)
        guard case .rest = inbox.take() else {
            Issue.record("nothing was left")
            return
        }
        #expect(inbox.add(event).wake)
    }

    @Test func aClosingInboxGivesWhatItHasAndTakesNoMore() {
        var inbox = EventInbox(capacity: 9)
        _ = inbox.add(event)
        inbox.close()
        #expect(inbox.add(event).dropped)
        #expect(count(inbox.take()) == 1)
        guard case .finished = inbox.take() else {
            Issue.record("not finished")
            return
        }
    }

    @Test func whatIsAbandonedIsCountedAsDroppedOnce() {
        var inbox = EventInbox(capacity: 9)
        for _ in 0..<3 { _ = inbox.add(event) }
        _ = inbox.take()
        _ = inbox.add(event)
        #expect(inbox.abandon() == 4)
        // The writer was in the middle of them.
        inbox.stored(3)
        #expect(inbox.abandon() == 0)
        #expect(inbox.health.dropped == 4)
        #expect(inbox.health.written == 0)
        #expect(inbox.health.queued == 0)
        #expect(inbox.settled == inbox.accepted)
    }

    @Test func aStoredRecordEndsAFailure() {
        var inbox = EventInbox(capacity: 9)
        _ = inbox.add(event)
        _ = inbox.take()
        inbox.failed(EventStoreError(.full, "no space"))
        #expect(inbox.health.isFailing)
        inbox.stored(1)
        #expect(!inbox.health.isFailing)
        #expect(inbox.health.failed == 1)
        #expect(inbox.health.lastError?.code == .full)
    }
}
