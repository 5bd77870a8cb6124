// SPDX-License-Identifier: Apache-2.0

// Finds and reads the head of a message in bytes that arrive in pieces of any size.

import FlowModel
import NIOCore

/// Cuts lines that end in CR LF out of bytes that arrive in pieces.
///
/// It remembers where it stopped, so that no byte is searched twice however small the pieces are.
struct HTTP1LineCutter: Sendable {
    /// Where the next line starts: bytes from the start of the section.
    private(set) var position = 0
    private(set) var scanned = 0

    /// The next whole line without its CR LF; nil when `bytes`, the section so far, does not hold it yet.
    ///
    /// A line may have `lineLimit` bytes and the section `sectionLimit`, CR LF included.
    mutating func next(
        in bytes: Span<UInt8>, side: HTTP1Side, lineLimit: Int, sectionLimit: Int,
        tooLong: HTTP1Refusal.Code, tooLarge: HTTP1Refusal.Code
    ) throws(HTTP1Refusal) -> Range<Int>? {
        // The bound is applied before the line is looked at, so that the answer does not depend on how bytes arrive.
        let bound = min(position + lineLimit, sectionLimit)
        let end = min(bytes.count, bound)
        guard scanned < end, let lf = bytes.firstLF(in: scanned..<end) else {
            scanned = max(scanned, end)
            if bytes.count < bound { return nil }
            throw HTTP1Refusal(bound == sectionLimit ? tooLarge : tooLong, side, at: position)
        }
        guard lf > position, bytes[lf - 1] == HTTP1Byte.cr else {
            throw HTTP1Refusal(.bareLF, side, at: position)
        }
        let line = position..<lf - 1
        position = lf + 1
        scanned = position
        return line
    }
}

/// Reads heads of requests or of responses, one after the other.
///
/// The caller owns the bytes: `feed` takes a head out of the buffer only when all of it is there, and leaves the buffer
/// as it is otherwise. The next call must then bring the same bytes with more behind them.
///
/// | state | event | new state | result |
/// |---|---|---|---|
/// | reading | no empty line yet | reading, further on | `needMore` |
/// | reading | the empty line | reading, from the start | `head` |
/// | reading | a rule is broken | refused | `refused` |
/// | refused | anything | refused | the same `refused` |
///
/// One empty line before a request is kept as part of it (RFC 9112 section 2.2 asks servers to bear it); a second one,
/// or one before a response, is refused.
struct HTTP1HeadReader: ~Copyable {
    enum Result: Sendable {
        case needMore
        case head(HTTP1Head)
        case refused(HTTP1Refusal)
    }

    private enum State {
        case reading(HTTP1HeadInProgress)
        case refused(HTTP1Refusal)
    }

    private let side: HTTP1Side
    private var state = State.reading(HTTP1HeadInProgress())

    init(_ side: HTTP1Side) { self.side = side }

    /// Looks for a head at the front of `buffer`.
    mutating func feed(_ buffer: inout ByteBuffer) -> Result {
        switch state {
        case .reading(var progress):
            do throws(HTTP1Refusal) {
                guard let kind = try progress.read(buffer.readableBytesUInt8Span, side),
                    let raw = buffer.readSlice(length: progress.cutter.position)
                else {
                    state = .reading(progress)
                    return .needMore
                }
                state = .reading(HTTP1HeadInProgress())
                return .head(HTTP1Head(kind: kind, raw: raw, fields: progress.fields))
            } catch {
                state = .refused(error)
                return .refused(error)
            }
        case .refused(let refusal):
            return .refused(refusal)
        }
    }

    /// Whether nothing of a head has been seen, so that an end of input here loses no message.
    ///
    /// An empty line may have been seen: some clients send one behind a body.
    var isBetweenMessages: Bool {
        switch state {
        case .reading(let progress): return progress.isEmpty
        case .refused: return false
        }
    }
}

/// A head of which some lines have been read.
private struct HTTP1HeadInProgress {
    var cutter = HTTP1LineCutter()
    var kind: HTTP1Head.Kind?
    var fields: [HTTP1Field] = []

    var isEmpty: Bool { kind == nil && cutter.scanned == cutter.position }

    /// Goes on reading; returns the kind when the head is whole.
    mutating func read(_ bytes: Span<UInt8>, _ side: HTTP1Side) throws(HTTP1Refusal) -> HTTP1Head.Kind? {
        if kind == nil { try readStartLine(bytes, side) }
        guard let kind else { return nil }
        while let line = try nextLine(bytes, side, tooLong: .lineTooLong) {
            if line.isEmpty { return kind }
            guard fields.count < HTTP1Limits.fields.value else {
                throw HTTP1Refusal(.tooManyFields, side, at: line.lowerBound)
            }
            fields.append(try HTTP1Grammar.field(line, of: bytes, side))
        }
        return nil
    }

    private mutating func readStartLine(_ bytes: Span<UInt8>, _ side: HTTP1Side) throws(HTTP1Refusal) {
        while let line = try nextLine(bytes, side, tooLong: side == .request ? .requestLineTooLong : .lineTooLong) {
            if line.isEmpty {
                guard side == .request, line.lowerBound == 0 else {
                    throw HTTP1Refusal(.emptyLines, side, at: line.lowerBound)
                }
                continue
            }
            switch side {
            case .request: kind = try HTTP1Grammar.requestLine(line, of: bytes)
            case .response: kind = try HTTP1Grammar.statusLine(line, of: bytes)
            }
            fields.reserveCapacity(16)
            return
        }
    }

    private mutating func nextLine(
        _ bytes: Span<UInt8>, _ side: HTTP1Side, tooLong: HTTP1Refusal.Code
    ) throws(HTTP1Refusal) -> Range<Int>? {
        try cutter.next(
            in: bytes, side: side, lineLimit: HTTP1Limits.line.value, sectionLimit: HTTP1Limits.head.value,
            tooLong: tooLong, tooLarge: .headTooLarge)
    }
}
