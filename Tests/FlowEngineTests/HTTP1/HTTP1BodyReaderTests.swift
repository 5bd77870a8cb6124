// SPDX-License-Identifier: Apache-2.0

// Bodies: every byte comes out once, in order, and as what it is.

import FlowModel
import NIOCore
import Testing

@testable import FlowEngine

@Suite("HTTP/1.1 body reader")
struct HTTP1BodyReaderTests {
    /// Everything `reader` gives for `text`, in short words.
    private func outputs(_ reader: inout HTTP1BodyReader, _ buffer: inout ByteBuffer) -> [String] {
        var words: [String] = []
        while words.count < 100 {
            switch reader.next(&buffer) {
            case .needMore: return words + ["needMore"]
            case .end: return words + ["end"]
            case .refused(let refusal): return words + [refusal.code.rawValue]
            case .framing(let bytes): words.append("framing \(String(buffer: bytes))")
            case .content(let bytes): words.append("content \(String(buffer: bytes))")
            case .trailers(let section): words.append("trailers \(String(buffer: section.raw))")
            }
        }
        return words
    }

    @Test("A body of known length ends at its last byte and leaves the rest")
    func length() {
        var reader = HTTP1BodyReader(.length(5), of: .request)
        var buffer = ByteBuffer(string: "hel")
        #expect(reader.remaining == 5)
        #expect(outputs(&reader, &buffer) == ["content hel", "needMore"])
        #expect(reader.remaining == 2)
        #expect(reader.endOfInput() == .truncated)
        buffer.writeString("lo, next")
        #expect(outputs(&reader, &buffer) == ["content lo", "end"])
        #expect(reader.remaining == 0)
        #expect(reader.consumed == 5)
        #expect(reader.endOfInput() == .end)
        #expect(String(buffer: buffer) == ", next")
    }

    @Test("No body takes no bytes", arguments: [HTTP1Framing.none, .length(0)])
    func none(framing: HTTP1Framing) {
        var reader = HTTP1BodyReader(framing, of: .response)
        var buffer = ByteBuffer(string: "next")
        #expect(outputs(&reader, &buffer) == ["end"])
        #expect(String(buffer: buffer) == "next")
        #expect(reader.endOfInput() == .end)
    }

    @Test("A body until close ends with the input")
    func untilClose() {
        var reader = HTTP1BodyReader(.untilClose, of: .response)
        var buffer = ByteBuffer(string: "all")
        #expect(outputs(&reader, &buffer) == ["content all", "needMore"])
        #expect(reader.remaining == nil)
        #expect(reader.endOfInput() == .end)
        #expect(outputs(&reader, &buffer) == ["end"])
    }

