// SPDX-License-Identifier: Apache-2.0

// Tests of the file: its mode, its versions, its company.

import FlowModel
import Foundation
import GRDB
import Testing

@testable import EventStore

struct EventFileTests {
    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func theFileAndItsJournalsAreReadableByTheirOwnerAlone() async throws {
        let directory = try TemporaryDirectory()
        let state = directory.path + "/state"
        let store = try EventStore.open(at: state, options: .keepingAll)
        store.record(flow: try Samples.flow())
        #expect(await store.flush(within: .seconds(60)))
        #expect(try mode(state) == 0o700)
        for suffix in ["", "-wal", "-shm"] { #expect(try mode(state + "/events.sqlite" + suffix) == 0o600) }
        await store.close(within: .seconds(60))
    }

    @Test func aMissingStoreIsOneClearError() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: EventStoreError.self) { try EventReader.open(at: directory.path) }
        #expect(error?.code == .missing)
        #expect(error?.description == "no events are kept in \(directory.path): there is no events.sqlite")
        // Looking makes nothing.
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let junk = Data(repeating: 0x41, count: 10_000)
        try junk.write(to: URL(fileURLWithPath: directory.database))
        #expect(throws: EventStoreError(.damaged, "")) { try EventStore.open(at: directory.path, options: .keepingAll) }
        #expect(throws: EventStoreError(.damaged, "")) { try EventReader.open(at: directory.path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.database)) == junk)
    }

    @Test func anEmptyFileBecomesAStore() async throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(fileURLWithPath: directory.database))
        #expect(try await EventReader.open(at: directory.path).all().isEmpty)
        #expect(try await reader(of: [.flow(try Samples.flow())], in: directory).all().count == 1)
    }

    @Test func aFileOfVersionOneIsReadAndWritten() async throws {
        let directory = try TemporaryDirectory()
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in try db.execute(sql: versionOne) }
        try database.close()
        let reader = try EventReader.open(at: directory.path)
        #expect(try await reader.all().map(\.brief) == ["me7", "fi7", "fl7"])
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        store.record(flow: try Samples.flow(8))
        store.record(notice: Samples.notice())
        await store.close(within: .seconds(60))
        #expect(try await reader.all().map(\.brief) == ["me7", "fi7", "fl7", "no", "fl8"])
    }

    @Test func theSchemaIsThatOfVersionOneWithWhatLaterVersionsAdd() async throws {
        let old = try DatabaseQueue()
        try await old.write { db in
            try db.execute(sql: versionOne)
            try db.execute(sql: "ALTER TABLE flows ADD COLUMN user_pseudonym TEXT")
            try db.execute(sql: "ALTER TABLE flows ADD COLUMN proved_name TEXT")
            try db.execute(sql: "ALTER TABLE flows ADD COLUMN class_reason TEXT")
            try db.execute(
                sql: """
                    CREATE TABLE notices (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        at INTEGER NOT NULL, severity TEXT NOT NULL,
                        reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL, facts TEXT NOT NULL)
                    """)
        }
        let directory = try TemporaryDirectory()
        let file = try EventFile.openForWriting(in: directory.path, busy: 1_000)
        defer { file.close() }
        let columns = "SELECT m.name, p.* FROM sqlite_master m, pragma_table_info(m.name) p ORDER BY 1, 2"
        let expected = try await old.read { db in try Row.fetchAll(db, sql: columns).map(\.description) }
        let actual = try await file.database.read { db in try Row.fetchAll(db, sql: columns).map(\.description) }
        #expect(actual == expected)
    }

    @Test func aFileOfANewerWeirIsRefusedByName() async throws {
        let directory = try TemporaryDirectory()
        _ = try await reader(of: [.flow(try Samples.flow())], in: directory)
        let database = try DatabaseQueue(path: directory.database)
        try await database.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('events-2000')")
        }
        let written = #expect(throws: EventStoreError.self) {
            try EventStore.open(at: directory.path, options: .keepingAll)
        }
        let read = #expect(throws: EventStoreError.self) { try EventReader.open(at: directory.path) }
        for error in [written, read] {
            #expect(error?.code == .newer)
            #expect(error?.description.contains("was made by a newer weir: ") == true)
        }
    }

    @Test func manyMayMakeTheSameFileAtOnce() async throws {
        for _ in 0..<10 {
            let directory = try TemporaryDirectory()
            let path = directory.path
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 1...4 {
                    group.addTask {
                        let store = try EventStore.open(at: path, options: .keepingAll)
                        store.record(flow: try Samples.flow(UInt64(id)))
                        #expect(await store.close(within: .seconds(60)).written == 1)
                    }
                }
                try await group.waitForAll()
            }
            let found = try await EventReader.open(at: path).all().compactMap(\.flowID?.value)
            #expect(Set(found) == [1, 2, 3, 4])
        }
    }

    @Test func severalWritersAndAReaderShareAFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        let first = try EventStore.open(at: path, options: .keepingAll)
        let second = try EventStore.open(at: path, options: .keepingAll)
        let reader = try EventReader.open(at: path)
        for round in 0..<20 {
            for index in 0..<100 {
                first.record(flow: try Samples.flow(UInt64(round * 200 + index)))
                second.record(flow: try Samples.flow(UInt64(round * 200 + 100 + index)))
            }
            _ = try await reader.all().count
        }
        let healths = [await first.close(within: .seconds(60)), await second.close(within: .seconds(60))]
        #expect(healths.map(\.written) == [2_000, 2_000])
        let found = try await reader.all().compactMap(\.flowID?.value)
        #expect(found.sorted() == Array(0..<4_000))
    }
}

