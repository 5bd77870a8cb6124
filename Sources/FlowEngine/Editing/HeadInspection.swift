// SPDX-License-Identifier: Apache-2.0

// The target and the fields of a head: inspected one by one, edited in place.

import ContentInspection
import FlowModel
import NIOCore

/// Inspects a head field by field.
///
/// Credentials at home are left alone: `Authorization`, cookies and the fields that frame or route the message.
struct HeadInspection {
    private let restraint: Reason?
    private let plan: InspectionPlan
    /// Each with the part it was found in; offsets count from the part's start.
    private(set) var findings: [(MessagePart, Finding)] = []
    private(set) var blocked: Finding?

    init(plan: InspectionPlan, restraint: Reason?) {
        self.plan = plan
        self.restraint = restraint
    }

    /// Fields that are never looked at, in lower case.
    private static let exempt: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "set-cookie", "host", "content-length", "transfer-encoding",
        "connection", "upgrade", "date", "expires", "last-modified", "etag", "if-none-match", "if-modified-since",
        "content-type", "content-encoding", "accept", "accept-encoding", "accept-language", "user-agent", "te",
        "trailer", "sec-websocket-key", "sec-websocket-accept", "server", "content-security-policy",
    ]

    /// Finds what the head holds and gives the head to send.
    mutating func inspect(_ head: HTTP1Head) -> HTTP1Head {
        var parts: [(MessagePart, Range<Int>)] = []
        if case .request(_, let target, _) = head.kind { parts.append((.target, target)) }
        parts += fields(of: head)
        var editor = HTTP1HeadEditor(head)
        var isEdited = false
        for (place, bytes) in look(at: parts, of: head.raw) {
            isEdited = (try? editor.replace(place..<place + bytes.count, with: bytes)) != nil || isEdited
        }
        guard isEdited, let edited = try? editor.finish() else { return head }
        return edited
    }

    /// Finds what a trailer section holds and gives the section to send.
    mutating func inspect(_ trailers: HTTP1Trailers) -> ByteBuffer {
        var raw = trailers.raw
        for (place, bytes) in look(at: fields(of: trailers), of: raw) {
            raw.setBytes(bytes, at: raw.readerIndex + place)
        }
        return raw
    }

    private func fields(of lines: some HTTP1FieldLines) -> [(MessagePart, Range<Int>)] {
        lines.fields.compactMap { field in
            let name = lines.text(field.nameRange).lowercased()
            return field.valueRange.isEmpty || Self.exempt.contains(name) ? nil : (.header(name), field.valueRange)
        }
    }

    /// Inspects the parts one by one; gives the bytes to lay over `raw`, each with its place.
    private mutating func look(at parts: [(MessagePart, Range<Int>)], of raw: ByteBuffer) -> [(Int, [UInt8])] {
        var edits: [(Int, [UInt8])] = []
        var inspector = StreamInspector(plan: plan, restraint: restraint)
        var step = InspectionStep()
        var base: UInt64 = 0
        for (part, range) in parts {
            inspector.feed(raw.readableBytesUInt8Span.extracting(range), into: &step)
            inspector.signal(.endOfField, into: &step)
            for var finding in step.findings {
                finding.offset -= min(base, finding.offset)
                findings.append((part, finding))
            }
            for edit in step.edits where edit.range.lowerBound >= base {
                edits.append((range.lowerBound + Int(edit.range.lowerBound - base), edit.replacement))
            }
            blocked = blocked ?? step.blocked
            base += UInt64(range.count)
            step.clear()
        }
        return edits
    }
}
