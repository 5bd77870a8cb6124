// SPDX-License-Identifier: Apache-2.0

// The property list of the first agility attribute, as signers write it.

/// `<data>` elements of one `cdhashes` array.
enum PlainPropertyList {
    static func write(_ hashes: [[UInt8]]) -> [UInt8] {
        let data = hashes.map { "<data>\n\(encode($0))\n</data>\n" }.joined()
        return Array(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n<key>cdhashes</key>\n<array>\n\(data)</array>\n</dict>\n</plist>\n"
                .utf8)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

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
