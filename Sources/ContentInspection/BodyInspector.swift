// SPDX-License-Identifier: Apache-2.0

// Finds and masks sensitive data in a message body, as far as its Content-Type lets it.

public import FlowModel

/// Inspects a message body.
///
/// Text is edited; multipart bodies are followed and each part is treated by its own type; all else is searched and
/// reported with the restraint `not-text`. A text whose first bytes hold a NUL or invalid UTF-8 is not text from that
/// byte on. Boundary lines and part heads are searched and never edited.
public struct BodyInspector: ~Copyable {
    private static let notText = Reason(
        "not-text", "neither text nor a decoded container, so that edits could break it")
    private static let framing = Reason("multipart-framing", "boundary lines and part heads are not edited")

    private var inspector: StreamInspector
    private let restraint: Reason?
    private var check: TextCheck?
    private var tracker: MultipartTracker?

    /// Starts at offset 0; `mediaType` is the Content-Type as it came, a `restraint` says why nothing may be edited.
    public init(plan: InspectionPlan, mediaType: String?, restraint: Reason? = nil) {
        self.restraint = restraint
        let first: Reason?
        var isBodyJSON = false
        switch BodyKind(mediaType) {
        case .text(let isJSON, let isUTF8):
            first = nil
            isBodyJSON = isJSON
            check = TextCheck(isUTF8: isUTF8)
        case .multipart(let boundary):
            first = Self.framing
            tracker = MultipartTracker(boundary: boundary)
        case .opaque:
            first = Self.notText
        }
        inspector = StreamInspector(plan: plan, restraint: restraint ?? first, isJSON: isBodyJSON)
    }

    /// Takes the next bytes.
    public mutating func feed(_ bytes: Span<UInt8>, into step: inout InspectionStep) {
        bytes.withUnsafeBufferPointer { bytes in
            guard tracker != nil else { return content(bytes, into: &step) }
            var index = 0
            while let piece = tracker?.next(in: bytes, from: &index) {
                take(piece, of: bytes, before: index, into: &step)
            }
            inspector.passUnedited(beyond: heldCount, into: &step)
        }
    }

    /// Takes an event at this place of the body.
    public mutating func signal(_ event: StreamEvent, into step: inout InspectionStep) {
        switch event {
        case .endOfField, .endOfMessage:
            if let held = tracker?.finish() { content(held, into: &step) }
            inspector.signal(event, into: &step)
        case .deadline:
            inspector.release(beyond: heldCount, into: &step)
        }
    }

    /// Whether bytes are held that a deadline would release.
    public var isHolding: Bool { inspector.isHolding(beyond: heldCount) }

    /// Bytes that the tracker holds because a delimiter may have begun.
    private var heldCount: Int { tracker?.heldCount ?? 0 }

    // MARK: Pieces

    private mutating func take(
        _ piece: MultipartTracker.Piece, of bytes: UnsafeBufferPointer<UInt8>, before index: Int,
        into step: inout InspectionStep
    ) {
        switch piece {
        case .content(let held, let fresh):
            content(held, into: &step)
            content(UnsafeBufferPointer(rebasing: bytes[index - fresh..<index]), into: &step)
        case .framing(let held, let fresh):
            if !held.isEmpty { begin(restraint: Self.framing, into: &step) }
            held.withUnsafeBufferPointer { inspector.feed($0, into: &step) }
            inspector.feed(UnsafeBufferPointer(rebasing: bytes[index - fresh..<index]), into: &step)
        case .part(.text(let isJSON, let isUTF8)):
            begin(restraint: nil, isJSON: isJSON, into: &step)
            check = TextCheck(isUTF8: isUTF8)
        case .part:
            begin(restraint: Self.notText, into: &step)
        }
    }

    /// Begins a piece of another kind.
    private mutating func begin(restraint own: Reason?, isJSON: Bool = false, into step: inout InspectionStep) {
        check = nil
        inspector.restart(restraint: restraint ?? own, isJSON: isJSON, into: &step)
    }

    private mutating func content(_ bytes: [UInt8], into step: inout InspectionStep) {
        bytes.withUnsafeBufferPointer { content($0, into: &step) }
    }

    private mutating func content(_ bytes: UnsafeBufferPointer<UInt8>, into step: inout InspectionStep) {
        guard check?.isOpen == true, let binary = check?.firstBinary(in: bytes) else {
            return inspector.feed(bytes, into: &step)
        }
        inspector.feed(UnsafeBufferPointer(rebasing: bytes[..<binary]), into: &step)
        begin(restraint: Self.notText, into: &step)
        inspector.feed(UnsafeBufferPointer(rebasing: bytes[binary...]), into: &step)
    }
}
