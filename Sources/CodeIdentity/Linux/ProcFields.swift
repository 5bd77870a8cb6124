// SPDX-License-Identifier: Apache-2.0

// Numbers and lines of the text files in /proc.

enum ProcFields {
    /// A decimal number; nil for anything else, an empty field or overflow included.
    static func decimal(_ field: ArraySlice<UInt8>) -> UInt64? { number(field, radix: 10) }

    /// A hexadecimal number in lower case, without a prefix.
    static func hexadecimal(_ field: ArraySlice<UInt8>) -> UInt64? { number(field, radix: 16) }

    private static func number(_ field: ArraySlice<UInt8>, radix: UInt64) -> UInt64? {
        guard !field.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in field {
            let digit: UInt64
            switch byte {
            case 0x30...0x39: digit = UInt64(byte - 0x30)
            case 0x61...0x66: digit = UInt64(byte - 0x57)
            default: return nil
            }
            guard digit < radix else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, more) = shifted.addingReportingOverflow(digit)
            if overflow || more { return nil }
            value = sum
        }
        return value
    }

    /// The fields between runs of blanks.
    static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        line.split { $0 == 0x20 || $0 == 0x09 }
    }

    static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension Collection<UInt8> {
    /// Whether the bytes begin with the UTF-8 of `text`.
    func begins(with text: StaticString) -> Bool {
        text.withUTF8Buffer { starts(with: $0) }
    }
}
