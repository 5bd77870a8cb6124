// SPDX-License-Identifier: Apache-2.0

// Writes ASN.1 by hand, so that fixtures can be wrong in any way a test wants.

enum DERWriter {
    static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xff), at: 0)
            rest >>= 8
        }
        if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { value(0x30, parts.flatMap(\.self)) }
    static func set(_ parts: [UInt8]...) -> [UInt8] { value(0x31, parts.flatMap(\.self)) }
    static func oid(_ content: [UInt8]) -> [UInt8] { value(6, content) }
    static func octets(_ content: [UInt8]) -> [UInt8] { value(4, content) }
    static func bits(_ content: [UInt8]) -> [UInt8] { value(3, [0] + content) }
    static func integer(_ small: UInt8) -> [UInt8] { value(2, small < 0x80 ? [small] : [0, small]) }
    static func utf8(_ text: String) -> [UInt8] { value(12, Array(text.utf8)) }
    static let null: [UInt8] = [5, 0]
    static let yes: [UInt8] = [1, 1, 0xff]

    /// `[number]`, constructed.
    static func context(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { value(0xa0 | number, content) }

    /// `YYMMDDHHMMSSZ` as UTCTime, `YYYYMMDDHHMMSSZ` as GeneralizedTime.
    static func time(_ text: String) -> [UInt8] { value(text.utf8.count == 13 ? 23 : 24, Array(text.utf8)) }

    /// Constructed with BER's indefinite length.
    static func indefinite(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag, 0x80] + content + [0, 0] }
}
