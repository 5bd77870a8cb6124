// SPDX-License-Identifier: Apache-2.0

// Where the rings of roll-outs stand on this device, and the counts of flows that move them.

package import FlowModel
package import FlowPolicy
internal import Foundation
internal import Synchronization

/// Counts the flows of rules that are being rolled out, on their way to the store, and moves their rings.
///
/// What it knows lies in `rollout.json` of the state directory, so that a ring that stopped stays stopped. A file that
/// cannot be read counts as nothing begun: then each rule starts at its first ring, which takes the fewest devices.
package final class RolloutKeeper: FlowSink, Sendable {
    private struct Entry: Codable, Equatable {
        var state: RolloutRings.State
        /// Flows since the ring began, those of the rule and all others.
        var new = RolloutRings.Counts(flows: 0, failures: 0)
        var baseline = RolloutRings.Counts(flows: 0, failures: 0)
    }

    private struct Book {
        /// By the salt.
        var entries: [String: Entry] = [:]
        /// The rules of the policy in force, by name.
        var rules: [String: Rollout] = [:]
        var isIncluded: [String: Bool] = [:]
    }

    private let path: String
    private let device: String
    private let sink: any FlowSink
    private let metrics: any MetricSink
    private let book: Mutex<Book>

    package init(state directory: String, device: String, sink: any FlowSink, metrics: any MetricSink) {
        path = directory + "/rollout.json"
        self.device = device
        self.sink = sink
        self.metrics = metrics
        book = Mutex(Book(entries: Self.read(path)))
    }

    /// Where rings stand, for the reader of policies.
    package static func states(in directory: String) -> @Sendable (String) -> RolloutRings.State? {
        let entries = read(directory + "/rollout.json")
        return { entries[$0]?.state }
    }

    /// Counts for the rules of this policy from now on.
    package func watch(_ policy: Policy, now: Int64) {
        let (before, after) = book.withLock { book in
            let before = book.entries.count
            book.rules = Dictionary(policy.ringed.map { ($0.rule, $0.rollout) }) { first, _ in first }
            for rollout in book.rules.values {
                book.isIncluded[rollout.salt] = rollout.includes(device)
                if book.entries[rollout.salt] == nil, let rings = rollout.rings {
                    book.entries[rollout.salt] = Entry(state: rings.begin(now: now))
                }
            }
            return (before, book.entries)
        }
        if after.count != before { write(after) }
    }

    /// Moves every ring whose time or whose failures say so; true when the policy has to be read anew.
    package func move(now: Int64) -> Bool {
        let (moved, entries) = book.withLock { book in
            var moved: [(rule: String, state: RolloutRings.State)] = []
            for (rule, rollout) in book.rules {
                guard let rings = rollout.rings, let entry = book.entries[rollout.salt] else { continue }
                let state = rings.next(
                    entry.state, now: now, new: entry.new, baseline: entry.baseline,
                    takesPart: book.isIncluded[rollout.salt] ?? false)
                guard state != entry.state else { continue }
                book.entries[rollout.salt] = Entry(state: state)
                moved.append((rule, state))
            }
            return (moved, book.entries)
        }
        write(entries)
        for case (let rule, .stopped(_, _, let new, let baseline)) in moved {
            metrics.add("policy_rollout_stopped_total", 1)
            FileDescriptorText.standardError(
                "weir: the roll-out of rule \"\(rule.terminalSafe)\" is stopped on this device: \(new.failures) of "
                    + "\(new.flows) flows failed under it, \(baseline.failures) of \(baseline.flows) others; mend the rule, "
                    + "and take its entry out of \(path) to begin again\n")
        }
        return !moved.isEmpty
    }

    package func record(flow: FlowRecord) {
        let failed = flow.bytesInbound == 0 && [.reset, .aborted, .refused].contains(flow.outcome)
        book.withLock { book in
            guard !book.rules.isEmpty else { return }
            let own = flow.verdict.rule.flatMap { book.rules[$0]?.salt }
            for rollout in book.rules.values {
                let counts = rollout.salt == own ? \Entry.new : \Entry.baseline
                book.entries[rollout.salt]?[keyPath: counts].count(failed)
            }
        }
        sink.record(flow: flow)
    }

    package func record(message: MessageRecord) { sink.record(message: message) }
    package func record(finding: FindingRecord) { sink.record(finding: finding) }
    package func record(notice: NoticeRecord) { sink.record(notice: notice) }

    private static func read(_ path: String) -> [String: Entry] {
        guard let data = FileManager.default.contents(atPath: path) else { return [:] }
        return (try? JSONDecoder().decode([String: Entry].self, from: data)) ?? [:]
    }

    private func write(_ entries: [String: Entry]) {
        guard !entries.isEmpty || FileManager.default.fileExists(atPath: path) else { return }
        do {
            try JSONEncoder().encode(entries).write(to: URL(filePath: path), options: .atomic)
        } catch {
            FileDescriptorText.standardError(
                "weir: \(path): cannot be written, so a restart begins the roll-outs again\n")
        }
    }
}

extension RolloutRings.Counts {
    fileprivate mutating func count(_ failed: Bool) {
        self = Self(flows: flows + 1, failures: failures + (failed ? 1 : 0))
    }
}
