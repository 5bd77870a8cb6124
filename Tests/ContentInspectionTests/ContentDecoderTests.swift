// SPDX-License-Identifier: Apache-2.0

// Content codings: naming, decoding in bounded steps, encoding, and hostile input.

import FlowModel
import Testing

@testable import ContentInspection

@Suite("Content codings")
struct ContentDecoderTests {
    private static let text = Array((0..<4_000).map { "line \($0 * $0)\n" }.joined().utf8)

    private static func encoded(_ text: [UInt8], _ coding: ContentCoding) throws -> [UInt8] {
        var encoder = try ContentEncoder(coding)
        var output: [UInt8] = []
        encoder.encode(text.span, into: &output)
        encoder.finish(into: &output)
        return output
    }

    /// Decodes input that comes in pieces of `size` bytes.
    private static func decoded(_ input: [UInt8], _ coding: ContentCoding, size: Int = .max) throws -> [UInt8] {
        var decoder = ContentDecoder(coding)
        var output: [UInt8] = []
        var rest = input[...]
        while !rest.isEmpty {
            var piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            var progress: ContentDecoder.Progress
            repeat {
                let before = output.count
                progress = try decoder.decode(piece.span, into: &output)
                #expect(output.count - before <= ContentLimits.decodedStep.value)
                #expect(progress.hasMore || progress.consumed == piece.count)
                piece = piece.dropFirst(progress.consumed)
            } while progress.hasMore
        }
        try decoder.finish()
        return output
    }

    @Test(
        "Fields name codings in their order",
        arguments: [
            ("", .identity), ("identity", .identity), ("gzip", .coded([.gzip])), ("X-GZip", .coded([.gzip])),
            ("deflate , gzip", .coded([.deflate, .gzip])), ("br", .unsupported("br")),
            ("gzip, zstd", .unsupported("zstd")),
            ("gzip,gzip,gzip,gzip", .unsupported("gzip")),
        ] as [(String, ContentCoding.List)])
    func names(_ field: String, _ expected: ContentCoding.List) {
        #expect(ContentCoding.parse(field) == expected)
    }

    @Test("What is encoded is decoded again, in pieces of every size", arguments: ContentCoding.allCases)
    func roundTrip(_ coding: ContentCoding) throws {
        let coded = try Self.encoded(Self.text, coding)
        for size in [1, 2, 3, 7, 100, 4_096, .max] {
            #expect(try Self.decoded(coded, coding, size: size) == Self.text)
        }
        #expect(try Self.decoded([], coding) == [])
        #expect(try Self.decoded(Self.encoded([], coding), coding) == [])
    }

    @Test("A gzip body of several members is one text")
    func members() throws {
        let coded =
            try Self.encoded(Array("one ".utf8), .gzip) + Self.encoded([], .gzip)
            + Self.encoded(Array("two".utf8), .gzip)
        for size in 1...coded.count { #expect(try Self.decoded(coded, .gzip, size: size) == Array("one two".utf8)) }
    }

    @Test("Raw deflate is tolerated")
    func raw() throws {
        let zlib = try Self.encoded(Self.text, .deflate)
        let raw = Array(zlib.dropFirst(2).dropLast(4))
        #expect(try Self.decoded(raw, .deflate, size: 5) == Self.text)
    }

    @Test("What was flushed can be read at once")
    func flush() throws {
        for coding in ContentCoding.allCases {
            var encoder = try ContentEncoder(coding, level: 1)
            var decoder = ContentDecoder(coding)
            for line in ["data: a\n\n", "data: b\n\n"] {
                var coded: [UInt8] = []
                var plain: [UInt8] = []
                encoder.encode(Array(line.utf8).span, into: &coded)
                encoder.flush(into: &coded)
                _ = try decoder.decode(coded.span, into: &plain)
                #expect(String(decoding: plain, as: UTF8.self) == line)
                let isAtEnd = decoder.isAtEnd
                #expect(!isAtEnd)
            }
            var last: [UInt8] = []
            var rest: [UInt8] = []
            encoder.finish(into: &last)
            _ = try decoder.decode(last.span, into: &rest)
            let isAtEnd = decoder.isAtEnd
            #expect(isAtEnd)
        }
    }

    @Test("Bytes behind the end are an error", arguments: ContentCoding.allCases)
    func trailing(_ coding: ContentCoding) throws {
        let coded = try Self.encoded(Self.text, coding)
        for tail in [[0], [0x0d, 0x0a], Array("garbage".utf8)] as [[UInt8]] {
            for size in [1, .max] {
                #expect(throws: ContentCodingError.trailingBytes(offset: UInt64(coded.count))) {
                    try Self.decoded(coded + tail, coding, size: size)
                }
            }
        }
    }

    @Test("A cut-off body is an error at every length", arguments: ContentCoding.allCases)
    func truncated(_ coding: ContentCoding) throws {
        let coded = try Self.encoded(Array("some text, some text".utf8), coding)
        for count in 1..<coded.count {
            #expect(throws: ContentCodingError.truncated(offset: UInt64(count))) {
                try Self.decoded(Array(coded.prefix(count)), coding)
            }
        }
    }

    @Test("A wrong bit is an error or other text, never a trap")
    func broken() throws {
        let coded = try Self.encoded(Array(Self.text.prefix(300)), .gzip)
        var errors = 0
        for index in coded.indices {
            var wrong = coded
            wrong[index] ^= 0x10
            do { _ = try Self.decoded(wrong, .gzip) } catch is ContentCodingError { errors += 1 }
        }
        #expect(errors > coded.count * 9 / 10)
    }

    @Test("A bomb is stopped soon after the free megabyte")
    func bomb() throws {
        let coded = try Self.encoded(Array(repeating: 0, count: 64 << 20), .gzip)
        var decoder = ContentDecoder(.gzip)
        var total = 0
        let error = #expect(throws: ContentCodingError.self) {
            var rest = coded[...]
            while true {
                var output: [UInt8] = []
                let progress = try decoder.decode(rest.span, into: &output)
                total += output.count
                rest = rest.dropFirst(progress.consumed)
                if !progress.hasMore { break }
            }
        }
        guard case .expansion = error else {
            Issue.record("not stopped: \(String(describing: error))")
            return
        }
        #expect(total <= 2 << 20)
    }
}
