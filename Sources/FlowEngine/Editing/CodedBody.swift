// SPDX-License-Identifier: Apache-2.0

// A gzip or deflate body: decoded for inspection, and coded anew only where it was edited (docs/decisions/0004).

import ContentInspection
import FlowModel
import NIOCore

/// A coded body on its way through inspection.
///
/// | state | event | next | action |
/// |---|---|---|---|
/// | observing | bytes | observing | pass them as they came, look at a decoded copy |
/// | holding | bytes within the limits | holding | hold head and bytes |
/// | holding | end, nothing edited | ended | send head and bytes as they came |
/// | holding | end, edited | ended | code anew, with the new length |
/// | holding | a limit is reached | recoding | send the head with chunked framing |
/// | recoding | bytes | recoding | code anew, flush, send as a chunk |
/// | holding, recoding | bytes that do not decode | refused | tell |
final class CodedBody: MessageBody {
    private enum State { case observing, holding, recoding, ended }

    private var state: State
    private let head: HTTP1Head
    private let framing: HTTP1Framing
    private let coding: ContentCoding
    private var decoder: ContentDecoder
    private var encoder: ContentEncoder?
    private var inspector: BodyInspector
    private var step = InspectionStep()
    private var news: BodyNews?
    /// The body as it came, framing included, while nothing is decided.
    private var raw = ByteBuffer()
    /// Decoded bytes that may not go yet, and those that may, edits applied.
    private var plain = WireQueue()
    private var released = ByteBuffer()
    private var isEdited = false
    private var isBroken = false
    private var trailerSection: ByteBuffer?
    private var ready = ByteBuffer()

    init(
        head: HTTP1Head, framing: HTTP1Framing, coding: ContentCoding, plan: InspectionPlan, restraint: Reason?,
        isForHTTP10: Bool
    ) {
        self.head = head
        self.framing = framing
        self.coding = coding
        decoder = ContentDecoder(coding)
        var restraint = restraint
        if restraint == nil, isForHTTP10 || head.version == .http10, framing != .untilClose {
            restraint = Reason("uneditable", "HTTP/1.0 cannot announce a body whose length is not known")
        }
        inspector = BodyInspector(plan: plan, mediaType: head.text(of: "content-type"), restraint: restraint)
        state = plan.mayEdit && restraint == nil ? .holding : .observing
        if state == .observing { ready = head.raw }
    }

    // MARK: Input

    func framing(_ buffer: ByteBuffer) {
        switch state {
        case .observing: ready.writeImmutableBuffer(buffer)
        case .holding: raw.writeImmutableBuffer(buffer)
        case .recoding, .ended: break  // Our own chunks take their place.
        }
    }

    func trailers(_ buffer: ByteBuffer) {
        trailerSection = buffer
        framing(buffer)
    }

    func content(_ buffer: ByteBuffer) {
        inspect(buffer)
        switch state {
        case .observing:
            ready.writeImmutableBuffer(buffer)
        case .holding:
            raw.writeImmutableBuffer(buffer)
            if raw.readableBytes > EngineLimits.codedHoldBytes.value { beginRecoding() }
        case .recoding, .ended:
            break
        }
    }

    func end() {
        if !isBroken {
            do throws(ContentCodingError) { try decoder.finish() } catch { broken(error) }
            inspector.signal(.endOfMessage, into: &step)
            settle()
        }
        switch state {
        case .observing: break
        case .holding where isBroken: break
        case .holding:
            if isEdited { codeWhole() } else { sendAsItCame() }
        case .recoding:
            encode(finishing: true)
            if framing != .untilClose { endChunks() }
        case .ended: break
        }
        state = .ended
    }

    func cut() {
        let wasRecoding = state == .recoding
        end()
        guard wasRecoding || isEdited, news?.refused == nil else { return }
        // Coded anew it has an end of its own, and would look whole.
        var told = news ?? BodyNews()
        told.refused = Reason("coding-cut", "the connection ended inside a body that was coded anew")
        news = told
    }

    func deadline() {
        switch state {
        case .holding: beginRecoding()
        case .recoding:
            inspector.signal(.deadline, into: &step)
            settle()
        case .observing, .ended: break
        }
    }

    // MARK: Output

    func takeReady() -> ByteBuffer? {
        if state == .recoding { encode(finishing: false) }
        guard ready.readableBytes > 0 else { return nil }
        defer { ready = ByteBuffer() }
        return ready
    }

    func takeNews() -> BodyNews? {
        defer { news = nil }
        return news
    }

    var holdLimit: Limit? {
        switch state {
        case .holding: return EngineLimits.codedHoldWait
        case .recoding: return inspector.isHolding ? EngineLimits.candidateWait : nil
        case .observing, .ended: return nil
        }
    }

    var holdsInAll: Bool { state == .holding }

    // MARK: Inspecting

