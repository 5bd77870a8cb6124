// SPDX-License-Identifier: Apache-2.0

// Every number that bounds Weir is one of these.

/// A named bound, with the reason for its size.
public struct Limit: Sendable {
    public enum Unit: String, Sendable { case bytes, count, milliseconds, seconds, days }

    /// Dotted, for example `http1.head`.
    public let name: String
    public let value: Int
    public let unit: Unit
    /// Why it is this size, and what happens at it.
    public let reason: String
    /// The counter that counts how often it was reached.
    public let metric: StaticString

    public init(_ name: String, _ value: Int, _ unit: Unit, metric: StaticString, _ reason: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.reason = reason
        self.metric = metric
    }
}
