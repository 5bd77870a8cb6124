// SPDX-License-Identifier: Apache-2.0

// Tests of reading rows that somebody edited.

import EventStore
import FlowModel
import GRDB
import Testing

struct EventRowTests {
    @Test(arguments: [
        "UPDATE flows SET lane = 'sideways'", "UPDATE flows SET protocols = 'not JSON'",
        "UPDATE flows SET notes = '[{\"code\":1}]'", "UPDATE flows SET destination_port = 70000",
        "UPDATE flows SET destination_host = 'a b'", "UPDATE flows SET messages = 'many'",
        "UPDATE flows SET started_at = x'00ff'", "UPDATE flows SET name_proved = '..'",
        "UPDATE flows SET at = 'yesterday'", "UPDATE flows SET process_id = 99999999999",
        "ALTER TABLE flows DROP COLUMN outcome",
    ])
    func aRowThatMakesNoSenseIsAnErrorAndNoTrap(_ edit: String) async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(of: [.flow(try Samples.fullFlow())], in: directory)
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: edit) }
        await #expect(throws: EventStoreError.self) { try await reader.all() }
    }

    @Test(arguments: [
        "severity = 'grave'", "facts = '[{}]'", "facts = 'not JSON'", "facts = '[{\"code\":\"a\",\"count\":1e99}]'",
    ])
    func aNoticeThatMakesNoSenseIsAnErrorAndNoTrap(_ edit: String) async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(of: [.notice(Samples.fullNotice())], in: directory)
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: "UPDATE notices SET \(edit)") }
        let error = await #expect(throws: EventStoreError.self) { try await reader.all() }
        #expect(error?.code == .unreadable)
    }

    @Test func theErrorNamesTheRowAndTheColumnButNotTheValue() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(of: [.flow(try Samples.fullFlow())], in: directory)
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: "UPDATE flows SET lane = 'hunter2'") }
        do {
            _ = try await reader.all()
            Issue.record("no error")
        } catch let error as EventStoreError {
            #expect(error.code == .unreadable)
            #expect(error.description.contains("flows, row 1: “lane”"))
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test func negativeCountsFromOutsideAreReadAsNone() async throws {
        let directory = try TemporaryDirectory()
        let reader = try await reader(of: [.flow(try Samples.fullFlow())], in: directory)
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: "UPDATE flows SET bytes_in = -5") }
        guard case .flow(let flow) = try #require(try await reader.all().first) else { throw CancellationError() }
        #expect(flow.bytesInbound == 0)
    }
}
