// SPDX-License-Identifier: Apache-2.0

// The numbers that bound the connections of claimed flows.

public import FlowModel

extension AppleIntakeLimits {
    /// How long an origin may take to accept.
    public static let connectWait = Limit(
        "apple.egress.connect-wait", 30_000, .milliseconds, metric: "limit_egress_connect_wait_total",
        "How long an origin may take to accept; the application then hears that it timed out.")
    /// How many flows may be known for attribution.
    public static let attributedFlows = Limit(
        "apple.egress.attributed", 16_384, .count, metric: "egress_unattributed_total",
        "Flows whose connections are made in their application's name; beyond it they are made in ours.")
    /// How long a connection may be without a path after a wake-up.
    public static let wakeGrace = Limit(
        "apple.egress.wake-grace", 10_000, .milliseconds, metric: "limit_wake_grace_total",
        "A network takes seconds to come back after sleep; a connection that is still without a path then is dead.")
    /// How long a connection is silent before the system asks whether its peer is alive.
    public static let keepalive = Limit(
        "apple.egress.keepalive", 60, .seconds, metric: "limit_keepalive_total",
        "Silence after which TCP asks whether the peer is alive; four questions without an answer end the connection.")
    /// The largest single read of a connection.
    public static let connectionRead = Limit(
        "apple.egress.read", 256 * 1024, .bytes, metric: "limit_connection_read_total",
        "The largest single read of an origin: as much as the system's window of the application.")
    /// How much may wait to be sent.
    public static let connectionUnsent = Limit(
        "apple.egress.unsent", 256 * 1024, .bytes, metric: "limit_connection_unsent_total",
        "Unsent bytes beyond which the application is not read; it is read again at a quarter.")

    static let egress = [connectWait, attributedFlows, wakeGrace, keepalive, connectionRead, connectionUnsent]
}
