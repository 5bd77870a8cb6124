// SPDX-License-Identifier: Apache-2.0

// The byte classes and the lines of RFC 9110 and 9112, read strictly.

import FlowModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The bytes that structure HTTP/1.1.
enum HTTP1Byte {
    static let tab: UInt8 = 0x09
    static let lf: UInt8 = 0x0a
    static let cr: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let hash: UInt8 = 0x23
    static let comma: UInt8 = 0x2c
    static let colon: UInt8 = 0x3a
    static let semicolon: UInt8 = 0x3b
    static let equals: UInt8 = 0x3d
    static let backslash: UInt8 = 0x5c
    static let delete: UInt8 = 0x7f
}

extension UInt8 {
    /// Whether this is a `tchar` (RFC 9110 section 5.6.2).
    @inline(__always)
    var isHTTP1Token: Bool {
        // One bit a byte value: the set is ! # $ % & ' * + - . ^ _ ` | ~, digits and letters.
        if self < 64 { return (0x03ff_6cfa_0000_0000 as UInt64) >> UInt64(self) & 1 != 0 }
        if self < 128 { return (0x57ff_ffff_c7ff_fffe as UInt64) >> UInt64(self & 63) & 1 != 0 }
        return false
    }

    /// Whether this is optional white space, SP or HTAB.
    @inline(__always)
    var isHTTP1Blank: Bool { self == HTTP1Byte.space || self == HTTP1Byte.tab }

    /// This byte with ASCII letters in lower case.
    @inline(__always)
    var http1Lowered: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }

    @inline(__always)
    var isHTTP1Digit: Bool { (0x30...0x39).contains(self) }
}

extension Span where Element == UInt8 {
    /// The place of the first LF in `range`, which must lie within the span.
    func firstLF(in range: Range<Int>) -> Int? {
        guard range.lowerBound >= 0, range.upperBound <= count, !range.isEmpty else { return nil }
        return withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let hit = memchr(base + range.lowerBound, Int32(HTTP1Byte.lf), range.count)
            else { return nil }
            return UnsafeRawPointer(hit) - base
        }
    }

    /// The place of the first `byte` in `range`.
    func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// `range` without the optional white space at both its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isHTTP1Blank { start += 1 }
        while end > start, self[end - 1].isHTTP1Blank { end -= 1 }
        return start..<end
    }

    /// Whether the bytes of `range` are `text`, ASCII letters compared without case.
    func equals(_ text: String, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var index = range.lowerBound
        for byte in text.utf8 {
            if self[index].http1Lowered != byte.http1Lowered { return false }
            index += 1
        }
        return true
    }

    /// The place of the first byte in `range` that no line may hold: a control byte other than HTAB, or DEL.
    func firstControl(in range: Range<Int>) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = range.lowerBound
        while range.upperBound - index >= 8 {
            // Eight bytes at once: a top bit of `suspect` is set when some byte is below 0x20 or equals 0x7f.
            let word = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let flipped = word ^ (ones &* 0x7f)
            let suspect = ((word &- ones &* 0x20) & ~word | (flipped &- ones) & ~flipped) & tops
            if suspect != 0, let hit = firstControlSlowly(in: index..<index + 8) { return hit }
            index += 8
        }
        return firstControlSlowly(in: index..<range.upperBound)
    }

    private func firstControlSlowly(in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = self[index]
            if byte < 0x20 && byte != HTTP1Byte.tab || byte == HTTP1Byte.delete { return index }
            index += 1
        }
        return nil
    }

    /// Refuses a line that holds a control byte, with the code that fits the byte.
    func refuseControls(in line: Range<Int>, _ side: HTTP1Side, lineAt: Int? = nil) throws(HTTP1Refusal) {
        guard let place = firstControl(in: line) else { return }
        let start = lineAt ?? line.lowerBound
        switch self[place] {
        case HTTP1Byte.cr: throw HTTP1Refusal(.bareCR, side, at: start)
        case 0: throw HTTP1Refusal(.nulByte, side, at: start)
        default: throw HTTP1Refusal(.controlByte, side, at: start)
        }
    }
}

