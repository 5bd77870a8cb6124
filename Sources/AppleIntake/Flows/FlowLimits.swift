// SPDX-License-Identifier: Apache-2.0

// Every number that bounds a TCP flow of the system.

public import FlowModel

extension AppleIntakeLimits {
    public static let openWait = Limit(
        "apple.flows.open-wait", 5_000, .milliseconds, metric: "limit_apple_open_wait_total",
        "How long the system may take to say that an application is connected; its flow is then closed.")
    public static let writeSize = Limit(
        "apple.flows.write", 128 * 1024, .bytes, metric: "limit_apple_write_total",
        "One write to the system: much for one hop, little of the 1 MiB of the control socket that all flows share.")
    public static let writeHigh = Limit(
        "apple.flows.write-high", 256 * 1024, .bytes, metric: "limit_apple_write_high_total",
        "Bytes that the application has not taken, beyond which the origin is not read.")
    public static let writeLow = Limit(
        "apple.flows.write-low", 64 * 1024, .bytes, metric: "limit_apple_write_low_total",
        "Bytes that the application has not taken, below which the origin is read again.")
    public static let writeRetries = Limit(
        "apple.flows.write-retries", 8, .count, metric: "limit_apple_write_retries_total",
        "How often a write that found no buffer space is tried again; the flow is then reset.")
    public static let writeRetryWait = Limit(
        "apple.flows.write-retry-wait", 5, .milliseconds, metric: "limit_apple_write_retry_wait_total",
        "The wait before the first such retry; it doubles with each.")

    static let flows: [Limit] = [openWait, writeSize, writeHigh, writeLow, writeRetries, writeRetryWait]
}
