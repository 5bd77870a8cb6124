// SPDX-License-Identifier: Apache-2.0

// The bounds of this room.

public import FlowModel

/// Every number that bounds what comes in on Linux.
public enum LinuxIntakeLimits {
    public static let dnsOutstanding = Limit(
        "dns-relay.outstanding", 256, .count, metric: "dns_relay_full_total",
        "Each query that waits has a socket of its own; further ones are dropped, and the program asks again.")
    public static let dnsPatience = Limit(
        "dns-relay.patience", 5000, .milliseconds, metric: "dns_relay_timeouts_total",
        "As long as the C library waits for one answer; then it asks again and the next nameserver is tried.")
    public static let dnsMessage = Limit(
        "dns-relay.message", 65535, .bytes, metric: "dns_relay_refused_total",
        "The largest UDP payload, so that no answer is cut short unseen.")
    public static let nameservers = Limit(
        "dns-relay.nameservers", 3, .count, metric: "dns_relay_nameservers_ignored_total",
        "MAXNS of resolv.conf(5); further ones are ignored, as the C library does.")
    public static let lookupPatience = Limit(
        "process-lookup.patience", 250, .milliseconds, metric: "process_lookup_timeouts_total",
        "A scan of /proc takes 4 to 170 ms; later than this the answer would hold up the connection.")
    public static let lookupWaiting = Limit(
        "process-lookup.waiting", 128, .count, metric: "process_lookup_full_total",
        "One scan runs at a time; a connection that finds more than this waiting stays without an owner.")
    public static let lookupHints = Limit(
        "process-lookup.hints", 8, .count, metric: "process_lookup_hints_replaced_total",
        "Processes that connected last are tried first; each costs 0.2 ms when it is the wrong one.")
    public static let certificateFile = Limit(
        "child-trust.file", 8 << 20, .bytes, metric: "child_trust_files_refused_total",
        "The bundles of the distributions have 200 to 400 KiB; a larger file than this is no list of authorities.")

    /// All of them, for documents and metrics.
    public static let all = [
        dnsOutstanding, dnsPatience, dnsMessage, nameservers, lookupPatience, lookupWaiting, lookupHints,
        certificateFile,
    ]
}
