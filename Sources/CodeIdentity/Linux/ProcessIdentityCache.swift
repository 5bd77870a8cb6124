// SPDX-License-Identifier: Apache-2.0

// Identities of running processes, kept as long as the image is the same and the check is not too old.

import FlowModel
import Synchronization

/// A bounded store of process identities.
///
/// One entry a process: a reused number or another image finds nothing and takes the place. An identity that was still
/// moving when it was read is not kept. Times are the caller's, in milliseconds of a clock that never goes back.
public final class ProcessIdentityCache: Sendable {
    private final class Entry: Sendable {
        let process: ExaminedProcess
        let checked: UInt64

        init(_ process: ExaminedProcess, _ checked: UInt64) {
            self.process = process
            self.checked = checked
        }
    }

    /// Two generations: when the young one is full the old one is dropped, so that what is used stays and no list is
    /// kept.
    private struct State {
        var young: [Int32: Entry] = [:]
        var old: [Int32: Entry] = [:]
        var evicted = 0

        mutating func insert(_ entry: Entry, generation: Int) {
            let pid = entry.process.image.process.pid
            old[pid] = nil
            if young[pid] == nil, young.count >= generation {
                evicted += old.count
                old = young
                young = [:]
                young.reserveCapacity(generation)
            }
            young[pid] = entry
        }
    }

    private let state = Mutex(State())
    private let generation: Int

    /// Keeps as many identities as the limit says.
    public convenience init() { self.init(capacity: CodeIdentityLimits.cachedProcesses.value) }

    /// Keeps at most `capacity` identities, at least two.
    public init(capacity: Int) { generation = max(1, capacity / 2) }

    /// The identity of this very image, when it was checked at most `maximumAge` milliseconds before `now`.
    ///
    /// Foreign code can enter a process at any time: give an age of a few minutes.
    public func identity(of image: ProcessImage, now: UInt64, maximumAge: UInt64) -> LinuxIdentity? {
        let pid = image.process.pid
        let entry = state.withLock { state -> Entry? in
            if let entry = state.young[pid] { return entry }
            guard let entry = state.old[pid] else { return nil }
            state.insert(entry, generation: generation)
            return entry
        }
        guard let entry, entry.process.image == image, now >= entry.checked, now - entry.checked <= maximumAge else {
            return nil
        }
        return entry.process.identity
    }

    /// Keeps an identity that was read at `now`, unless it is about to change.
    public func store(_ process: ExaminedProcess, now: UInt64) {
        let identity = process.identity
        let moving =
            identity.executable.claim?.verdict == .inTransaction || identity.problems.contains { $0.code == .changed }
        if moving { return }
        state.withLock { $0.insert(Entry(process, now), generation: generation) }
    }

    /// Forgets a process that has ended.
    public func remove(_ pid: Int32) {
        state.withLock {
            $0.young[pid] = nil
            $0.old[pid] = nil
        }
    }

    /// How many identities are kept, and how many were dropped for room (the metric of the limit).
    public var counts: (kept: Int, evicted: Int) { state.withLock { ($0.young.count + $0.old.count, $0.evicted) } }
}
