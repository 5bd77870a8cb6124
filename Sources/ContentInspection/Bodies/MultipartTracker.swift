// SPDX-License-Identifier: Apache-2.0

// Follows boundary lines and part heads of a multipart body (RFC 2046 section 5.1), without holding a part.

import CByteScan
import FlowModel

/// Cuts a multipart body into content and framing.
///
/// | state | bytes | then |
/// |---|---|---|
/// | content | line end, `--boundary`, and a line end, blank or `--` | delimiter line, or epilogue after `--` |
/// | content | anything else | content |
/// | delimiter line | up to its line end | head |
/// | head | up to an empty line | content of the part |
/// | epilogue | all | epilogue |
///
/// A delimiter may also stand at the very start of the body and directly behind a head. A bare LF ends lines as CR LF
/// does.
struct MultipartTracker {
    /// What the next bytes are; `fresh` counts bytes of the buffer, `held` those of earlier buffers that were
    /// undecided.
    enum Piece {
        case content(held: [UInt8], fresh: Int)
        case framing(held: [UInt8], fresh: Int)
        /// The framing that was given just now ends here, with the head of a part.
        case part(BodyKind)
    }

    private enum State { case content, delimiterLine, head, epilogue }

    private let delimiter: [UInt8]
    private var state = State.content
    /// How many bytes of the delimiter are seen, of which the first `virtual` were not in the stream.
    private var matched: Int
    private var virtual: Int
    private var head: [UInt8] = []
    /// Whether the current line of the head has no bytes but a CR.
    private var isLineEmpty = true
    private var hasPart = false

    init(boundary: String) {
        delimiter = Array("\r\n--".utf8) + Array(boundary.utf8)
        (matched, virtual) = (2, 2)
    }

    /// Bytes that have come and may be the beginning of a delimiter.
    var heldCount: Int { matched - virtual }

    /// What is held, at the end of the body.
    mutating func finish() -> [UInt8] {
        defer { (matched, virtual) = (0, 0) }
        return held
    }

    private var held: [UInt8] {
        // Behind the delimiter only a hyphen is ever held.
        Array((delimiter + [UInt8(ascii: "-")])[virtual..<matched])
    }

    /// The next piece of a buffer from an index on; nil when the rest of it is held.
    mutating func next(in bytes: UnsafeBufferPointer<UInt8>, from index: inout Int) -> Piece? {
        if hasPart {
            hasPart = false
            return .part(kind(ofPart: head))
        }
        guard index < bytes.count else { return nil }
        switch state {
        case .content: return content(in: bytes, from: &index)
        case .delimiterLine:
            return framing(in: bytes, from: &index) { tracker, byte in
                if byte == UInt8(ascii: "\n") { tracker.beginHead() }
                return tracker.state == .delimiterLine
            }
        case .head:
            return framing(in: bytes, from: &index) { tracker, byte in tracker.takeHead(byte) }
        case .epilogue:
            return framing(in: bytes, from: &index) { _, _ in true }
        }
    }

    private mutating func framing(
        in bytes: UnsafeBufferPointer<UInt8>, from index: inout Int, while isMore: (inout Self, UInt8) -> Bool
    ) -> Piece {
        let start = index
        while index < bytes.count {
            index += 1
            if !isMore(&self, bytes[index - 1]) { break }
        }
        return .framing(held: [], fresh: index - start)
    }

    private mutating func beginHead() {
        state = .head
        head.removeAll(keepingCapacity: true)
        isLineEmpty = true
    }

    /// Takes a byte of a head; false when the head is over.
    private mutating func takeHead(_ byte: UInt8) -> Bool {
        if byte == UInt8(ascii: "\n"), isLineEmpty {
            state = .content
            // A part without a body: its delimiter has the head's last line end for its own.
            (matched, virtual) = (2, 2)
            hasPart = true
            return false
        }
        isLineEmpty = byte == UInt8(ascii: "\n") || (isLineEmpty && byte == UInt8(ascii: "\r"))
        if head.count <= ContentLimits.partHead.value { head.append(byte) }
        return true
    }

    // MARK: Delimiters

    private mutating func content(in bytes: UnsafeBufferPointer<UInt8>, from index: inout Int) -> Piece? {
        if matched == 0 {
            let start = index
            let rest = UnsafeBufferPointer(rebasing: bytes[start...])
            index += weir_find_byte(rest.baseAddress, rest.count, UInt8(ascii: "\n"))
            // The CR before it, or at the end of the buffer, belongs to the line end.
            if index > start, bytes[index - 1] == UInt8(ascii: "\r") { index -= 1 }
            if index > start || index == bytes.count {
                return index > start ? .content(held: [], fresh: index - start) : nil
            }
            let isLF = bytes[index] == UInt8(ascii: "\n")
            (matched, virtual) = isLF ? (2, 1) : (1, 0)
            index += 1
        }
        while index < bytes.count {
            let byte = bytes[index]
            if matched < delimiter.count {
                guard byte == delimiter[matched] else { return mismatch() }
            } else if matched == delimiter.count {
                switch byte {
                case UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"):
                    // This byte is the delimiter line's first.
                    state = .delimiterLine
                    return .framing(held: finish(), fresh: 0)
                case UInt8(ascii: "-"): break
                default: return mismatch()
                }
            } else {
                guard byte == UInt8(ascii: "-") else { return mismatch() }
                state = .epilogue
                return .framing(held: finish(), fresh: 0)
            }
            matched += 1
            index += 1
        }
        return nil
    }

    private mutating func mismatch() -> Piece { .content(held: finish(), fresh: 0) }

    // MARK: Heads

    private func kind(ofPart head: [UInt8]) -> BodyKind {
        guard head.count <= ContentLimits.partHead.value else { return .opaque }
        var fields: [(name: Substring, value: Substring)] = []
        for line in String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if line.first == " " || line.first == "\t", !fields.isEmpty {
                fields[fields.count - 1].value += line
            } else if let colon = line.firstIndex(of: ":") {
                fields.append((line[..<colon], line[line.index(after: colon)...]))
            }
        }
        let types = fields.filter { $0.name.lowercased() == "content-type" }.map(\.value)
        let isFile = fields.contains {
            let disposition = MediaType($0.value)
            return $0.name.lowercased() == "content-disposition"
                && (disposition["filename"] != nil || disposition["filename*"] != nil)
        }
        // Two types, a file of no type, parts within parts: nobody knows for certain what the bytes are.
        if types.count > 1 || (types.isEmpty && isFile) { return .opaque }
        let kind = BodyKind(types.first)
        if case .multipart = kind { return .opaque }
        return kind
    }
}
