// SPDX-License-Identifier: Apache-2.0

// Every number that bounds admission on macOS.

public import FlowModel

extension AppleIntakeLimits {
    public static let flowsAtOnce = Limit(
        "apple.flows", 4_096, .count, metric: "limit_apple_flows_total",
        "Claimed flows at a time, fewer where descriptors are; beyond it the profile's `on_failure` decides.")
    public static let flowsOfProcess = Limit(
        "apple.flows.process", 1_024, .count, metric: "limit_apple_flows_process_total",
        "Claimed flows of one process, so that one that leaks connections does not take the room of all; it is refused more."
    )
    public static let descriptorsSpared = Limit(
        "apple.descriptors.spared", 128, .count, metric: "limit_apple_descriptors_total",
        "Descriptors that the extension needs for itself; a flow may take two of the others.")
    public static let heldFlows = Limit(
        "apple.held", 512, .count, metric: "limit_apple_held_total",
        "Flows that wait for their maker; beyond it a flow is judged without.")
    public static let heldWait = Limit(
        "apple.held.wait", 6_000, .milliseconds, metric: "limit_apple_held_wait_total",
        "How long a flow is held where policy does not say; longer than `identity.apple.wait`, whose answer tells more."
    )
    public static let makersKnown = Limit(
        "apple.makers", 2_048, .count, metric: "limit_apple_makers_total",
        "Processes whose judged identity is kept; of others it is judged again.")
    public static let recordsWaiting = Limit(
        "apple.records", 1_024, .count, metric: "limit_apple_records_total",
        "Records of declined flows that wait to be written; beyond it they are counted only.")
    public static let recordsWait = Limit(
        "apple.records.wait", 250, .milliseconds, metric: "limit_apple_records_wait_total",
        "How long they wait, so that a thousand new flows wake one loop once.")

    static let admission: [Limit] = [
        flowsAtOnce, flowsOfProcess, descriptorsSpared, heldFlows, heldWait, makersKnown, recordsWaiting, recordsWait,
    ]
}
