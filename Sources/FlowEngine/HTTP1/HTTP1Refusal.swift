// SPDX-License-Identifier: Apache-2.0

// Why an HTTP/1.1 message is refused, whose fault that is, and what to answer.

import FlowModel

/// Which of the two kinds of message is meant.
enum HTTP1Side: Hashable, Sendable {
    case request, response
}

/// An HTTP/1.1 message that is not carried on.
///
/// Refused is what breaks RFC 9110 or 9112 and what two readers could understand differently. It never holds content
/// of the message.
struct HTTP1Refusal: Error, Sendable {
    /// Stable names of the causes.
    enum Code: String, CaseIterable, Sendable {
        case bareLF = "bare-lf"
        case bareCR = "bare-cr"
        case nulByte = "nul-byte"
        case controlByte = "control-byte"
        case emptyLines = "empty-lines"
        case badRequestLine = "bad-request-line"
        case badStatusLine = "bad-status-line"
        case badMethod = "bad-method"
        case badTarget = "bad-target"
        case badVersion = "bad-version"
        case obsFold = "obs-fold"
        case spaceBeforeColon = "space-before-colon"
        case badFieldName = "bad-field-name"
        case noColon = "no-colon"
        case headTooLarge = "head-too-large"
        case lineTooLong = "line-too-long"
        case requestLineTooLong = "request-line-too-long"
        case tooManyFields = "too-many-fields"
        case bothLengths = "both-lengths"
        case lengthTwice = "length-twice"
        case badLength = "bad-length"
        case codingTwice = "coding-twice"
        case unknownCoding = "unknown-coding"
        case codingInHTTP10 = "coding-in-http10"
        case lookalikeField = "lookalike-field"
        case connectionOption = "connection-option"
        case bodyNotAllowed = "body-not-allowed"
        case noHost = "no-host"
        case hostTwice = "host-twice"
        case badHost = "bad-host"
        case hostDisagrees = "host-disagrees"
        case userinfo = "userinfo"
        case unsupportedScheme = "unsupported-scheme"
        case badExpect = "bad-expect"
        case badChunkSize = "bad-chunk-size"
        case chunkSizeOverflow = "chunk-size-overflow"
        case badChunkExtension = "bad-chunk-extension"
        case badChunkEnd = "bad-chunk-end"
        case chunkLineTooLong = "chunk-line-too-long"
        case chunkExtensionsTooLarge = "chunk-extensions-too-large"
        case forbiddenTrailer = "forbidden-trailer"
        case unaskedUpgrade = "unasked-upgrade"
        case badEdit = "bad-edit"
    }

    /// Who broke the rule.
    enum Fault: String, Sendable { case client, server, us }

    let code: Code
    let side: HTTP1Side
    /// Where the offending line starts: bytes from the start of the head, or of the body for chunks and trailers.
    let offset: UInt64

    init(_ code: Code, _ side: HTTP1Side, at offset: Int = 0) {
        self.code = code
        self.side = side
        self.offset = UInt64(clamping: offset)
    }

    /// The same refusal with its place counted from `start` bytes earlier.
    func moved(by start: UInt64) -> HTTP1Refusal {
        let (place, overflow) = offset.addingReportingOverflow(start)
        return HTTP1Refusal(code, side, at: overflow ? .max : Int(clamping: place))
    }

    var fault: Fault {
        if code == .badEdit { return .us }
        return side == .request ? .client : .server
    }

    /// The status to answer the client with.
    var status: Int {
        if side == .response { return 502 }
        switch code {
        case .requestLineTooLong: return 414
        case .badExpect: return 417
        case .headTooLarge, .lineTooLong, .tooManyFields: return 431
        case .unknownCoding, .unsupportedScheme: return 501
        case .badEdit: return 502
        case .badVersion: return 505
        default: return 400
        }
    }

    /// What is wrong and what the sender should do, in one sentence.
    var sentence: String { code.sentence }

