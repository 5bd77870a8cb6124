// SPDX-License-Identifier: Apache-2.0

// The promises of the HTTP/1.1 readers in a form that a fuzzer can put to the test.

import FlowModel
import NIOCore

/// Runs the readers over any bytes and says which promise they broke, if any.
@_spi(Fuzzing)
public enum HTTP1Fuzzing {
    /// Reads `input` as a request and as a response, with what follows the head as its body.
    ///
    /// Returns the broken promise, nil when all hold. `pieceLength` is how many bytes arrive at once in the second run.
    public static func messages(_ input: [UInt8], pieceLength: Int = 1) -> String? {
        for side in [HTTP1Side.request, .response] {
            let whole = HTTP1Transcript(side, input, pieceLength: input.count)
            let pieces = HTTP1Transcript(side, input, pieceLength: pieceLength)
            if whole != pieces { return "the answer depends on how the bytes arrive" }
            if let breach = whole.breach(of: input) { return breach }
            guard let head = whole.head else { continue }
            if side == .request, classify(input, pieceLength: input.count) != .http {
                return "the reader accepts a request that the classifier does not believe"
            }
            if let breach = breach(editing: head) { return breach }
        }
        if classify(input, pieceLength: input.count) != classify(input, pieceLength: pieceLength) {
            return "the classifier's answer depends on how the bytes arrive"
        }
        return nil
    }

    /// Reads `input` as a chunked body.
    public static func chunks(_ input: [UInt8], pieceLength: Int = 1) -> String? {
        let head = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        return messages(head + input, pieceLength: pieceLength)
    }

    private static func classify(_ input: [UInt8], pieceLength: Int) -> HTTP1Classifier.Answer {
        var classifier = HTTP1Classifier()
        var buffer = ByteBuffer()
        var answer = classifier.classify(buffer)
        for piece in HTTP1Transcript.pieces(of: input, pieceLength) where answer == .needMore {
            buffer.writeBytes(piece)
            answer = classifier.classify(buffer)
        }
        return answer
    }

    private static func breach(editing head: HTTP1Head) -> String? {
        do throws(HTTP1Refusal) {
            var editor = HTTP1HeadEditor(head)
            if case .request(_, let target, _) = head.kind {
                try editor.replaceTarget(with: Array(head.raw.readableBytesView[target]))
            }
            for field in head.fields {
                try editor.replace(field.valueRange, with: Array(head.raw.readableBytesView[field.valueRange]))
            }
            guard try editor.finish().raw == head.raw else { return "an edit that changes nothing changes bytes" }
            if let destination = try? HTTP1Destination(head, defaultPort: 80), case .absolute = destination.target {
                var editor = HTTP1HeadEditor(head)
                try editor.rewriteToOriginForm(destination)
                // A head that is full has no room for a Host field; that it is refused then is right.
                guard let rewrittenHead = try? editor.finish() else { return nil }
                let rewritten = try HTTP1Destination(rewrittenHead, defaultPort: 80)
                if rewritten.hostDisagrees || rewritten.endpoint?.host != destination.endpoint?.host {
                    return "the origin form goes elsewhere than the absolute form"
                }
            }
            return nil
        } catch {
            return "an edit of an accepted head is refused: \(error.code.rawValue)"
        }
    }
}

/// What the readers made of one message.
struct HTTP1Transcript: Equatable {
    /// How it ended.
    enum Outcome: Equatable {
        case incomplete
        case complete
        case refused(HTTP1Refusal.Code, at: UInt64)
    }

    private(set) var head: HTTP1Head?
    private(set) var framing: HTTP1Framing?
    private(set) var outcome = Outcome.incomplete
    /// All bytes that came out, in order.
    private(set) var output: [UInt8] = []
    private(set) var content: [UInt8] = []
    private(set) var trailers: [HTTP1Field] = []
    /// Bytes that nobody took.
    private(set) var rest: [UInt8] = []

    static func == (a: HTTP1Transcript, b: HTTP1Transcript) -> Bool {
        a.head?.kind == b.head?.kind && a.head?.raw == b.head?.raw && a.head?.fields == b.head?.fields
            && a.framing == b.framing && a.outcome == b.outcome && a.output == b.output && a.content == b.content
            && a.trailers == b.trailers && a.rest == b.rest
    }

