// SPDX-License-Identifier: Apache-2.0

// What shall happen to a flow or a message, and why.

/// The four ways a flow can go.
public enum Lane: String, Sendable, Codable, CaseIterable {
    /// Weir does not carry it: it is declined or never arrives.
    case bypass
    /// Weir carries its bytes and does not look.
    case relay
    /// Weir reads it, and edits it where the profile says so.
    case inspect
    /// Weir refuses it with an answer that the application understands.
    case block
}

/// A reason that a person can read, with a code that a program can test.
public struct Reason: Hashable, Sendable, CustomStringConvertible {
    /// Stable, lower case, hyphenated, for example `rule`, `mode-off`, `alpn-not-read`.
    public let code: String
    /// One sentence or less; never content of the flow.
    public let detail: String

    public init(_ code: String, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { detail.isEmpty ? code : "\(code): \(detail)" }
}

/// A decision on a flow or on a message.
public struct Verdict: Hashable, Sendable {
    public var lane: Lane
    /// The name of the profile that says what inspection does; set when the lane is `inspect`.
    public var profile: String?
    /// The name of the rule that decided; nil when no rule did.
    public var rule: String?
    public var reason: Reason

    public init(_ lane: Lane, profile: String? = nil, rule: String? = nil, reason: Reason) {
        self.lane = lane
        self.profile = profile
        self.rule = rule
        self.reason = reason
    }
}