    /// The refusal as events and answers tell it.
    var reason: Reason { Reason(code.rawValue, sentence) }
}

extension HTTP1Refusal: Equatable {
    /// The code and the side decide; the place does not.
    static func == (a: HTTP1Refusal, b: HTTP1Refusal) -> Bool { a.code == b.code && a.side == b.side }
}

extension HTTP1Refusal: CustomStringConvertible {
    var description: String { "\(code.rawValue) in the \(side) at byte \(offset): \(sentence)" }
}

extension HTTP1Refusal.Code {
    fileprivate var sentence: String {
        switch self {
        case .bareLF: "A line ends with LF alone; it must end with CR LF."
        case .bareCR: "A CR stands inside a line; it may only stand before LF."
        case .nulByte: "A line holds a NUL byte; remove it."
        case .controlByte: "A line holds a control byte; remove it."
        case .emptyLines: "Empty lines stand before the message; a request may have one, a response none."
        case .badRequestLine: "The request line is not a method, a target and a version with one space between."
        case .badStatusLine: "The status line is not a version, three digits and a reason with one space between."
        case .badMethod: "The method is not a token of at most 32 letters, or imitates HEAD or CONNECT in another case."
        case .badTarget: "The request target is in none of the four forms, or not in one this method may use."
        case .badVersion: "The version is not HTTP/1.0 or HTTP/1.1."
        case .obsFold: "A line starts with a space or a tab; folded fields must be sent in one line."
        case .spaceBeforeColon: "A space stands between a field name and its colon; remove it."
        case .badFieldName: "A field name is empty or not a token."
        case .noColon: "A field line has no colon."
        case .headTooLarge: "The head or the trailer section is too large; send fewer or shorter fields."
        case .lineTooLong: "A field line is too long; shorten it."
        case .requestLineTooLong: "The request line is too long; shorten the target."
        case .tooManyFields: "The message has too many fields."
        case .bothLengths: "The message has both Content-Length and Transfer-Encoding; send one."
        case .lengthTwice: "The message has Content-Length more than once."
        case .badLength: "Content-Length is not a plain decimal number below 2^63 without leading zeros."
        case .codingTwice: "The message has Transfer-Encoding more than once."
        case .unknownCoding: "Transfer-Encoding is not exactly chunked."
        case .codingInHTTP10: "An HTTP/1.0 message has Transfer-Encoding, which HTTP/1.0 does not know."
        case .lookalikeField: "A field is named like Content-Length or Transfer-Encoding but for underscores."
        case .connectionOption: "The Connection field names a field that every recipient needs."
        case .bodyNotAllowed: "The message announces a body where it cannot have one."
        case .noHost: "An HTTP/1.1 request has no Host field."
        case .hostTwice: "The request has Host more than once."
        case .badHost: "The Host field, or the host of the target, is not a host with an optional port."
        case .hostDisagrees: "The Host field and the target name different hosts; make them the same."
        case .userinfo: "The target holds a user name; remove it."
        case .unsupportedScheme: "The scheme of the target is neither http nor https."
        case .badExpect: "The Expect field is not exactly 100-continue."
        case .badChunkSize: "A chunk size is not 1 to 16 hexadecimal digits."
        case .chunkSizeOverflow: "A chunk size is 2^63 or more."
        case .badChunkExtension: "A chunk extension does not follow the grammar of RFC 9112 section 7.1.1."
        case .badChunkEnd: "The content of a chunk is not followed by CR LF."
        case .chunkLineTooLong: "A chunk-size line is too long."
        case .chunkExtensionsTooLarge: "The chunk extensions of the message are too large."
        case .forbiddenTrailer: "A trailer field is one that frames or routes the message."
        case .unaskedUpgrade: "The answer changes the protocol, which no whole request asked for."
        case .badEdit: "An edit of ours does not fit the message; this is a fault of Weir, please report it."
        }
    }
}
