// SPDX-License-Identifier: Apache-2.0

// The beginning of a PEM private key (RFC 7468), from where on everything is swallowed.

import FlowModel

/// A private key that has certainly begun.
struct PrivateKeyStart {
    /// The offset of the BEGIN line.
    let start: Int
    /// The offset behind it.
    let body: Int
    let beginLine: [UInt8]

    /// The line that ends this key and no other.
    var endLine: [UInt8] { Array("-----END".utf8) + beginLine.dropFirst("-----BEGIN".utf8.count) }
}

/// Confirms the beginnings of private keys.
///
/// A BEGIN line alone is a mention, as in the source code of tools; a key has begun when base64 or a PEM header
/// follows it. Both may stand in a JSON string, a form or source code, so that line breaks come as `\n`, `%0A`,
/// `&#10;` or quotes.
enum PrivateKey {
    static func confirm(at start: Int, in window: Window) throws(Undecided) -> PrivateKeyStart? {
        guard try window.matches("-----BEGIN", at: start) else { return nil }
        var offset = start + 10
        let label = try window.run(from: offset, limit: ContentLimits.privateKeyLabel.value) {
            $0.isUpper || $0.isDigit || $0.isOne(of: " +%")
        }
        offset += label
        guard try window.matches("-----", at: offset), isPrivate(window.bytes(start + 10..<offset)) else { return nil }
        let body = offset + 5
        guard try isKey(from: body, in: window) else { return nil }
        return PrivateKeyStart(start: start, body: body, beginLine: window.bytes(start..<body))
    }

    private static func isPrivate(_ label: [UInt8]) -> Bool {
        var words: [[UInt8]] = [[]]
        var offset = 0
        while offset < label.count {
            let isEscape = label[offset] == UInt8(ascii: "%")
            if isEscape, !label[offset...].starts(with: "%20".utf8) { return false }
            if isEscape || label[offset] == UInt8(ascii: " ") || label[offset] == UInt8(ascii: "+") {
                words.append([])
            } else {
                words[words.count - 1].append(label[offset])
            }
            offset += isEscape ? 3 : 1
        }
        if words.last == Array("BLOCK".utf8) { words.removeLast() }
        return words.first == [] && words.suffix(2).elementsEqual(["PRIVATE", "KEY"].map { Array($0.utf8) })
    }

    /// Whether a key follows a BEGIN line, behind whatever breaks the line.
    private static func isKey(from body: Int, in window: Window) throws(Undecided) -> Bool {
        var offset = body
        while offset - body <= ContentLimits.privateKeyPreamble.value, let byte = try window.byte(offset) {
            switch byte {
            case UInt8(ascii: "\\"):
                offset += 1
                if let escaped = try window.byte(offset), escaped.isSpaceEscape { offset += 1 }
            case UInt8(ascii: "%"):
                offset += 3
            case UInt8(ascii: "&"):
                offset += try window.run(from: offset, limit: 7) { $0 != UInt8(ascii: ";") } + 1
            case _ where byte.isOne(of: " \t\r\n\"'+,"):
                offset += 1
            default:
                for header: StaticString in ["Proc-Type:", "Version:", "Comment:"]
                where try window.matches(header, at: offset) {
                    return true
                }
                var isMasked = true
                let run = try window.run(from: offset, limit: 16) {
                    isMasked = isMasked && $0 == Mask.byte
                    return $0.isAlphanumeric || $0.isOne(of: "/+")
                }
                return run == 16 && !isMasked
            }
        }
        return false
    }
}
