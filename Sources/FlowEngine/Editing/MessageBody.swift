// SPDX-License-Identifier: Apache-2.0

// A message's body on its way through inspection: bytes in, the same or edited bytes out, findings on the side.

import ContentInspection
import FlowModel
import NIOCore

/// What a body under way has to tell its message.
struct BodyNews {
    var findings: [Finding] = []
    /// The finding because of which the message must not go on.
    var blocked: Finding?
    /// Why the message cannot be carried on: the peer's fault, or a limit.
    var refused: Reason?
    var notes: [Reason] = []
    var deadlineReleases = 0
}

/// Takes the framed bytes of one message and gives the bytes to send.
///
/// The head belongs to it as well, because a coded body that is edited changes its head.
protocol MessageBody: AnyObject {
    /// Bytes of framing: chunk sizes, trailers. They keep their place among the content.
    func framing(_ buffer: ByteBuffer)
    func content(_ buffer: ByteBuffer)
    /// The trailer section, its closing empty line included.
    func trailers(_ buffer: ByteBuffer)
    /// The body is complete.
    func end()
    /// The connection ended inside the body.
    func cut()
    /// Nothing came for as long as `holdLimit` says.
    func deadline()
    /// Bytes that may be sent now.
    func takeReady() -> ByteBuffer?
    /// What there is to tell since last asked.
    func takeNews() -> BodyNews?
    /// The wait after which `deadline` shall be called when something is held; nil when nothing is.
    var holdLimit: Limit? { get }
    /// Whether the wait counts from its beginning, and not from the last input.
    var holdsInAll: Bool { get }
}

extension MessageBody {
    func trailers(_ buffer: ByteBuffer) { framing(buffer) }
    var holdsInAll: Bool { false }
    func cut() { end() }
}

/// A body that passes unseen, only framed.
final class PassingBody: MessageBody {
    private var ready = ByteBuffer()

    init(head: ByteBuffer) { ready = head }

    func framing(_ buffer: ByteBuffer) { append(buffer) }
    func content(_ buffer: ByteBuffer) { append(buffer) }
    func end() {}
    func deadline() {}
    func takeNews() -> BodyNews? { nil }
    var holdLimit: Limit? { nil }

    func takeReady() -> ByteBuffer? {
        guard ready.readableBytes > 0 else { return nil }
        defer { ready = ByteBuffer() }
        return ready
    }

    private func append(_ buffer: ByteBuffer) {
        if ready.readableBytes == 0 { ready = buffer } else { ready.writeImmutableBuffer(buffer) }
    }
}

/// A body that is not coded: inspected as it passes and edited in place, so that framing and length stay.
final class PlainBody: MessageBody {
    private var inspector: BodyInspector
    private var step = InspectionStep()
    private var queue = WireQueue()
    private var head: ByteBuffer?
    private var news: BodyNews?

    init(head: ByteBuffer, plan: InspectionPlan, mediaType: String?, restraint: Reason?) {
        self.head = head
        inspector = BodyInspector(plan: plan, mediaType: mediaType, restraint: restraint)
    }

    func framing(_ buffer: ByteBuffer) { queue.appendFraming(buffer) }

    func content(_ buffer: ByteBuffer) {
        queue.appendContent(buffer)
        inspector.feed(buffer.readableBytesUInt8Span, into: &step)
        settle()
    }

    func end() {
        inspector.signal(.endOfMessage, into: &step)
        settle()
    }

    func deadline() {
        inspector.signal(.deadline, into: &step)
        settle()
    }

    func takeReady() -> ByteBuffer? {
        let body = queue.release(upTo: step.releasable)
        guard var out = head else { return body }
        head = nil
        if let body { out.writeImmutableBuffer(body) }
        return out
    }

    func takeNews() -> BodyNews? {
        defer { news = nil }
        return news
    }

    var holdLimit: Limit? { inspector.isHolding ? EngineLimits.candidateWait : nil }

    private func settle() {
        for edit in step.edits { queue.apply(edit) }
        BodyNews.collect(&step, into: &news)
    }
}

extension BodyNews {
    /// Moves what a step has found into the news.
    static func collect(_ step: inout InspectionStep, into news: inout BodyNews?) {
        if !step.findings.isEmpty || step.blocked != nil || step.deadlineReleases > 0 {
            var told = news ?? BodyNews()
            told.findings.append(contentsOf: step.findings)
            told.blocked = told.blocked ?? step.blocked
            told.deadlineReleases += step.deadlineReleases
            news = told
        }
        step.clear()
    }
}
