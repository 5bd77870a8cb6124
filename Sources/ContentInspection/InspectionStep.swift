// SPDX-License-Identifier: Apache-2.0

// What goes into an inspector beside bytes, and what comes out of it.

public import FlowModel

/// What the driver knows and the bytes do not say.
public enum StreamEvent: Sendable {
    /// A part of the text is over: what stands before and behind belongs to different values.
    case endOfField
    case endOfMessage
    /// The driver will not wait longer: what is held undecided goes out.
    case deadline
}

/// A same-length replacement of bytes.
public struct Edit: Equatable, Sendable {
    /// Offsets from the start of the (decoded) stream.
    public var range: Range<UInt64>
    /// As many bytes as `range` has.
    public var replacement: [UInt8]

    public init(range: Range<UInt64>, replacement: [UInt8]) {
        self.range = range
        self.replacement = replacement
    }
}

/// What one or more calls to an inspector found; the caller clears and reuses it.
///
/// Edits ascend and never overlap, and none lies before an offset that was releasable in an earlier call. Findings
/// ascend among those that are acted upon and among those that are only reported; the two kinds interleave as they
/// come.
public struct InspectionStep: Sendable {
    public var findings: [Finding] = []
    public var edits: [Edit] = []
    /// The offset up to which bytes may go out, once the edits are applied.
    public var releasable: UInt64 = 0
    /// The first finding that policy blocks on: from its first byte on, nothing becomes releasable any more.
    public var blocked: Finding?
    /// How often a deadline let undecided bytes go.
    public var deadlineReleases = 0

    public init() {}

    /// Empties it for the next call and keeps its memory; `releasable` stays.
    public mutating func clear() {
        findings.removeAll(keepingCapacity: true)
        edits.removeAll(keepingCapacity: true)
        blocked = nil
        deadlineReleases = 0
    }
}
