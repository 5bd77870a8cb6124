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
        for field in head.fields where !field.valueRange.isEmpty {
            let name = head.text(field.nameRange).lowercased()
            if !Self.exempt.contains(name) { parts.append((.header(name), field.valueRange)) }
        }
        var inspector = StreamInspector(plan: plan, restraint: restraint)
        var step = InspectionStep()
        var editor = HTTP1HeadEditor(head)
        var isEdited = false
        var base: UInt64 = 0
        for (part, range) in parts {
            inspector.feed(head.raw.readableBytesUInt8Span.extracting(range), into: &step)
            inspector.signal(.endOfField, into: &step)
            for var finding in step.findings {
                finding.offset -= min(base, finding.offset)
                findings.append((part, finding))
            }
            for edit in step.edits where edit.range.lowerBound >= base {
                let start = range.lowerBound + Int(edit.range.lowerBound - base)
                guard (try? editor.replace(start..<start + edit.replacement.count, with: edit.replacement)) != nil
                else {
                    continue
                }
                isEdited = true
            }
            blocked = blocked ?? step.blocked
            base += UInt64(range.count)
            step.clear()
        }
        guard isEdited, let edited = try? editor.finish() else { return head }
        return edited
    }
}
