// SPDX-License-Identifier: Apache-2.0

// Counts what was bypassed, by reason, on its way to the store.

internal import FlowModel
internal import MacControl
internal import Synchronization

/// Counts flows that were not taken, for the app.
///
/// Reasons are codes of rules and catalogues, so they are few; should they not be, the rest counts as one.
final class BypassLedger: FlowSink {
    private let sink: any FlowSink
    private let counts = Mutex<[String: (detail: String, count: Int)]>([:])
    private static let rest = "others"

    init(_ sink: any FlowSink) { self.sink = sink }

    func record(flow: FlowRecord) {
        if flow.verdict.lane == .bypass {
            let reason = flow.verdict.reason
            counts.withLock { counts in
                let isRoom = counts[reason.code] != nil || counts.count < MacControlLimits.reasons.value - 1
                let code = isRoom ? reason.code : Self.rest
                counts[code] = (isRoom ? reason.detail : "other reasons", (counts[code]?.count ?? 0) + 1)
            }
        }
        sink.record(flow: flow)
    }

    func record(message: MessageRecord) { sink.record(message: message) }
    func record(finding: FindingRecord) { sink.record(finding: finding) }
    func record(notice: NoticeRecord) { sink.record(notice: notice) }

    /// The counts since the start, the largest first.
    var all: [BypassCount] {
        counts.withLock { $0 }
            .map { BypassCount(code: $0.key, detail: $0.value.detail, count: $0.value.count) }
            .sorted { ($1.count, $0.code) < ($0.count, $1.code) }
    }
}