    /// Reads one message out of `input`, of which `pieceLength` bytes arrive at a time.
    init(_ side: HTTP1Side, _ input: [UInt8], answering method: String = "GET", pieceLength: Int) {
        self.init(side, HTTP1Transcript.pieces(of: input, pieceLength), answering: method)
    }

    /// Reads one message out of bytes that arrive in these pieces.
    init(_ side: HTTP1Side, _ pieces: [ArraySlice<UInt8>], answering method: String = "GET") {
        var headReader = HTTP1HeadReader(side)
        var bodyReader = HTTP1BodyReader(.none, of: side)
        var buffer = ByteBuffer()
        for piece in pieces {
            buffer.writeBytes(piece)
            if outcome != .incomplete { continue }
            if head == nil {
                switch headReader.feed(&buffer) {
                case .needMore: continue
                case .refused(let refusal): outcome = .refused(refusal.code, at: refusal.offset)
                case .head(let head):
                    self.head = head
                    output += Array(buffer: head.raw)
                    do throws(HTTP1Refusal) {
                        let framing = try HTTP1Framing(head, answering: method)
                        self.framing = framing
                        bodyReader = HTTP1BodyReader(framing, of: side)
                    } catch {
                        outcome = .refused(error.code, at: error.offset)
                    }
                }
            }
            if head != nil, outcome == .incomplete { take(from: &bodyReader, &buffer) }
        }
        if outcome == .incomplete, head != nil, case .end = bodyReader.endOfInput() { outcome = .complete }
        rest = Array(buffer: buffer)
    }

    private mutating func take(from reader: inout HTTP1BodyReader, _ buffer: inout ByteBuffer) {
        while true {
            switch reader.next(&buffer) {
            case .needMore: return
            case .framing(let bytes):
                output += Array(buffer: bytes)
            case .content(let bytes):
                output += Array(buffer: bytes)
                content += Array(buffer: bytes)
            case .trailers(let section):
                output += Array(buffer: section.raw)
                trailers = section.fields
            case .end:
                outcome = .complete
                return
            case .refused(let refusal):
                outcome = .refused(refusal.code, at: refusal.offset)
                return
            }
        }
    }

    /// What is wrong with this transcript of `input`, judged without the readers.
    fileprivate func breach(of input: [UInt8]) -> String? {
        if output + rest != input { return "bytes were lost, added or reordered" }
        guard let head else { return output.isEmpty ? nil : "bytes came out before a head" }
        let count = head.raw.readableBytes
        guard head.raw.readableBytesView.suffix(4).elementsEqual([0x0d, 0x0a, 0x0d, 0x0a]) else {
            return "a head does not end with an empty line"
        }
        var place = 0
        for field in head.fields {
            let line = field.lineRange
            guard place <= line.lowerBound, line.upperBound <= count - 2, !field.nameRange.isEmpty,
                line.lowerBound == field.nameRange.lowerBound, field.nameRange.upperBound < field.valueRange.lowerBound,
                field.valueRange.upperBound + 2 <= line.upperBound
            else { return "a field lies outside its line" }
            place = line.upperBound
        }
        if outcome == .complete, framing == .chunked {
            if let again = HTTP1Transcript.unchunk(output.dropFirst(count)) {
                if again != content { return "another chunk reader finds other content" }
            } else {
                return "another chunk reader finds no end"
            }
        }
        return nil
    }

    /// A second, careless opinion on chunked framing: no grammar, only sizes and line ends.
    private static func unchunk(_ body: ArraySlice<UInt8>) -> [UInt8]? {
        var content: [UInt8] = []
        var rest = body
        while let lf = rest.firstIndex(of: 0x0a) {
            let digits = rest[..<lf].prefix { ($0 & 0xdf) >= 0x41 && ($0 & 0xdf) <= 0x46 || (0x30...0x39).contains($0) }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
            rest = rest[(lf + 1)...]
            if size == 0 { return content }
            guard rest.count >= size, rest.count - size >= 2 else { return nil }
            content += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return nil
    }

    static func pieces(of input: [UInt8], _ length: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: input.count, by: max(1, length)).map { input[$0..<min(input.count, $0 + max(1, length))] }
    }
}