/// Reads the three kinds of line that a head has; a line is given without its CR LF.
enum HTTP1Grammar {
    /// `field-line = field-name ":" OWS field-value OWS` (RFC 9112 section 5).
    static func field(
        _ line: Range<Int>, of bytes: Span<UInt8>, _ side: HTTP1Side
    ) throws(HTTP1Refusal) -> HTTP1Field {
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon].isHTTP1Token { colon += 1 }
        guard colon < line.upperBound, bytes[colon] == HTTP1Byte.colon, colon > line.lowerBound else {
            throw HTTP1Refusal(try fieldFault(line, of: bytes, side, at: colon), side, at: line.lowerBound)
        }
        try bytes.refuseControls(in: colon..<line.upperBound, side, lineAt: line.lowerBound)
        return HTTP1Field(
            line: line.lowerBound..<line.upperBound + 2, nameEnd: colon,
            value: bytes.trimmed(colon + 1..<line.upperBound))
    }

    /// Says what is wrong with a field line whose name ends at `end` without a colon.
    private static func fieldFault(
        _ line: Range<Int>, of bytes: Span<UInt8>, _ side: HTTP1Side, at end: Int
    ) throws(HTTP1Refusal) -> HTTP1Refusal.Code {
        if end == line.lowerBound, end < line.upperBound, bytes[end].isHTTP1Blank { return .obsFold }
        try bytes.refuseControls(in: line, side)
        guard let colon = bytes.first(HTTP1Byte.colon, in: line) else { return .noColon }
        // Only blanks between a good name and the colon: worth a code of its own, it is the oldest trick of all.
        if end > line.lowerBound, bytes.trimmed(end..<colon).isEmpty { return .spaceBeforeColon }
        return .badFieldName
    }

    /// `request-line = method SP request-target SP HTTP-version` (RFC 9112 section 3).
    static func requestLine(
        _ line: Range<Int>, of bytes: Span<UInt8>
    ) throws(HTTP1Refusal) -> HTTP1Head.Kind {
        func refusal(_ code: HTTP1Refusal.Code) -> HTTP1Refusal { HTTP1Refusal(code, .request, at: line.lowerBound) }
        try bytes.refuseControls(in: line, .request)
        var methodEnd = line.lowerBound
        while methodEnd < line.upperBound, bytes[methodEnd].isHTTP1Token { methodEnd += 1 }
        guard methodEnd < line.upperBound, bytes[methodEnd] == HTTP1Byte.space else {
            throw refusal(methodEnd < line.upperBound ? .badMethod : .badRequestLine)
        }
        let method = line.lowerBound..<methodEnd
        guard !method.isEmpty, method.count <= HTTP1Limits.method.value else { throw refusal(.badMethod) }
        let name = String(decoding: bytes, in: method)
        // A server that reads methods without case would send no body where we wait for one, or open a tunnel.
        if name != "HEAD", bytes.equals("HEAD", in: method) { throw refusal(.badMethod) }
        if name != "CONNECT", bytes.equals("CONNECT", in: method) { throw refusal(.badMethod) }
        guard let targetEnd = bytes.first(HTTP1Byte.space, in: methodEnd + 1..<line.upperBound),
            targetEnd > methodEnd + 1
        else { throw refusal(.badRequestLine) }
        let target = methodEnd + 1..<targetEnd
        var index = target.lowerBound
        while index < target.upperBound {
            // A fragment is never sent; readers that cut it off and readers that keep it see two resources.
            if bytes[index] == HTTP1Byte.hash || bytes[index] == HTTP1Byte.tab { throw refusal(.badTarget) }
            index += 1
        }
        let version = try version(targetEnd + 1..<line.upperBound, of: bytes, orElse: refusal(.badRequestLine))
        return .request(method: name, target: target, version: version)
    }

    /// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 section 4).
    ///
    /// The space after the status may be missing with the reason, as many servers leave it out. A status above 599 is
    /// an error of the server's own kind, and is framed like any other.
    static func statusLine(
        _ line: Range<Int>, of bytes: Span<UInt8>
    ) throws(HTTP1Refusal) -> HTTP1Head.Kind {
        let refusal = HTTP1Refusal(.badStatusLine, .response, at: line.lowerBound)
        try bytes.refuseControls(in: line, .response)
        guard line.count >= 12, bytes[line.lowerBound + 8] == HTTP1Byte.space else { throw refusal }
        let version = try version(line.lowerBound..<line.lowerBound + 8, of: bytes, orElse: refusal)
        var status = 0
        for offset in 9..<12 {
            let byte = bytes[line.lowerBound + offset]
            guard byte.isHTTP1Digit else { throw refusal }
            status = status * 10 + Int(byte - 0x30)
        }
        guard status >= 100 else { throw refusal }
        if line.count > 12, bytes[line.lowerBound + 12] != HTTP1Byte.space { throw refusal }
        return .response(
            status: status, reason: min(line.lowerBound + 13, line.upperBound)..<line.upperBound, version: version)
    }

    private static func version(
        _ range: Range<Int>, of bytes: Span<UInt8>, orElse refusal: HTTP1Refusal
    ) throws(HTTP1Refusal) -> HTTP1Version {
        let start = range.lowerBound
        guard range.count == 8, bytes.equals("HTTP/", in: start..<start + 5), bytes[start + 5].isHTTP1Digit,
            bytes[start + 6] == 0x2e, bytes[start + 7].isHTTP1Digit
        else { throw refusal }
        // The name is case-sensitive (RFC 9112 section 2.3); lower case is another version, not another line.
        guard bytes[start] == 0x48, bytes[start + 1] == 0x54, bytes[start + 2] == 0x54, bytes[start + 3] == 0x50,
            bytes[start + 5] == 0x31
        else { throw HTTP1Refusal(.badVersion, refusal.side, at: Int(clamping: refusal.offset)) }
        switch bytes[start + 7] {
        case 0x31: return .http11
        case 0x30: return .http10
        default: throw HTTP1Refusal(.badVersion, refusal.side, at: Int(clamping: refusal.offset))
        }
    }
}

extension String {
    /// The text of `range` of `bytes`; bytes that are not UTF-8 become replacement characters.
    init(decoding bytes: Span<UInt8>, in range: Range<Int>) {
        self = bytes.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[range]), as: UTF8.self)
        }
    }
}
