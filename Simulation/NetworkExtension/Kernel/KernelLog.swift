// SPDX-License-Identifier: Apache-2.0

// What the kernel did with flows: counted, and the latest of it line by line.

public import NetworkSimulation

/// What the simulated kernel did, as it stood when asked.
public struct KernelLog: Sendable {
    public enum Event: String, Hashable, Sendable, CaseIterable {
        case offered, declined, claimed, excluded, direct, opened, refused, aborted, closed
    }

    public struct Entry: Hashable, Sendable {
        public let event: Event
        /// The program whose process owns the socket.
        public let program: String
        public let pid: Int32
        public let destination: NWEndpoint
        /// The provider concerned, by the name it was installed with.
        public let proxy: String?
        /// What the application was told, 0 when nothing.
        public let errno: Int32
    }

    struct Key: Hashable {
        let event: Event
        let program: String
        let destination: NWEndpoint?
    }

    /// The latest, oldest first; at most `entryLimit`.
    public private(set) var entries: [Entry] = []
    private var counts: [Key: Int] = [:]
    /// How many lines are kept, and how many different program and destination pairs are counted one by one.
    public static let entryLimit = 1024
    public static let pairLimit = 4096

    /// How often it happened: in all, to one program, to one destination, or to both.
    public func count(_ event: Event, program: String? = nil, destination: NWEndpoint? = nil) -> Int {
        counts[Key(event: event, program: program ?? "", destination: destination)] ?? 0
    }

    mutating func add(_ entry: Entry) {
        if entries.count >= Self.entryLimit * 2 { entries.removeFirst(Self.entryLimit) }
        entries.append(entry)
        counts[Key(event: entry.event, program: "", destination: nil), default: 0] += 1
        for key in [
            Key(event: entry.event, program: "", destination: entry.destination),
            Key(event: entry.event, program: entry.program, destination: nil),
            Key(event: entry.event, program: entry.program, destination: entry.destination),
        ] where counts.count < Self.pairLimit || counts[key] != nil {
            counts[key, default: 0] += 1
        }
    }

    /// As a reader gets it.
    var trimmed: KernelLog {
        var log = self
        log.entries = Array(entries.suffix(Self.entryLimit))
        return log
    }
}
