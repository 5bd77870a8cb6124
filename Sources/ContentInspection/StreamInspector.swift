// SPDX-License-Identifier: Apache-2.0

// Finds and masks sensitive data in one homogeneous text, as it streams.

public import FlowModel

/// Inspects one homogeneous stream of text.
///
/// The driver keeps the raw bytes from `releasable` on, applies edits in place and sends up to `releasable`. However
/// a stream is cut between the same events, findings and the edited bytes are the same. Bytes are held only from the
/// first byte of a live candidate on; where nothing may be edited, nothing is held.
public struct StreamInspector: ~Copyable {
    /// The walk with the detectors that may edit or block, and the walk with the others.
    private var editor: Scanner?
    private var reporter: Scanner?
    private var settlement: Settlement
    private var total = 0
    /// The offset up to which bytes may go out.
    private var releasable = 0

    /// Starts at offset 0; a `restraint` says why nothing may be edited.
    ///
    /// Findings that policy wanted edited then carry it. A finding that policy blocks on still blocks, but nothing is
    /// held for it.
    public init(plan: InspectionPlan, restraint: Reason? = nil) {
        self.init(plan: plan, restraint: restraint, isJSON: false)
    }

    init(plan: InspectionPlan, restraint: Reason?, isJSON: Bool) {
        settlement = Settlement(plan: plan, restraint: restraint)
        start(isJSON: isJSON)
    }

    /// Takes the next bytes.
    public mutating func feed(_ bytes: Span<UInt8>, into step: inout InspectionStep) {
        bytes.withUnsafeBufferPointer { feed($0, isLast: false, into: &step) }
    }

    /// Takes an event at this place of the stream.
    public mutating func signal(_ event: StreamEvent, into step: inout InspectionStep) {
        switch event {
        case .endOfField, .endOfMessage: feed(UnsafeBufferPointer(start: nil, count: 0), isLast: true, into: &step)
        case .deadline: release(beyond: 0, into: &step)
        }
    }

    /// Whether bytes are held that a deadline would release.
    public var isHolding: Bool { isHolding(beyond: 0) }

    // MARK: For BodyInspector

    /// Whether these bytes and `beyond` that come next are held until more comes or a deadline releases them.
    func isHolding(beyond: Int) -> Bool { canRelease && releasable < total + beyond }

    /// Whether a deadline releases what is held: not the inside of a private key, and nothing once blocked.
    private var canRelease: Bool {
        settlement.blockedFrom == nil && editor.map { !$0.isSwallowing } == true
    }

    /// Ends the field and begins another one that is treated differently.
    mutating func restart(restraint: Reason?, isJSON: Bool, into step: inout InspectionStep) {
        signal(.endOfField, into: &step)
        settlement.restraint = restraint
        start(isJSON: isJSON)
    }

    mutating func feed(_ bytes: UnsafeBufferPointer<UInt8>, into step: inout InspectionStep) {
        feed(bytes, isLast: false, into: &step)
    }

    /// Releases what is held, and `beyond` bytes that come next.
    mutating func release(beyond: Int, into step: inout InspectionStep) {
        if isHolding(beyond: beyond) {
            releasable = total + beyond
            settlement.deadlineMark = releasable
            step.deadlineReleases += 1
        }
        passUnedited(beyond: beyond, into: &step)
    }

    /// Lets `beyond` bytes that come next go out where nothing is edited.
    mutating func passUnedited(beyond: Int, into step: inout InspectionStep) {
        if editor == nil, settlement.blockedFrom == nil { releasable = max(releasable, total + beyond) }
        step.releasable = UInt64(releasable)
    }

    private mutating func start(isJSON: Bool) {
        let plan = settlement.plan
        let editing = settlement.restraint == nil ? plan.editing : []
        let reporting = settlement.restraint == nil ? plan.reporting : plan.editing.union(plan.reporting)
        editor = editing.isEmpty ? nil : Scanner(editing, from: total, isJSON: isJSON)
        reporter = reporting.isEmpty ? nil : Scanner(reporting, from: total, isJSON: isJSON)
    }

    private mutating func feed(_ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, into step: inout InspectionStep) {
        editor?.feed(bytes, at: total, isLast: isLast, &settlement, into: &step)
        reporter?.feed(bytes, at: total, isLast: isLast, &settlement, into: &step)
        total += bytes.count
        let open = min(editor?.candidate ?? total, settlement.blockedFrom ?? total)
        releasable = max(releasable, open)
        step.releasable = UInt64(releasable)
    }
}
