// SPDX-License-Identifier: Apache-2.0

// International bank account numbers (ISO 13616-1): country, length, groups of four and MOD 97-10.

import FlowModel

/// Confirms IBANs.
///
/// In upper case they are proved, unless most of the account number is letters; in lower or mixed case, or with that
/// many letters, medium.
enum IBAN {
    /// The lengths of the SWIFT IBAN registry.
    private static let lengths: [UInt16: Int] = {
        let registry: [(Int, String)] = [
            (15, "NO"), (16, "BE"), (18, "DK FI FK FO GL NL SD"), (19, "MK SI"), (20, "AT BA EE KZ LT LU MN XK"),
            (21, "CH HR LI LV"), (22, "BG BH CR DE GB GE IE ME RS VA"), (23, "AE GI IL IQ OM SO TL"),
            (24, "AD CZ ES MD PK RO SA SE SK TN VG"), (25, "LY PT ST"), (26, "IS TR"), (27, "BI DJ FR GR IT MC MR SM"),
            (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"), (29, "BR EG PS QA UA"), (30, "JO KW MU YE"), (31, "MT SC"),
            (32, "LC"), (33, "RU"),
        ]
        var lengths: [UInt16: Int] = [:]
        for (length, countries) in registry {
            for country in countries.split(separator: " ") {
                lengths[country.utf8.reduce(0) { $0 << 8 | UInt16($1) }] = length
            }
        }
        return lengths
    }()

    static func confirm(at start: Int, in window: Window) throws(Undecided) -> Match? {
        guard window.isBoundary(before: start), let first = try window.byte(start), first.isLetter,
            let second = try window.byte(start + 1), second.isLetter,
            let length = lengths[UInt16(first & 0xdf) << 8 | UInt16(second & 0xdf)]
        else { return nil }
        guard let tens = try window.byte(start + 2), tens.isDigit, let ones = try window.byte(start + 3), ones.isDigit
        else { return nil }
        let separator = try Separator.read(at: start + 4, in: window)
        var value: [UInt8] = []
        value.reserveCapacity(length)
        var kept: [Int] = []
        var hasLower = false
        var offset = start
        while value.count < length {
            if let separator, value.count > 0, value.count % 4 == 0 {
                guard try window.matches(separator.text, at: offset) else { return nil }
                offset += separator.length
            }
            guard let byte = try window.byte(offset), byte.isAlphanumeric else { return nil }
            hasLower = hasLower || byte.isLetter && !byte.isUpper
            if value.count < 2 || value.count >= length - 4 { kept.append(offset - start) }
            value.append(byte.isLetter ? byte & 0xdf : byte)
            offset += 1
        }
        guard try window.isBoundary(after: offset), remainder(value) == 1 else { return nil }
        let digits = value.dropFirst(4).count { $0.isDigit }
        let isCertain = !hasLower && digits * 2 >= length - 4
        return Match(
            detector: .iban, range: start..<offset, confidence: isCertain ? .proved : .medium,
            masked: Mask.alphanumerics(window.bytes(start..<offset), keeping: kept, separator: separator),
            normalised: value)
    }

    /// ISO 7064 MOD 97-10 of an upper-case IBAN, its first four characters moved to the end.
    private static func remainder(_ value: [UInt8]) -> Int {
        var remainder = 0
        for byte in value.dropFirst(4) + value.prefix(4) {
            remainder = byte.isDigit ? remainder * 10 + Int(byte & 15) : remainder * 100 + Int(byte) - 55
            remainder %= 97
        }
        return remainder
    }
}
