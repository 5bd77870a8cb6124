// SPDX-License-Identifier: Apache-2.0

// Changes a head where it must change, and leaves every other byte as it is.

import NIOCore

/// Collects edits of one head, then makes the new head of them.
///
/// Places are those of the original head throughout. The new head is read again by the strict reader, so an edit can
/// never send out what we would refuse to take in.
struct HTTP1HeadEditor: Sendable {
    private struct Edit: Sendable {
        let range: Range<Int>
        let bytes: [UInt8]
    }

    let head: HTTP1Head
    private var edits: [Edit] = []

    init(_ head: HTTP1Head) { self.head = head }

    /// Replaces bytes within the target of a request or within the value of one field.
    ///
    /// Throws `badEdit` for a range elsewhere and for bytes that no line may hold.
    mutating func replace(_ range: Range<Int>, with bytes: some Collection<UInt8>) throws(HTTP1Refusal) {
        guard mayReplace(range) else { throw HTTP1Refusal(.badEdit, head.side, at: range.lowerBound) }
        edits.append(Edit(range: range, bytes: try checked(bytes)))
    }

    /// Replaces the target of a request.
    mutating func replaceTarget(with bytes: some Collection<UInt8>) throws(HTTP1Refusal) {
        guard case .request(_, let target, _) = head.kind else { throw HTTP1Refusal(.badEdit, head.side) }
        try replace(target, with: bytes)
    }

    /// Removes the line of a field of this head.
    mutating func remove(_ field: HTTP1Field) throws(HTTP1Refusal) {
        guard head.fields.contains(field) else { throw HTTP1Refusal(.badEdit, head.side) }
        edits.append(Edit(range: field.lineRange, bytes: []))
    }

    /// Adds a field behind all others.
    mutating func append(_ name: String, _ value: some Collection<UInt8>) throws(HTTP1Refusal) {
        let end = head.raw.readableBytes - 2
        guard end > 0, !name.isEmpty, name.utf8.allSatisfy({ $0.isHTTP1Token }) else {
            throw HTTP1Refusal(.badEdit, head.side)
        }
        let line = Array(name.utf8) + [HTTP1Byte.colon, HTTP1Byte.space] + (try checked(value)) + [0x0d, 0x0a]
        edits.append(Edit(range: end..<end, bytes: line))
    }

    /// Turns a target in absolute form into origin form and makes Host name the target's host.
    ///
    /// An empty path becomes `/`, or `*` for OPTIONS (RFC 9112 section 3.2.4).
    mutating func rewriteToOriginForm(_ destination: HTTP1Destination) throws(HTTP1Refusal) {
        guard case .absolute(let absolute) = destination.target else { throw HTTP1Refusal(.badEdit, head.side) }
        let bytes = head.raw.readableBytesView
        guard bytes.indices.contains(absolute.authorityRange.upperBound - 1),
            absolute.pathRange.upperBound <= bytes.endIndex
        else { throw HTTP1Refusal(.badEdit, head.side) }
        let path = Array(bytes[absolute.pathRange])
        if path.isEmpty {
            try replaceTarget(with: head.method == "OPTIONS" ? [UInt8(ascii: "*")] : [UInt8(ascii: "/")])
        } else if path.first == UInt8(ascii: "/") {
            try replaceTarget(with: path)
        } else {
            try replaceTarget(with: [UInt8(ascii: "/")] + path)
        }
        guard destination.hostDisagrees else { return }
        let authority = Array(bytes[absolute.authorityRange])
        if let host = head.first(of: "host") {
            try replace(host.valueRange, with: authority)
        } else {
            try append("Host", authority)
        }
    }

    /// The edited head; the head itself when there are no edits.
    consuming func finish() throws(HTTP1Refusal) -> HTTP1Head {
        if edits.isEmpty { return head }
        // Sorting by place keeps the order of appended fields, which all have the same place.
        let ordered = edits.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        var edited = ByteBuffer()
        edited.reserveCapacity(head.raw.readableBytes + edits.reduce(0) { $0 + $1.bytes.count })
        var place = 0
        for (_, edit) in ordered {
            guard place <= edit.range.lowerBound else {
                throw HTTP1Refusal(.badEdit, head.side, at: edit.range.lowerBound)
            }
            copy(place..<edit.range.lowerBound, to: &edited)
            edited.writeBytes(edit.bytes)
            place = edit.range.upperBound
        }
        copy(place..<head.raw.readableBytes, to: &edited)
        var reader = HTTP1HeadReader(head.side)
        guard case .head(let result) = reader.feed(&edited), edited.readableBytes == 0 else {
            throw HTTP1Refusal(.badEdit, head.side)
        }
        return result
    }

    private func copy(_ range: Range<Int>, to edited: inout ByteBuffer) {
        guard var piece = head.raw.getSlice(at: head.raw.readerIndex + range.lowerBound, length: range.count) else {
            return
        }
        edited.writeBuffer(&piece)
    }

    private func mayReplace(_ range: Range<Int>) -> Bool {
        func holds(_ outer: Range<Int>) -> Bool {
            outer.lowerBound <= range.lowerBound && range.upperBound <= outer.upperBound
        }
        if case .request(_, let target, _) = head.kind, holds(target) { return true }
        return head.fields.contains { holds($0.valueRange) }
    }

    private func checked(_ bytes: some Collection<UInt8>) throws(HTTP1Refusal) -> [UInt8] {
        let bytes = Array(bytes)
        guard bytes.span.firstControl(in: 0..<bytes.count) == nil else { throw HTTP1Refusal(.badEdit, head.side) }
        return bytes
    }
}