    @Test("A chunked body comes apart into content and framing")
    func chunked() {
        var reader = HTTP1BodyReader(.chunked, of: .request)
        var buffer = ByteBuffer(string: "5\r\nhello\r\n1;a=b\r\n!\r\n00\r\nX: y\r\n\r\nnext")
        #expect(
            outputs(&reader, &buffer) == [
                "framing 5\r\n", "content hello", "framing \r\n", "framing 1;a=b\r\n", "content !", "framing \r\n",
                "framing 00\r\n", "trailers X: y\r\n\r\n", "end",
            ])
        #expect(String(buffer: buffer) == "next")
        var empty = HTTP1BodyReader(.chunked, of: .request)
        var bytes = ByteBuffer(string: "0\r\n\r\n")
        #expect(outputs(&empty, &bytes) == ["framing 0\r\n", "framing \r\n", "end"])
    }

    @Test("Content of a chunk is live: it does not wait for the chunk")
    func live() {
        var reader = HTTP1BodyReader(.chunked, of: .response)
        var buffer = ByteBuffer(string: "ffff\r\na")
        #expect(outputs(&reader, &buffer) == ["framing ffff\r\n", "content a", "needMore"])
        #expect(buffer.readableBytes == 0)
    }

    @Test("A chunked body cut short is truncated, wherever the cut is")
    func truncated() {
        let body = "3;x=\"y\"\r\nabc\r\n0\r\nX: y\r\n\r\n"
        for count in 0..<body.utf8.count {
            var reader = HTTP1BodyReader(.chunked, of: .response)
            var buffer = ByteBuffer(bytes: body.utf8.prefix(count))
            _ = outputs(&reader, &buffer)
            #expect(reader.endOfInput() == .truncated)
        }
    }

    @Test("Trailers can be looked up like fields")
    func trailers() {
        var reader = HTTP1BodyReader(.chunked, of: .response)
        var buffer = ByteBuffer(string: "0\r\nX-Sum: 1\r\nx-sum:  2 \r\n\r\n")
        _ = reader.next(&buffer)
        guard case .trailers(let section) = reader.next(&buffer) else {
            Issue.record("no trailers")
            return
        }
        #expect(section.values(of: "x-sum").map { section.text($0.valueRange) } == ["1", "2"])
    }

    /// Chunked bodies that must be refused, and why.
    static let hostileBodies: [(String, HTTP1Refusal.Code)] = [
        ("5\nhello\r\n", .bareLF),
        ("5;a\nhello\r\n", .bareLF),
        ("5;a\rb\r\nhello\r\n", .bareCR),
        ("5\r\r\nhello\r\n", .bareCR),
        ("5;a=\"\0\"\r\nhello\r\n", .nulByte),
        ("\r\n", .badChunkSize),
        (";a\r\n", .badChunkSize),
        ("g\r\n", .badChunkSize),
        ("+5\r\nhello\r\n", .badChunkSize),
        ("-5\r\nhello\r\n", .badChunkSize),
        (" 5\r\nhello\r\n", .badChunkSize),
        ("5 \r\nhello\r\n", .badChunkSize),
        ("5 0\r\nhello\r\n", .badChunkSize),
        ("0x5\r\nhello\r\n", .badChunkSize),
        ("5,\r\nhello\r\n", .badChunkSize),
        ("5_0\r\nhello\r\n", .badChunkSize),
        ("5\u{e9}\r\nhello\r\n", .badChunkSize),
        ("00000000000000005\r\nhello\r\n", .chunkSizeOverflow),
        ("10000000000000005\r\nhello\r\n", .chunkSizeOverflow),
        ("8000000000000000\r\n", .chunkSizeOverflow),
        ("ffffffffffffffff\r\n", .chunkSizeOverflow),
        ("5;\r\nhello\r\n", .badChunkExtension),
        ("5;;a\r\nhello\r\n", .badChunkExtension),
        ("5;=b\r\nhello\r\n", .badChunkExtension),
        ("5;a=\r\nhello\r\n", .badChunkExtension),
        ("5;a b\r\nhello\r\n", .badChunkExtension),
        ("5;a \r\nhello\r\n", .badChunkExtension),
        ("5;a=b \r\nhello\r\n", .badChunkExtension),
        ("5;a=\"b\r\nhello\"\r\n", .badChunkExtension),
        ("5;a=\"b\\\"\r\nhello\r\n", .badChunkExtension),
        ("5;a=\"b\\\r\nhello\r\n", .badChunkExtension),
        ("5;a=\"b\"c\r\nhello\r\n", .badChunkExtension),
        ("5;\u{e9}=b\r\nhello\r\n", .badChunkExtension),
        ("5\r\nhello0\r\n\r\n", .badChunkEnd),
        ("5\r\nhello\n0\r\n\r\n", .badChunkEnd),
        ("5\r\nhello\r0\r\n\r\n", .badChunkEnd),
        ("5\r\nhelloXX0\r\n\r\n", .badChunkEnd),
        ("5\r\nhello\r\r\n", .badChunkEnd),
        ("0\r\n\n", .bareLF),
        ("0\r\nX: y\n\r\n", .bareLF),
        ("0\r\n X: y\r\n\r\n", .obsFold),
        ("0\r\nX : y\r\n\r\n", .spaceBeforeColon),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", .noColon),
        ("0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer),
        ("0\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n", .forbiddenTrailer),
        ("0\r\nHost: evil\r\n\r\n", .forbiddenTrailer),
        ("0\r\n" + String(repeating: "X: y\r\n", count: 257) + "\r\n", .tooManyFields),
        ("0\r\nX: " + String(repeating: "y", count: 16 << 10) + "\r\n\r\n", .lineTooLong),
        ("5;" + String(repeating: "a", count: 4 << 10) + "\r\n", .chunkLineTooLong),
        (
            String(repeating: "1;" + String(repeating: "a", count: 4000) + "\r\nx\r\n", count: 5),
            .chunkExtensionsTooLarge
        ),
    ]

    @Test("A hostile chunked body is refused with its code, whole and byte by byte", arguments: hostileBodies)
    func hostile(body: String, code: HTTP1Refusal.Code) {
        let bytes = http1Chunked("") + body.unicodeScalars.map { UInt8(clamping: $0.value) }
        let whole = HTTP1Transcript(.request, bytes, pieceLength: bytes.count)
        guard case .refused(code, _) = whole.outcome else {
            Issue.record("\(code) expected, \(whole.outcome) found")
            return
        }
        // Nothing of what is refused went out.
        #expect(whole.output + whole.rest == bytes)
        #expect(!whole.rest.isEmpty)
        #expect(HTTP1Transcript(.request, bytes, pieceLength: 1) == whole)
    }

    @Test("A refusal says where in the body the bad line starts, and stays")
    func place() {
        var reader = HTTP1BodyReader(.chunked, of: .response)
        var buffer = ByteBuffer(string: "2\r\nab\r\n0\r\nX: y\r\n z\r\n")
        #expect(outputs(&reader, &buffer).last == "obs-fold")
        #expect(outputs(&reader, &buffer) == ["obs-fold"])
        guard case .refused(let refusal) = reader.next(&buffer) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.offset == 16)
        #expect(reader.endOfInput() == .truncated)
    }

    @Test("A long chunked body is the same however it is cut")
    func randomCuts() {
        var random = HTTP1Seeded(7)
        var body = ""
        for _ in 0..<60 {
            let size = Int.random(in: 1...700, using: &random)
            body += String(size, radix: 16) + "\r\n" + String(repeating: "c", count: size) + "\r\n"
        }
        let bytes = http1Chunked(body + "0\r\nA: b\r\n\r\n")
        let whole = HTTP1Transcript(.request, bytes, pieceLength: bytes.count)
        #expect(whole.outcome == .complete)
        for _ in 0..<200 {
            var pieces: [ArraySlice<UInt8>] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 0...300, using: &random))
                pieces.append(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(HTTP1Transcript(.request, pieces) == whole)
        }
    }
}
