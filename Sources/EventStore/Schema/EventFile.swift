// SPDX-License-Identifier: Apache-2.0

// The file `events.sqlite`: how it is made, opened, and kept from older programs.

internal import FlowModel
internal import Foundation
internal import GRDB

/// An open connection to the file of events.
struct EventFile {
    let database: DatabaseQueue
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    static func path(in directory: String) -> String { directory + "/events.sqlite" }

    /// Opens the file to write, after making it (mode 0600) and its directory (0700) where they are missing.
    static func openForWriting(in directory: String, busy: Int) throws(EventStoreError) -> EventFile {
        let path = path(in: directory)
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw EventStoreError(.denied, "\(directory) cannot be made: \(String(cString: strerror(errno)))")
        }
        createIfMissing(path)
        var configuration = configuration(busy: busy)
        configuration.prepareDatabase { db in
            // Has an effect only before the first table is made, and lets the file shrink in small steps later.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // A power cut may lose the last batches under NORMAL, but never harms the file.
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = NORMAL;
                    PRAGMA journal_size_limit = \(EventStoreLimits.journal.value)
                    """)
        }
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            try EventSchema.check(database, path)
            try EventSchema.migrate(database)
            return try EventFile(database, path)
        } catch {
            throw EventStoreError(error, at: path)
        }
    }

    /// Opens the file to read; a file of an older version is brought up to date first.
    static func openForReading(in directory: String, busy: Int) throws(EventStoreError) -> EventFile {
        let path = path(in: directory)
        guard access(path, R_OK) == 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw EventStoreError(.missing, "no events are kept in \(directory): there is no events.sqlite")
            }
            throw EventStoreError(.denied, "\(path) may not be read: \(String(cString: strerror(errno)))")
        }
        var configuration = configuration(busy: busy)
        configuration.readonly = true
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            try EventSchema.check(database, path)
            if try !EventSchema.isCurrent(database) {
                try openForWriting(in: directory, busy: busy).close()
            }
            return try EventFile(database, path)
        } catch {
            throw EventStoreError(error, at: path)
        }
    }

    /// Makes an empty file that its owner alone can read, where SQLite would let all read it.
    ///
    /// The journals beside it take over its mode. The file is closed before it has its name: closing a second
    /// descriptor of a file in use would drop the locks that another connection of this process holds on it.
    private static func createIfMissing(_ path: String) {
        guard access(path, F_OK) != 0, errno == ENOENT else { return }
        var draft = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&draft)
        guard descriptor >= 0 else { return }
        Foundation.close(descriptor)
        // Fails when another process was quicker, which is as good.
        link(draft, path)
        unlink(draft)
    }

    private static func configuration(busy: Int) -> Configuration {
        var configuration = Configuration()
        configuration.label = "weir.events"
        configuration.busyMode = .timeout(Double(busy) / 1_000)
        configuration.foreignKeysEnabled = false
        // Without it GRDB traps when a failing disk leaves a transaction open; here the connection is given up instead.
        configuration.allowsUnsafeTransactions = true
        // KiB. Flows have random numbers, so their index is touched all over.
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA cache_size = -8192") }
        return configuration
    }

    private init(_ database: DatabaseQueue, _ path: String) throws(EventStoreError) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw EventStoreError(.unavailable, "\(path) was removed while it was opened")
        }
        self.database = database
        self.path = path
        device = information.st_dev
        inode = information.st_ino
    }

    /// Whether the open file is still the one at its path.
    var isInPlace: Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_dev == device && information.st_ino == inode
    }

    func close() { try? database.close() }
}
