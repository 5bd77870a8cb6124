// SPDX-License-Identifier: Apache-2.0

// Tests of the errors: no stored value is in them.

import GRDB
import Testing

@testable import EventStore

struct EventStoreErrorTests {
    @Test(arguments: [
        (ResultCode.SQLITE_BUSY, EventStoreError.Code.busy), (.SQLITE_FULL, .full), (.SQLITE_READONLY, .denied),
        (.SQLITE_CANTOPEN, .denied), (.SQLITE_CORRUPT, .damaged), (.SQLITE_NOTADB, .damaged),
        (.SQLITE_IOERR, .unavailable), (.SQLITE_BUSY_SNAPSHOT, .busy), (.SQLITE_READONLY_DBMOVED, .denied),
    ])
    func everyFailureOfSQLiteHasItsCode(_ failure: ResultCode, _ code: EventStoreError.Code) {
        #expect(EventStoreError(DatabaseError(resultCode: failure), at: "/x").code == code)
    }

    @Test func aStatementAndItsValuesAreNotQuoted() {
        let failure = DatabaseError(
            resultCode: .SQLITE_CONSTRAINT, message: "failed", sql: "INSERT 'hunter2'", arguments: ["hunter2"])
        let error = EventStoreError(failure, at: "/x/events.sqlite")
        #expect(error.description == "/x/events.sqlite cannot be used: failed (SQLite 19)")
    }

    @Test func onlyWhatAPersonMustMendEndsOpening() {
        let all: [EventStoreError.Code] = [
            .missing, .denied, .newer, .damaged, .unreadable, .busy, .full, .unavailable,
        ]
        #expect(all.filter { EventStoreError($0, "").needsPerson } == [.newer, .damaged])
    }
}
