// SPDX-License-Identifier: Apache-2.0

// Tells from the first bytes of a stream whether it is HTTP/1.

import FlowModel
import NIOCore

/// Tells HTTP/1 from other protocols, looking at the client's first bytes.
///
/// It believes more than the reader accepts: whatever some lax server would take for a request is HTTP, so that the
/// reader refuses it and it does not pass unseen. What no server would take for one is told apart at the first byte
/// that shows it. The caller keeps the bytes, and brings them all again with more behind them after `needMore`; a caller
/// whose patience ends before the answer relays the flow.
///
/// | state | byte | new state or answer |
/// |---|---|---|
/// | before | blank, CR, LF | before |
/// | before | token | method |
/// | method | token, at most 32 | method |
/// | method | SP, HTAB (any byte up to SP after a known method) | line |
/// | line | completes a blank, `HTTP/` in any case, and a digit | http; or notHTTP after `PRI` with 2 |
/// | line | LF | http if `GET` of HTTP/0.9, else notHTTP |
/// | line | any other control byte, method not known | notHTTP |
/// | before, method | any other | notHTTP |
/// | any | limit reached | http if the method is known, else notHTTP |
struct HTTP1Classifier: ~Copyable {
    enum Answer: Sendable, Equatable {
        case needMore
        case http
        case notHTTP(Reason)
    }

    private enum State {
        case before
        case method(start: Int)
        case line(Line)
        case answered(Answer)
    }

    private struct Line {
        var method: Method
        var targetStart: Int?
        /// How much of a blank and `HTTP/` was just read: 0 none, 1 the blank, 6 all.
        var matched = 1
    }

    private enum Method {
        case get, otherKnown, http2Preface, unknown
        var isKnown: Bool { self == .get || self == .otherKnown }
    }

    private var state = State.before
    private var scanned = 0

    init() {}

    /// Looks at `buffer`, which holds the stream from its first byte on; takes nothing out of it.
    mutating func classify(_ buffer: borrowing ByteBuffer) -> Answer {
        let bytes = buffer.readableBytesUInt8Span
        while scanned < min(bytes.count, HTTP1Limits.classify.value) {
            if case .answered(let answer) = state { return answer }
            step(bytes, at: scanned)
            scanned += 1
        }
        if case .answered(let answer) = state { return answer }
        guard scanned >= HTTP1Limits.classify.value else { return .needMore }
        var isKnown = false
        if case .line(let line) = state { isKnown = line.method.isKnown }
        let answer = isKnown ? Answer.http : HTTP1Classifier.notHTTP
        state = .answered(answer)
        return answer
    }

    private static let notHTTP = Answer.notHTTP(Reason("not-http", "the first bytes are not an HTTP request"))
    /// Why HTTP/2 is not HTTP/1.
    static let http2Preface = Reason("http2-prior-knowledge", "the first bytes are the HTTP/2 connection preface")

    private mutating func step(_ bytes: Span<UInt8>, at place: Int) {
        let byte = bytes[place]
        switch state {
        case .before:
            if byte.isHTTP1Blank || byte == HTTP1Byte.cr || byte == HTTP1Byte.lf { return }
            state = byte.isHTTP1Token ? .method(start: place) : .answered(HTTP1Classifier.notHTTP)
        case .method(let start):
            let length = place - start
            if byte.isHTTP1Token {
                if length >= HTTP1Limits.method.value { state = .answered(HTTP1Classifier.notHTTP) }
                return
            }
            let method = HTTP1Classifier.method(start..<place, of: bytes)
            // Some servers split the line at any white space, so after a known method other bytes count as blanks.
            let separates = byte.isHTTP1Blank || method.isKnown && byte < HTTP1Byte.space && byte != HTTP1Byte.lf
            state = separates ? .line(Line(method: method)) : .answered(HTTP1Classifier.notHTTP)
        case .line(var line):
            if let answer = HTTP1Classifier.step(&line, byte, bytes, at: place) {
                state = .answered(answer)
            } else {
                state = .line(line)
            }
        case .answered:
            return
        }
    }

    private static func step(_ line: inout Line, _ byte: UInt8, _ bytes: Span<UInt8>, at place: Int) -> Answer? {
        if byte == HTTP1Byte.lf {
            guard line.method == .get, let start = line.targetStart else { return notHTTP }
            // A request of HTTP/0.9, which common servers still answer.
            return bytes[start] == UInt8(ascii: "/") || bytes[start].http1Lowered == 0x68 ? .http : notHTTP
        }
        if byte <= HTTP1Byte.space || byte == HTTP1Byte.delete {
            if !line.method.isKnown, !byte.isHTTP1Blank, byte != HTTP1Byte.cr { return notHTTP }
            line.matched = 1
            return nil
        }
        if line.matched == 6, byte.isHTTP1Digit {
            return line.method == .http2Preface && byte == UInt8(ascii: "2") ? .notHTTP(http2Preface) : .http
        }
        if line.targetStart == nil { line.targetStart = place }
        let name: StaticString = "http/"
        if (1...5).contains(line.matched), byte.http1Lowered == name.utf8Start[line.matched - 1] {
            line.matched += 1
        } else {
            line.matched = 0
        }
        return nil
    }

    private static func method(_ range: Range<Int>, of bytes: Span<UInt8>) -> Method {
        switch String(decoding: bytes, in: range) {
        case "GET": return .get
        case "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH": return .otherKnown
        case "PRI": return .http2Preface
        default: return .unknown
        }
    }
}