/// A store as the first version made it: never to be changed.
let versionOne = """
    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
    INSERT INTO grdb_migrations VALUES ('events-1');
    CREATE TABLE flows (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow INTEGER NOT NULL, at INTEGER NOT NULL, started_at INTEGER NOT NULL,
        transport TEXT NOT NULL, intake TEXT NOT NULL,
        source TEXT, destination_host TEXT NOT NULL, destination_port INTEGER NOT NULL,
        name_resolved TEXT, name_claimed TEXT, name_proved TEXT,
        code_class TEXT, unknown_cause TEXT, executable TEXT, process_id INTEGER, user_id INTEGER,
        lane TEXT NOT NULL, profile TEXT, rule TEXT, reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL,
        protocols TEXT NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL,
        messages INTEGER NOT NULL, findings INTEGER NOT NULL, outcome TEXT NOT NULL, notes TEXT NOT NULL);
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow INTEGER NOT NULL, at INTEGER NOT NULL, message INTEGER NOT NULL,
        method TEXT NOT NULL, host TEXT NOT NULL, status INTEGER NOT NULL,
        lane TEXT NOT NULL, profile TEXT, rule TEXT, reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL,
        notes TEXT NOT NULL);
    CREATE TABLE findings (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow INTEGER NOT NULL, at INTEGER NOT NULL, message INTEGER NOT NULL,
        direction TEXT NOT NULL, part TEXT NOT NULL, host TEXT NOT NULL, type TEXT NOT NULL,
        confidence TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
        excerpt TEXT NOT NULL, digest TEXT NOT NULL, action TEXT NOT NULL,
        restraint_code TEXT, restraint_detail TEXT);
    CREATE INDEX flows_at ON flows (at);
    CREATE INDEX flows_flow ON flows (flow);
    CREATE INDEX messages_at ON messages (at);
    CREATE INDEX messages_flow ON messages (flow, message);
    CREATE INDEX findings_at ON findings (at);
    CREATE INDEX findings_flow ON findings (flow, message);
    CREATE INDEX findings_type ON findings (type, at);
    INSERT INTO messages VALUES
        (1, 7, 1000, 1, 'GET', 'old.example', 200, 'relay', NULL, NULL, 'mode-off', '', '[]');
    INSERT INTO findings VALUES
        (1, 7, 1000, 1, 'inbound', 'body', 'old.example', 'iban', 'proved', 3, 22, 'DE**', '00000000000000aa',
        'report', NULL, NULL);
    INSERT INTO flows VALUES
        (1, 7, 1000, 900, 'tcp', 'exec', '127.0.0.1:5', 'old.example', 443, NULL, 'old.example', NULL, NULL,
        'not-asked', NULL, NULL, NULL, 'relay', NULL, NULL, 'mode-off', '', '["tls"]', 1, 2, 1, 1, 'completed',
        '[{"code":"a","detail":"b"}]');
    """
