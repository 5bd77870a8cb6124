// SPDX-License-Identifier: Apache-2.0

// Masks a private key as it comes, from its BEGIN line to the matching END line.

import Crypto
import FlowModel

/// What is known of a private key while it passes.
///
/// | byte | it becomes |
/// |---|---|
/// | letter, digit, `/`, and `+` behind one of these | `X` |
/// | of an escape (`\n`, `\u000a`, `%0A`, `&#10;`), and all others | itself |
///
/// So line breaks, quotes and JSON stay valid. It ends behind the END line; or, incomplete, at the limit, at the end
/// of the field, or before a byte that shows that the text around the key goes on (a brace or bracket, a control
/// byte, anything but ASCII).
struct KeySwallow {
    enum Progress { case more, complete, incomplete }

    /// The offset of the BEGIN line.
    let start: Int
    let beginLine: [UInt8]
    /// The offset behind the BEGIN line.
    let body: Int
    /// The first byte that is not looked at yet.
    private(set) var position: Int
    private let endLine: [UInt8]
    private var escape = Escape.none
    /// A plus that follows none joins strings in source code, or is a space in a form.
    private var followsSecret = false
    private var hash: HMAC<SHA256>

    private enum Escape {
        case none
        case backslash
        /// An ampersand's, of at most this many more bytes.
        case entity(Int)
        /// This many bytes belong to an escape.
        case rest(Int)
    }

    init(_ key: PrivateKeyStart, digestKey: FindingKey) {
        start = key.start
        beginLine = key.beginLine
        body = key.body
        position = key.body
        endLine = key.endLine
        hash = HMAC(key: digestKey.symmetric)
    }

    /// The digest of all that was masked.
    var digest: String { FindingKey.text(hash.finalize()) }

    /// Goes on as far as it can; `masked` receives what becomes of the bytes from `position` on.
    mutating func advance(in window: Window, into masked: inout [UInt8]) -> Progress {
        var secret: [UInt8] = []
        defer { hash.update(data: secret) }
        while position - start < ContentLimits.privateKey.value {
            guard let byte = window.behind(position) else { return window.isLast ? .incomplete : .more }
            if byte == UInt8(ascii: "-") {
                do throws(Undecided) {
                    if try window.matches(endLine, at: position) {
                        position += endLine.count
                        return .complete
                    }
                } catch { return .more }
            }
            if byte.isOne(of: "{}[]") || byte >= 0x7f || (byte < 0x20 && !byte.isOne(of: "\t\r\n")) {
                return .incomplete
            }
            followsSecret = isSecret(byte)
            if followsSecret {
                secret.append(byte)
                masked.append(Mask.byte)
            } else {
                masked.append(byte)
            }
            position += 1
        }
        return .incomplete
    }

    private mutating func isSecret(_ byte: UInt8) -> Bool {
        switch escape {
        case .backslash:
            // Text escaped twice has two backslashes before its letter.
            if byte != UInt8(ascii: "\\") { escape = byte == UInt8(ascii: "u") ? .rest(4) : .none }
            return false
        case .rest(let count):
            escape = count > 1 ? .rest(count - 1) : .none
            return false
        case .entity(let count):
            escape = count > 1 && byte != UInt8(ascii: ";") ? .entity(count - 1) : .none
            return false
        case .none:
            switch byte {
            case UInt8(ascii: "\\"): escape = .backslash
            case UInt8(ascii: "%"): escape = .rest(2)
            case UInt8(ascii: "&"): escape = .entity(7)
            default:
                return byte.isAlphanumeric || byte == UInt8(ascii: "/") || (byte == UInt8(ascii: "+") && followsSecret)
            }
            return false
        }
    }
}
