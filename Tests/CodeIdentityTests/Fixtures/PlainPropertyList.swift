// SPDX-License-Identifier: Apache-2.0

// The least reading of a property list that the agility attribute needs, so that these tests stand alone.

@testable import CodeIdentity

/// `<data>` elements of one `cdhashes` array; anything else is not read.
enum PlainPropertyList {
    static func read(_ bytes: [UInt8]) throws(CodeProblem) -> PropertyListValue {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("<key>cdhashes</key>") else { throw CodeProblem(.init("plist"), "no cdhashes") }
        let pieces = text.split(separator: "<data>").dropFirst()
        return .dictionary([
            "cdhashes": .array(pieces.map { .data(decode($0.prefix { $0 != "<" }.utf8)) })
        ])
    }

    static func write(_ hashes: [[UInt8]]) -> [UInt8] {
        let data = hashes.map { "<data>\n\(encode($0))\n</data>\n" }.joined()
        return Array(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n<key>cdhashes</key>\n<array>\n\(data)</array>\n</dict>\n</plist>\n"
                .utf8)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits = 0
        var held = 0
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { continue }
            held = (held << 6 | value) & 0xffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(held >> bits & 0xff))
            }
        }
        return bytes
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for position in 0..<4 {
                text.append(position <= group.count ? alphabet[value >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
