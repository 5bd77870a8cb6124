// SPDX-License-Identifier: Apache-2.0

// Same-length masks that no detector takes for data again.

/// The ways to mask.
enum Mask {
    /// Valid in JSON strings, XML, forms, CSV and source code, and part of no trigger.
    static let byte = UInt8(ascii: "X")

    static func all(_ bytes: some Collection<UInt8>) -> [UInt8] { Array(repeating: byte, count: bytes.count) }

    /// Masks letters and digits but for those at the indices in `keeping`; separators stay as they are.
    static func alphanumerics(
        _ bytes: [UInt8], keeping: some Collection<Int>, separator: Separator? = nil
    ) -> [UInt8] {
        var masked = bytes
        var index = 0
        while index < bytes.count {
            if bytes[index].isAlphanumeric {
                if !keeping.contains(index) { masked[index] = byte }
                index += 1
            } else {
                index += separator?.length ?? 1
            }
        }
        return masked
    }

    /// Masks all but the last four digits of a card number.
    ///
    /// A JSON number stays one: it may not begin with 0, and no issuer's numbers begin with 1.
    static func card(_ bytes: [UInt8], asNumber: Bool) -> [UInt8] {
        if asNumber {
            return [UInt8(ascii: "1")] + Array(repeating: UInt8(ascii: "0"), count: bytes.count - 5) + bytes.suffix(4)
        }
        let digits = bytes.indices.filter { index in
            // The digits of a `%20` are not of the number.
            let isEscape =
                (index >= 1 && bytes[index - 1] == UInt8(ascii: "%"))
                || (index >= 2 && bytes[index - 2] == UInt8(ascii: "%"))
            return bytes[index].isDigit && !isEscape
        }
        var masked = bytes
        for index in digits.dropLast(4) { masked[index] = byte }
        return masked
    }
}
