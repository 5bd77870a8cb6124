// SPDX-License-Identifier: Apache-2.0

// The numbers that bound UDP flows and their way out.

public import FlowModel

extension AppleIntakeLimits {
    /// How long a UDP flow may be silent.
    public static let datagramIdle = Limit(
        "apple.datagrams.idle", 60_000, .milliseconds, metric: "limit_datagram_idle_total",
        "Most applications do not say that they are done with a UDP socket, so silence in both directions ends its flow."
    )
    /// How long a UDP flow that only asked name servers may be silent.
    public static let datagramDNSIdle = Limit(
        "apple.datagrams.dns-idle", 10_000, .milliseconds, metric: "limit_datagram_dns_idle_total",
        "Resolvers use a socket for one question and give up within seconds, so such a flow is over sooner.")
    /// How many destinations of a flow have their verdict kept.
    public static let datagramDestinations = Limit(
        "apple.datagrams.destinations", 256, .count, metric: "limit_datagram_destinations_total",
        "Verdicts kept for each flow; the oldest is forgotten and, when its destination comes again, judged anew.")
    /// How many datagrams wait for an application.
    public static let datagramQueue = Limit(
        "apple.datagrams.queue", 256, .count, metric: "limit_datagram_queue_total",
        "Datagrams that wait while the application takes what was written before; the oldest are dropped.")
    /// How many bytes of datagrams wait for an application.
    public static let datagramQueueBytes = Limit(
        "apple.datagrams.queue-bytes", 256 * 1024, .bytes, metric: "limit_datagram_queue_total",
        "The same in bytes: as much as the system's own window; the oldest are dropped.")
    /// How many datagrams are written to an application at once.
    public static let datagramBatch = Limit(
        "apple.datagrams.batch", 64, .count, metric: "limit_datagram_batch_total",
        "Datagrams of one write to an application; the next waits until this one is taken.")

    static let datagrams =
        [datagramIdle, datagramDNSIdle, datagramDestinations, datagramQueue, datagramQueueBytes, datagramBatch] + egress
}
