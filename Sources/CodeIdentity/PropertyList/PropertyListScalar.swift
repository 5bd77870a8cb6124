// SPDX-License-Identifier: Apache-2.0

// Numbers, dates and data as an XML property list writes them.

enum PropertyListScalar {
    /// The value that the content of an element stands for; nil when it is not written as one.
    static func value(of content: ArraySlice<UInt8>, as element: PropertyListElement) -> PropertyListValue? {
        switch element {
        case .integer: integer(content).map { .integer($0) }
        case .real: real(content).map { .real($0) }
        case .date: date(content).map { .date($0) }
        case .data: data(content).map { .data($0) }
        case .plist, .dict, .array, .key, .string, .true, .false: nil
        }
    }

    /// Decimal without leading zeros, which some readers take for octal, or hexadecimal after `0x`; in 64 bits.
    private static func integer(_ content: ArraySlice<UInt8>) -> Int64? {
        var digits = content
        let sign = digits.first
        if sign == 0x2B || sign == 0x2D { digits.removeFirst() }
        let isHexadecimal = digits.starts(with: "0x".utf8) || digits.starts(with: "0X".utf8)
        if isHexadecimal { digits = digits.dropFirst(2) }
        guard let first = digits.first, digits.count <= 19, first != 0x2B, first != 0x2D,
            isHexadecimal || first != 0x30 || digits.count == 1
        else { return nil }
        // With its sign before the digits, so that the smallest number fits.
        let text = (sign == 0x2D ? "-" : "") + String(decoding: digits, as: UTF8.self)
        return Int64(text, radix: isHexadecimal ? 16 : 10)
    }

    /// Decimal, with or without fraction and exponent; neither infinity nor NaN.
    private static func real(_ content: ArraySlice<UInt8>) -> Double? {
        guard content.count <= 64, let last = content.last, isDigit(last),
            content.allSatisfy({ isDigit($0) || "+-.eE".utf8.contains($0) }),
            let value = Double(String(decoding: content, as: UTF8.self)), value.isFinite
        else { return nil }
        return value
    }

    /// `YYYY-MM-DDTHH:MM:SSZ` as seconds since 2001-01-01 00:00:00 UTC.
    private static func date(_ content: ArraySlice<UInt8>) -> Double? {
        let text = Array(content)
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        guard text.count == pattern.count else { return nil }
        for (byte, wanted) in zip(text, pattern) {
            guard wanted == 0x30 ? isDigit(byte) : byte == wanted else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 { text[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        guard
            let time = CivilTime(
                number(0..<4), number(5..<7), number(8..<10), number(11..<13), number(14..<16), number(17..<19)),
            // No date of a property list is a leap second.
            time.second < 60
        else { return nil }
        return Double(time.secondsSince1970 - CivilTime.appleEpoch)
    }

    /// Base64 with white space anywhere, complete padding, and no bits left over.
    private static func data(_ content: ArraySlice<UInt8>) -> [UInt8]? {
        var data: [UInt8] = []
        data.reserveCapacity(content.count / 4 * 3)
        var (bits, digits, padding): (UInt32, Int, Int) = (0, 0, 0)
        for byte in content where !isSpace(byte) {
            if byte == 0x3D {
                padding += 1
                continue
            }
            guard padding == 0, let value = base64(byte) else { return nil }
            bits = bits << 6 | value
            digits += 1
            if digits == 4 {
                data.append(contentsOf: [UInt8(bits >> 16), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)])
                (bits, digits) = (0, 0)
            }
        }
        switch (digits, padding) {
        case (0, 0): break
        case (2, 2) where bits & 0xF == 0: data.append(UInt8(bits >> 4))
        case (3, 1) where bits & 0x3 == 0: data.append(contentsOf: [UInt8(bits >> 10), UInt8(bits >> 2 & 0xFF)])
        default: return nil
        }
        return data
    }

    private static func base64(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte) - 0x41
        case 0x61...0x7A: UInt32(byte) - 0x61 + 26
        case 0x30...0x39: UInt32(byte) - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}
