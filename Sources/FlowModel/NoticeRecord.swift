// SPDX-License-Identifier: Apache-2.0

// What happened to Weir itself, where no flow can tell it.

/// Something about Weir that whoever looks after the machine should know: a gap, a death, a limit that held.
///
/// It holds no content of any flow; what it counts is bounded by whoever makes it, and cut by who keeps it.
public struct NoticeRecord: Hashable, Sendable {
    /// How much it matters.
    public enum Severity: String, Sendable, Codable, CaseIterable {
        /// As it should be, and good to know.
        case info
        /// Something was not seen or not done, and Weir goes on.
        case warning
        /// Weir does not do its work until somebody acts.
        case error
    }

    /// Something that was counted, with the program it is about when it is about one.
    public struct Fact: Hashable, Sendable {
        /// What was counted: stable, lower case, hyphenated, for example `open-connections`.
        public var code: String
        public var count: Int
        /// The path of the program: a label, which proves nothing.
        public var executable: String?
        /// The name of the program that is proved, as in `IdentitySummary`.
        public var provedName: String?

        public init(_ code: String, _ count: Int, executable: String? = nil, provedName: String? = nil) {
            self.code = code
            self.count = count
            self.executable = executable
            self.provedName = provedName
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    public var at: Int64
    public var severity: Severity
    public var reason: Reason
    public var facts: [Fact]

    public init(at: Int64, _ severity: Severity, _ reason: Reason, facts: [Fact] = []) {
        self.at = at
        self.severity = severity
        self.reason = reason
        self.facts = facts
    }
}
