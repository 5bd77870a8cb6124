// SPDX-License-Identifier: Apache-2.0

// Tests of writing while the disk misbehaves: flows never wait, and the store recovers by itself.

import EventStore
import FlowModel
import Foundation
import GRDB
import Synchronization
import Testing

struct EventWriterTests {
    private func exclusiveLock(_ directory: TemporaryDirectory) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(10)
        let other = try DatabaseQueue(path: directory.database, configuration: configuration)
        try other.inDatabase { db in try db.execute(sql: "BEGIN EXCLUSIVE") }
        return other
    }

    private func unlock(_ other: DatabaseQueue) throws {
        try other.inDatabase { db in try db.execute(sql: "ROLLBACK") }
    }

    @Test func aLockedStoreStopsNobodyAndRecovers() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .impatient)
        let other = try exclusiveLock(directory)
        // That these calls return while the lock is held is the point.
        for id in 1...100 { store.record(flow: try Samples.flow(UInt64(id))) }
        try await eventually { store.health().failed >= 3 }
        let locked = store.health()
        #expect(locked.written == 0)
        #expect(locked.queued == 100)
        #expect(locked.isFailing)
        #expect(locked.lastError?.code == .busy)

        try unlock(other)
        #expect(await store.flush(within: .seconds(60)))
        let recovered = await store.close(within: .seconds(60))
        #expect(recovered.written == 100)
        #expect(recovered.dropped == 0)
        #expect(!recovered.isFailing)
        #expect(try await EventReader.open(at: directory.path).all().count == 100)
    }

    @Test func aFullQueueDropsTheNewestAndCountsThem() async throws {
        let directory = try TemporaryDirectory()
        var options = EventStoreOptions.impatient
        options.queued = 10
        let metrics = CountingMetrics()
        let store = try EventStore.open(at: directory.path, options: options, metrics: metrics)
        let other = try exclusiveLock(directory)
        for id in 1...15 { store.record(flow: try Samples.flow(UInt64(id))) }
        #expect(store.health().dropped == 5)
        #expect(store.health().queued == 10)
        try unlock(other)
        await store.close(within: .seconds(60))
        let kept = try await EventReader.open(at: directory.path).all().compactMap(\.flowID?.value)
        #expect(kept == Array(1...10))
        #expect(metrics.count("events_dropped_total") == 5)
        #expect(metrics.count("events_written_total") == 10)
    }

    @Test func closingHasADeadlineAndCountsWhatIsLost() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .impatient)
        let other = try exclusiveLock(directory)
        for id in 1...7 { store.record(flow: try Samples.flow(UInt64(id))) }
        #expect(await store.flush(within: .milliseconds(50)) == false)
        let health = await store.close(within: .milliseconds(50))
        #expect(health.dropped == 7)
        #expect(health.queued == 0)
        try unlock(other)
        store.record(flow: try Samples.flow())
        #expect(store.health().dropped == 8)
    }

    @Test func closingInACancelledTaskStillStoresWhatIsQueued() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        for id in 1...50 { store.record(flow: try Samples.flow(UInt64(id))) }
        let task = Task { await store.close(within: .seconds(60)) }
        task.cancel()
        #expect(await task.value.written == 50)
    }

    @Test func aStoreThatIsDroppedStillStoresWhatIsQueued() async throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try EventStore.open(at: directory.path, options: .keepingAll)
            store.record(flow: try Samples.flow())
        }
        let reader = try EventReader.open(at: directory.path)
        for _ in 0..<3_000 where try await reader.all().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await reader.all().count == 1)
    }

    @Test func aFileThatIsRemovedIsMadeAgain() async throws {
        let directory = try TemporaryDirectory()
        let store = try EventStore.open(at: directory.path, options: .keepingAll)
        store.record(flow: try Samples.flow(1))
        #expect(await store.flush(within: .seconds(60)))
        try FileManager.default.removeItem(atPath: directory.path)
        store.record(flow: try Samples.flow(2))
        await store.close(within: .seconds(60))
        #expect(try await EventReader.open(at: directory.path).all().compactMap(\.flowID?.value) == [2])
    }

    #if os(Linux)
    @Test func aFullDiskStopsNobodyAndRecovers() async throws {
        let mount = try TemporaryMount()
        let store = try EventStore.open(at: mount.path, options: .impatient)
        store.record(flow: try Samples.flow(1))
        #expect(await store.flush(within: .seconds(60)))
        try mount.fill()
        for id in 2...2_000 { store.record(flow: try Samples.flow(UInt64(id))) }
        try await eventually { store.health().failed >= 3 }
        #expect(store.health().lastError?.code == .full)
        #expect(store.health().queued > 0)
        try mount.makeRoom()
        #expect(await store.flush(within: .seconds(60)))
        let health = await store.close(within: .seconds(60))
        #expect(health.written == 2_000)
        #expect(health.dropped == 0)
        #expect(try await EventReader.open(at: mount.path).all().count == 2_000)
    }

    @Test func aReadOnlyDirectoryStopsNobodyAndRecovers() async throws {
        let mount = try TemporaryMount(readOnly: true)
        let store = try EventStore.open(at: mount.path, options: .impatient)
        #expect(store.health().isFailing)
        #expect(store.health().lastError?.code == .denied)
        for id in 1...20 { store.record(flow: try Samples.flow(UInt64(id))) }
        try await eventually { store.health().failed >= 3 }
        #expect(store.health().queued == 20)
        try mount.makeWritable()
        let health = await store.close(within: .seconds(60))
        #expect(health.written == 20)
        #expect(health.dropped == 0)
    }
    #endif
}

/// Adds up counters.
final class CountingMetrics: MetricSink {
    private let counts = Mutex<[String: Int]>([:])

    func add(_ counter: StaticString, _ amount: Int) { counts.withLock { $0["\(counter)", default: 0] += amount } }
    func count(_ counter: String) -> Int { counts.withLock { $0[counter] ?? 0 } }
}

#if os(Linux)
/// A small file system of its own, because root writes to every read-only directory and no disk is full.
///
/// Needs root and the right to mount; a test that cannot have it fails and says so.
final class TemporaryMount {
    private let directory: TemporaryDirectory
    var path: String { directory.path }
    private var filler: String { path + "/filler" }

    init(readOnly: Bool = false) throws {
        directory = try TemporaryDirectory()
        try mount(readOnly ? UInt(MS_RDONLY) : 0)
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    func makeWritable() throws { try mount(UInt(MS_REMOUNT)) }

    func fill() throws {
        try #require(FileManager.default.createFile(atPath: filler, contents: nil))
        let file = try #require(FileHandle(forWritingAtPath: filler))
        for size in [1 << 16, 1] {
            let block = Data(count: size)
            while (try? file.write(contentsOf: block)) != nil {}
        }
        try file.close()
    }

    func makeRoom() throws { try FileManager.default.removeItem(atPath: filler) }

    private func mount(_ flags: UInt) throws {
        let status = Foundation.mount("tmpfs", path, "tmpfs", flags, "size=8m")
        let reason = String(cString: strerror(errno))
        try #require(status == 0, "cannot mount: \(reason); run this test as root with the right to mount")
    }
}
#endif
