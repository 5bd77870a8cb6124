// SPDX-License-Identifier: Apache-2.0

// Keeps a provider that dies again and again from taking flows.

public import FlowModel
internal import Foundation
internal import Synchronization

/// Where the register lies.
protocol DeathStorage: Sendable {
    /// What was written last; nil when nothing was.
    func read() throws -> Data?
    /// Replaces it as a whole or not at all.
    func write(_ data: Data) throws
    /// Removes it, which also works on a full disk.
    func remove() throws
}

/// Says at each start whether the provider may take flows, and remembers starts that did not end in order.
///
/// It is written when a run begins and when it ends in order; so a stop, an upgrade and a new start of the machine are
/// no deaths. When unsure (a file that is damaged, cannot be read or cannot be written) it arms, and says so: a register
/// that fails must not be a way to switch Weir off.
///
/// Every method waits for the disk: never call one on the provider's queue.
public final class DeathRegister: Sendable {
    /// What a start may do.
    public struct Beginning: Sendable {
        /// Whether flows may be taken; else the provider starts with empty include rules.
        public var isArmed: Bool
        /// What whoever looks after the machine should know.
        public var notices: [NoticeRecord]
    }

    private let storage: any DeathStorage
    private let metrics: any MetricSink
    private let moment: @Sendable () -> MachineMoment
    /// The book of a run that has begun; nil before and after.
    private let book = Mutex<DeathBook?>(nil)

    /// Keeps `deaths.json` in the state directory.
    public convenience init(state directory: String, metrics: any MetricSink) {
        self.init(
            storage: DeathFile(path: directory + "/deaths.json"), metrics: metrics, moment: { MachineMoment.now })
    }

    init(storage: any DeathStorage, metrics: any MetricSink, moment: @escaping @Sendable () -> MachineMoment) {
        self.storage = storage
        self.metrics = metrics
        self.moment = moment
    }

    /// A run begins.
    ///
    /// `approved` names what a person stands for, as policy and version of the program do: another one re-arms. `at` is
    /// in milliseconds since 1970-01-01 UTC. A second begin without an end is the same run (macOS 26 starts twice).
    public func begin(approved: String, at: Int64) -> Beginning {
        book.withLock { book in
            if let book { return Beginning(isArmed: book.isArmed, notices: []) }
            let now = moment()
            var (found, notices) = read(now, at)
            let beginning = found.begin(now, approved: String(approved.prefix(256)))
            notices += tell(found, beginning, at)
            notices += write(found, at)
            book = found
            return Beginning(isArmed: found.isArmed, notices: notices)
        }
    }

    /// The run ends in order: stopped, upgraded, or not begun after all.
    public func end() {
        book.withLock { book in
            guard var ended = book else { return }
            book = nil
            ended.end()
            do {
                try storage.write(Self.data(of: ended))
            } catch {
                // Without the file nothing is a death, and that is true of this run.
                try? storage.remove()
            }
        }
    }

    /// Somebody wants flows to be taken again; the provider applies its rules after that.
    public func rearm(at: Int64) -> [NoticeRecord] {
        book.withLock { book in
            var (rearmed, notices) = book.map { ($0, []) } ?? read(moment(), at)
            guard !rearmed.isArmed else { return notices }
            rearmed.rearm()
            if book != nil { book = rearmed }
            return notices + [Self.rearmed(at)] + write(rearmed, at)
        }
    }

    private func read(_ now: MachineMoment, _ at: Int64) -> (DeathBook, [NoticeRecord]) {
        let fresh = DeathBook(boot: now.boot)
        do {
            guard let data = try storage.read() else { return (fresh, []) }
            if data.count <= AppleIntakeLimits.deathFile.value,
                let book = try? JSONDecoder().decode(DeathBook.self, from: data), book.isPlausible(at: now)
            {
                return (book, [])
            }
            return (
                fresh,
                [Self.warning("death-register-damaged", "it was begun anew, and earlier deaths are forgotten", at)]
            )
        } catch {
            return (fresh, [Self.warning("death-register-unreadable", "earlier deaths are not known", at)])
        }
    }

    private func write(_ book: DeathBook, _ at: Int64) -> [NoticeRecord] {
        do {
            try storage.write(Self.data(of: book))
            return []
        } catch {
            let detail = "the next death will not be noticed: check space and owner of the state directory"
            return [Self.warning("death-register-unwritable", detail, at)]
        }
    }

    private static func data(of book: DeathBook) throws -> Data { try JSONEncoder().encode(book) }

    private func tell(_ book: DeathBook, _ beginning: DeathBook.Beginning, _ at: Int64) -> [NoticeRecord] {
        var notices: [NoticeRecord] = []
        let facts = [NoticeRecord.Fact("deaths", book.deaths.count)]
        if beginning.hasDied {
            metrics.add(AppleIntakeLimits.deaths.metric, 1)
            let reason = Reason("provider-died", "the last run did not end in order, and what it carried was cut off")
            notices.append(NoticeRecord(at: at, .warning, reason, facts: facts))
        }
        if beginning.wasRearmed { notices.append(Self.rearmed(at)) }
        if !book.isArmed {
            let reason = Reason(
                "provider-disarmed",
                "it died too often and takes no flows until it is re-armed or another policy or version is approved")
            notices.append(NoticeRecord(at: at, .error, reason, facts: facts))
        }
        return notices
    }

    private static func rearmed(_ at: Int64) -> NoticeRecord {
        NoticeRecord(at: at, .info, Reason("provider-rearmed", "flows are taken again"))
    }

    private static func warning(_ code: String, _ detail: String, _ at: Int64) -> NoticeRecord {
        NoticeRecord(at: at, .warning, Reason(code, detail))
    }
}

/// The register as a file.
struct DeathFile: DeathStorage {
    let path: String

    func read() throws -> Data? {
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            // One byte more than is allowed tells a file that is too long.
            return try file.read(upToCount: AppleIntakeLimits.deathFile.value + 1) ?? Data()
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return nil
        }
    }

    /// Renames a new file into its place; not flushed to the disk, because a death of the machine counts for nothing.
    func write(_ data: Data) throws { try data.write(to: URL(filePath: path), options: .atomic) }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
