// SPDX-License-Identifier: Apache-2.0

// Where the body of a message ends (RFC 9112 section 6.3), decided without guessing.

import NIOCore

/// How the body of a message is framed.
enum HTTP1Framing: Sendable, Hashable {
    case none
    /// So many bytes.
    case length(UInt64)
    case chunked
    /// All bytes until the server closes.
    case untilClose

    /// Decides for a request, or for the response to a request of this method.
    ///
    /// Stricter than RFC 9112 where readers are known to differ: `Content-Length` stands once, in plain digits;
    /// `Transfer-Encoding` stands once and is `chunked`; never both. All else is refused.
    init(_ head: HTTP1Head, answering method: String = "") throws(HTTP1Refusal) {
        switch head.kind {
        case .request(let method, _, _):
            self = try HTTP1Framing.declared(in: head) ?? .none
            // Neither has content (RFC 9110 sections 9.3.6 and 9.3.8), and servers differ in whether they read some.
            if self != .none, self != .length(0), method == "CONNECT" || method == "TRACE" {
                throw HTTP1Refusal(.bodyNotAllowed, .request)
            }
        case .response(let status, _, _):
            // What a CONNECT tunnel says of its length must be ignored (RFC 9110 section 9.3.6).
            if method == "CONNECT", (200...299).contains(status) {
                self = .none
                return
            }
            let declared = try HTTP1Framing.declared(in: head)
            switch status {
            case 100...199, 204:
                guard declared == nil || declared == .length(0) else { throw HTTP1Refusal(.bodyNotAllowed, .response) }
                self = .none
            case 304:
                self = .none
            default:
                self = method == "HEAD" ? .none : declared ?? .untilClose
            }
        }
    }

    /// What the fields say; nil when they say nothing.
    private static func declared(in head: HTTP1Head) throws(HTTP1Refusal) -> HTTP1Framing? {
        func refusal(_ code: HTTP1Refusal.Code, _ field: HTTP1Field) -> HTTP1Refusal {
            HTTP1Refusal(code, head.side, at: field.lineRange.lowerBound)
        }
        let bytes = head.raw.readableBytesUInt8Span
        var lengthField: HTTP1Field?
        var codingField: HTTP1Field?
        for field in head.fields {
            // Most names are told apart by their length alone.
            switch field.nameRange.count {
            case 14:
                if bytes.equals("content-length", in: field.nameRange) {
                    guard lengthField == nil else { throw refusal(.lengthTwice, field) }
                    lengthField = field
                } else if bytes.equals("content_length", in: field.nameRange) {
                    // Gateways that turn names into variables cannot tell it from the real one.
                    throw refusal(.lookalikeField, field)
                }
            case 17:
                if bytes.equals("transfer-encoding", in: field.nameRange) {
                    guard codingField == nil else { throw refusal(.codingTwice, field) }
                    codingField = field
                } else if bytes.equals("transfer_encoding", in: field.nameRange) {
                    throw refusal(.lookalikeField, field)
                }
            case 10 where bytes.equals("connection", in: field.nameRange):
                // A proxy behind us would remove the fields named here, and read another message than we did.
                if head.lists("content-length", in: field) || head.lists("transfer-encoding", in: field)
                    || head.lists("host", in: field)
                {
                    throw refusal(.connectionOption, field)
                }
            default: continue
            }
        }
        if let field = codingField {
            if lengthField != nil { throw refusal(.bothLengths, field) }
            guard bytes.equals("chunked", in: field.valueRange) else { throw refusal(.unknownCoding, field) }
            guard head.version == .http11 else { throw refusal(.codingInHTTP10, field) }
            return .chunked
        }
        guard let field = lengthField else { return nil }
        guard let length = decimal(field.valueRange, of: bytes) else { throw refusal(.badLength, field) }
        return .length(length)
    }

    /// A number below 2^63 in digits alone; no leading zero, as some readers would take it for octal.
    private static func decimal(_ range: Range<Int>, of bytes: Span<UInt8>) -> UInt64? {
        guard !range.isEmpty, range.count <= 19 else { return nil }
        if range.count > 1, bytes[range.lowerBound] == 0x30 { return nil }
        var value: UInt64 = 0
        for index in range {
            guard bytes[index].isHTTP1Digit else { return nil }
            // Nineteen digits fit 64 bits.
            value = value &* 10 &+ UInt64(bytes[index] & 0x0f)
        }
        return value <= UInt64(Int64.max) ? value : nil
    }
}
