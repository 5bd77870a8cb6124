// SPDX-License-Identifier: Apache-2.0

// The two ways out of the engine: records of what happened, and counts.

/// Takes records.
///
/// Every method returns at once, from any thread, and never fails the flow.
public protocol FlowSink: Sendable {
    func record(flow: FlowRecord)
    func record(message: MessageRecord)
    func record(finding: FindingRecord)
    /// Takes what happened to Weir itself; without an own implementation it is dropped.
    func record(notice: NoticeRecord)
}

extension FlowSink {
    public func record(notice: NoticeRecord) {}
}

/// Takes counts.
///
/// Every method returns at once, from any thread.
public protocol MetricSink: Sendable {
    /// Adds to a counter, named in the way of Prometheus without prefix, for example `flows_total`.
    func add(_ counter: StaticString, _ amount: Int)
}

/// Drops everything.
public struct NoSink: FlowSink, MetricSink {
    public init() {}
    public func record(flow: FlowRecord) {}
    public func record(message: MessageRecord) {}
    public func record(finding: FindingRecord) {}
    public func add(_ counter: StaticString, _ amount: Int) {}
}
