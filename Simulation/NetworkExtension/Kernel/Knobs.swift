// SPDX-License-Identifier: Apache-2.0

// What is not certain about the kernel, as switches, and a set of settings that shows every pair of their values.

internal import Foundation

/// How the simulated kernel answers where neither Apple's documentation nor its source decides.
///
/// The tags are those of the research: PEER (an open-source peer saw it), DTS (Apple's support said so), DEC (public
/// decompilations of one build), INF (inferred).
public struct Knobs: Hashable, Sendable {
    /// `startProxy` is called twice for one start, as macOS 26 does [PEER, FB21464147].
    public var doubleStart = false
    /// `stopProxy` may come before the start has completed [DTS 792231]; otherwise it waits for that.
    public var stopDuringStart = true
    /// A start that reports an error is not followed by `stopProxy` [PEER].
    public var startErrorSkipsStop = true
    /// `cancelProxyWithError` is followed by `stopProxy` [INF].
    public var cancelCallsStop = true
    /// An address with port 53 is allowed in excluded rules: the documentation says no, one build says yes [DOC, DEC].
    public var dnsPortInExcluded = false
    /// Settings without included rules are refused [PEER].
    public var emptyRulesRefused = false
    /// The connection that the kernel makes itself after a decline fails, as it may by itself [SRC].
    public var directConnectFails = false
    /// False from `handleNewUDPFlow` ends the flow, as its comment reads, instead of letting it pass [DOC, PEER].
    public var declineKillsUDP = false
    /// Of providers without a number the most recently installed is asked first [PEER]; otherwise last.
    public var newestFirst = true
    /// After a provider's death, and while one is replaced, new flows of its rules fail with EINVAL [SRC]; for how
    /// many connects is not established.
    public var failClosedWindow = true
    /// A write fails with ENOBUFS now and then, its data not taken [PEER].
    public var writeENOBUFS = false
    /// A read gives all that is there; otherwise one message of the kernel at a time [DEC].
    public var coalescesReads = true
    /// Closing the read side drops a pending read without calling its completion; otherwise that gets the end [DEC].
    public var closeReadDropsPending = true
    /// Closing the read side of an open TCP flow without an error is not told to the application [DEC].
    public var nilErrorCloseReadInvisible = true
    /// Closing an unopened flow without an error lets the application connect, to read the end at once; otherwise its
    /// connect fails with ECONNABORTED [INF].
    public var nilCloseConnects = false
    /// A reset by the application is an error of the next read instead of the end [DEC: "if the kernel reported one"].
    public var resetIsError = true
    /// What an error of another domain becomes for the application [DEC: "generic"].
    public var genericErrno: Int32 = ECONNABORTED

    // Figures, not clauses.

    /// How many connects fail in a fail-closed window before the kernel withdraws the dead provider's rules.
    public var failClosedConnects = 3
    /// Which write fails when `writeENOBUFS`: each of this number.
    public var failingWrite = 3
    /// How many flows the kernel gives a process before ENOMEM.
    public var flowLimit = 16_384

    public init() {}

    /// One clause and its values.
    public struct Clause: Sendable {
        public let name: String
        public let count: Int
        /// Sets the value of this index.
        public let set: @Sendable (inout Knobs, Int) -> Void
        /// The index of the present value.
        public let index: @Sendable (Knobs) -> Int

        init<Value: Equatable & Sendable>(
            _ name: String, _ path: any WritableKeyPath<Knobs, Value> & Sendable, _ values: [Value]
        ) {
            self.name = name
            count = values.count
            set = { if values.indices.contains($1) { $0[keyPath: path] = values[$1] } }
            index = { values.firstIndex(of: $0[keyPath: path]) ?? 0 }
        }
    }

    /// Every clause.
    public static let clauses: [Clause] = [
        Clause("doubleStart", \.doubleStart, [false, true]),
        Clause("stopDuringStart", \.stopDuringStart, [true, false]),
        Clause("startErrorSkipsStop", \.startErrorSkipsStop, [true, false]),
        Clause("cancelCallsStop", \.cancelCallsStop, [true, false]),
        Clause("dnsPortInExcluded", \.dnsPortInExcluded, [false, true]),
        Clause("emptyRulesRefused", \.emptyRulesRefused, [false, true]),
        Clause("directConnectFails", \.directConnectFails, [false, true]),
        Clause("declineKillsUDP", \.declineKillsUDP, [false, true]),
        Clause("newestFirst", \.newestFirst, [true, false]),
        Clause("failClosedWindow", \.failClosedWindow, [true, false]),
        Clause("writeENOBUFS", \.writeENOBUFS, [false, true]),
        Clause("coalescesReads", \.coalescesReads, [true, false]),
        Clause("closeReadDropsPending", \.closeReadDropsPending, [true, false]),
        Clause("nilErrorCloseReadInvisible", \.nilErrorCloseReadInvisible, [true, false]),
        Clause("nilCloseConnects", \.nilCloseConnects, [false, true]),
        Clause("resetIsError", \.resetIsError, [true, false]),
        Clause("genericErrno", \.genericErrno, [ECONNABORTED, EINVAL, EIO]),
    ]

    /// Settings in which every pair of values of any two clauses occurs at least once; the first is the default.
    ///
    /// Greedy: each row takes, clause by clause, the value that makes most of the pairs still missing.
    public static func pairwise() -> [Knobs] {
        struct Pair: Hashable {
            let first: Int
            let value: Int
            let second: Int
            let other: Int
        }
        let counts = clauses.map(\.count)
        var missing: Set<Pair> = []
        for first in counts.indices {
            for second in counts.indices where second > first {
                for value in 0..<counts[first] {
                    for other in 0..<counts[second] {
                        missing.insert(Pair(first: first, value: value, second: second, other: other))
                    }
                }
            }
        }
        func pairs(_ row: [Int]) -> [Pair] {
            row.indices.flatMap { second in
                (0..<second).map { Pair(first: $0, value: row[$0], second: second, other: row[second]) }
            }
        }
        var rows = [counts.map { _ in 0 }]
        missing.subtract(pairs(rows[0]))
        while let seed = missing.min(by: {
            ($0.first, $0.second, $0.value, $0.other) < ($1.first, $1.second, $1.value, $1.other)
        }) {
            var row: [Int?] = counts.map { _ in nil }
            row[seed.first] = seed.value
            row[seed.second] = seed.other
            for clause in row.indices where row[clause] == nil {
                func gain(_ value: Int) -> Int {
                    row.indices.count { other in
                        guard other != clause, let its = row[other] else { return false }
                        return missing.contains(
                            other < clause
                                ? Pair(first: other, value: its, second: clause, other: value)
                                : Pair(first: clause, value: value, second: other, other: its))
                    }
                }
                row[clause] = (0..<counts[clause]).max { gain($0) < gain($1) }
            }
            let full = row.map { $0 ?? 0 }
            missing.subtract(pairs(full))
            rows.append(full)
        }
        return rows.map { row in
            var knobs = Knobs()
            for (clause, value) in zip(clauses, row) { clause.set(&knobs, value) }
            return knobs
        }
    }
}