    private func inspect(_ buffer: ByteBuffer) {
        guard !isBroken else { return }
        let input = buffer.readableBytesUInt8Span
        var offset = 0
        var decoded: [UInt8] = []
        while true {
            decoded.removeAll(keepingCapacity: true)
            let progress: ContentDecoder.Progress
            do throws(ContentCodingError) {
                progress = try decoder.decode(input.extracting(offset..<input.count), into: &decoded)
            } catch {
                return broken(error)
            }
            offset += progress.consumed
            inspector.feed(decoded.span, into: &step)
            if state != .observing { plain.appendContent(ByteBuffer(bytes: decoded)) }
            settle()
            boundPlain()
            guard progress.hasMore else { return }
        }
    }

    /// Keeps within bounds what is decoded, a step at a time: one read may decode to a hundred times its size.
    private func boundPlain() {
        guard plain.count + released.readableBytes > EngineLimits.codedHoldPlain.value else { return }
        if state == .holding { beginRecoding() }
        if state == .recoding { encode(finishing: false) }
    }

    private func settle() {
        if !step.edits.isEmpty { isEdited = true }
        for edit in step.edits { plain.apply(edit) }
        if let free = plain.release(upTo: step.releasable) { released.writeImmutableBuffer(free) }
        BodyNews.collect(&step, into: &news)
    }

    private func broken(_ error: ContentCodingError) {
        isBroken = true
        var told = news ?? BodyNews()
        let reason = Reason(
            "coding-broken",
            error.isExpansion ? "the compressed body grows beyond all measure" : "the compressed body does not decode")
        // Where nothing would be edited the body passes as it came; elsewhere it must not pass unseen.
        if state == .observing { told.notes.append(reason) } else { told.refused = reason }
        news = told
    }

    // MARK: Coding anew

    private func sendAsItCame() {
        ready = head.raw
        ready.writeImmutableBuffer(raw)
    }

    private func codeWhole() {
        var coded: [UInt8] = []
        guard var encoder = try? ContentEncoder(coding) else { return noMemory() }
        encoder.encode(released.readableBytesUInt8Span, into: &coded)
        encoder.finish(into: &coded)
        switch framing {
        case .length:
            guard
                let edited = edited({ editor throws(HTTP1Refusal) in
                    guard let field = head.first(of: "content-length") else { return }
                    try editor.replace(field.valueRange, with: Array(String(coded.count).utf8))
                })
            else { return noMemory() }
            ready = edited
            ready.writeBytes(coded)
        case .chunked:
            ready = head.raw
            writeChunk(coded)
            endChunks()
        case .untilClose, .none:
            ready = head.raw
            ready.writeBytes(coded)
        }
    }

    private func beginRecoding() {
        guard !isBroken else { return }
        guard let encoder = try? ContentEncoder(coding) else { return noMemory() }
        self.encoder = consume encoder
        guard case .length = framing else {
            ready = head.raw
            state = .recoding
            raw = ByteBuffer()
            return
        }
        guard
            let edited = edited({ editor throws(HTTP1Refusal) in
                for field in head.values(of: "content-length") { try editor.remove(field) }
                try editor.append("Transfer-Encoding", Array("chunked".utf8))
            })
        else { return noMemory() }
        ready = edited
        state = .recoding
        raw = ByteBuffer()
    }

    private func encode(finishing: Bool) {
        guard released.readableBytes > 0 || finishing else { return }
        var coded: [UInt8] = []
        encoder?.encode(released.readableBytesUInt8Span, into: &coded)
        released = ByteBuffer()
        if finishing { encoder?.finish(into: &coded) } else { encoder?.flush(into: &coded) }
        if framing == .untilClose { ready.writeBytes(coded) } else { writeChunk(coded) }
    }

    private func writeChunk(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        ready.writeString(String(bytes.count, radix: 16) + "\r\n")
        ready.writeBytes(bytes)
        ready.writeString("\r\n")
    }

    private func endChunks() {
        ready.writeString("0\r\n")
        if let trailerSection { ready.writeImmutableBuffer(trailerSection) } else { ready.writeString("\r\n") }
    }

    private func edited(_ change: (inout HTTP1HeadEditor) throws(HTTP1Refusal) -> Void) -> ByteBuffer? {
        var editor = HTTP1HeadEditor(head)
        do throws(HTTP1Refusal) {
            try change(&editor)
            return try editor.finish().raw
        } catch {
            return nil
        }
    }

    /// A fault of ours: the message is stopped rather than sent in a form that is wrong.
    private func noMemory() {
        var told = news ?? BodyNews()
        told.refused = Reason("coding-failed", "the body could not be coded anew")
        news = told
    }
}

extension ContentCodingError {
    fileprivate var isExpansion: Bool {
        if case .expansion = self { return true }
        return false
    }
}
