// SPDX-License-Identifier: Apache-2.0

// The tables of the event store, version by version.

internal import GRDB

/// The versions of the schema.
///
/// A published migration never changes. A new value of a stored enumeration is a new version as well, if only an empty
/// one: older programs then say what is wrong instead of stumbling over the value.
enum EventSchema {
    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        // `flow` is the 64-bit FlowID; `printf('%016x', flow)` prints it. `at` and `started_at` are milliseconds since
        // 1970 UTC. AUTOINCREMENT, so that a follower's place in `seq` holds even after everything was removed.
        migrator.registerMigration("events-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE flows (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        flow INTEGER NOT NULL, at INTEGER NOT NULL, started_at INTEGER NOT NULL,
                        transport TEXT NOT NULL, intake TEXT NOT NULL,
                        source TEXT, destination_host TEXT NOT NULL, destination_port INTEGER NOT NULL,
                        name_resolved TEXT, name_claimed TEXT, name_proved TEXT,
                        code_class TEXT, unknown_cause TEXT, executable TEXT, process_id INTEGER, user_id INTEGER,
                        lane TEXT NOT NULL, profile TEXT, rule TEXT,
                        reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL,
                        protocols TEXT NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL,
                        messages INTEGER NOT NULL, findings INTEGER NOT NULL,
                        outcome TEXT NOT NULL, notes TEXT NOT NULL);
                    CREATE TABLE messages (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        flow INTEGER NOT NULL, at INTEGER NOT NULL, message INTEGER NOT NULL,
                        method TEXT NOT NULL, host TEXT NOT NULL, status INTEGER NOT NULL,
                        lane TEXT NOT NULL, profile TEXT, rule TEXT,
                        reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL, notes TEXT NOT NULL);
                    CREATE TABLE findings (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        flow INTEGER NOT NULL, at INTEGER NOT NULL, message INTEGER NOT NULL,
                        direction TEXT NOT NULL, part TEXT NOT NULL, host TEXT NOT NULL,
                        type TEXT NOT NULL, confidence TEXT NOT NULL,
                        offset INTEGER NOT NULL, length INTEGER NOT NULL,
                        excerpt TEXT NOT NULL, digest TEXT NOT NULL, action TEXT NOT NULL,
                        restraint_code TEXT, restraint_detail TEXT);
                    CREATE INDEX flows_at ON flows (at);
                    CREATE INDEX flows_flow ON flows (flow);
                    CREATE INDEX messages_at ON messages (at);
                    CREATE INDEX messages_flow ON messages (flow, message);
                    CREATE INDEX findings_at ON findings (at);
                    CREATE INDEX findings_flow ON findings (flow, message);
                    CREATE INDEX findings_type ON findings (type, at);
                    """)
        }
        // Users by pseudonym, and more causes of not knowing the program.
        migrator.registerMigration("events-2") { db in
            try db.execute(sql: "ALTER TABLE flows ADD COLUMN user_pseudonym TEXT")
        }
        // What proves the program, and why it has its class.
        migrator.registerMigration("events-3") { db in
            try db.execute(
                sql: """
                    ALTER TABLE flows ADD COLUMN proved_name TEXT;
                    ALTER TABLE flows ADD COLUMN class_reason TEXT;
                    """)
        }
        // What happens to Weir itself.
        migrator.registerMigration("events-4") { db in
            try db.execute(
                sql: """
                    CREATE TABLE notices (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        at INTEGER NOT NULL, severity TEXT NOT NULL,
                        reason_code TEXT NOT NULL, reason_detail TEXT NOT NULL, facts TEXT NOT NULL);
                    CREATE INDEX notices_at ON notices (at);
                    """)
        }
        return migrator
    }

    /// Refuses a file of a later version.
    static func check(_ database: DatabaseQueue, _ path: String) throws {
        if try database.read(migrator.hasBeenSuperseded) {
            throw EventStoreError(
                .newer, "\(path) was made by a newer weir: use that version, or another state directory")
        }
    }

    static func isCurrent(_ database: DatabaseQueue) throws -> Bool {
        try database.read(migrator.hasCompletedMigrations)
    }

    static func migrate(_ database: DatabaseQueue) throws {
        do {
            try migrator.migrate(database)
        } catch {
            // Two processes may find the same file empty. The migrator looks before it locks, so the second fails,
            // and finds that the first has done its work.
            guard try isCurrent(database) else { throw error }
        }
    }
}
