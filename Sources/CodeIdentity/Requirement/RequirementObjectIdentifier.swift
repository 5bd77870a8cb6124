// SPDX-License-Identifier: Apache-2.0

// Object identifiers in requirements: dotted numbers in text, DER content octets in a tree.

/// Converts object identifiers as Apple's requirement compiler and decompiler do (`cssmdata.cpp`).
enum RequirementObjectIdentifier {
    /// The DER content octets of dotted numbers; nil when there is anything but numbers of 64 bits between the dots.
    ///
    /// A single number gives no octets, as with Apple's compiler: no certificate has such an identifier. The first two
    /// are not checked against X.660.
    static func octets(_ text: some Collection<UInt8>) -> [UInt8]? {
        var numbers: [UInt64] = []
        for part in text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !part.isEmpty else { return nil }
            var number: UInt64 = 0
            for digit in part {
                guard (0x30...0x39).contains(digit), let sum = number.times(10, plus: UInt64(digit - 0x30)) else {
                    return nil
                }
                number = sum
            }
            numbers.append(number)
        }
        guard numbers.count > 1 else { return [] }
        guard let first = numbers[0].times(40, plus: numbers[1]) else { return nil }
        return numbers.dropFirst(2).reduce(into: base128(first)) { $0 += base128($1) }
    }

    /// The dotted numbers from which `octets` gives just these octets; nil when there are none.
    ///
    /// No octets are any single number, so `0` stands for them.
    static func text(_ octets: [UInt8]) -> String? {
        if octets.isEmpty { return "0" }
        let numbers = numbers(octets)
        let text = numbers.map { String($0) }.joined(separator: ".")
        return Self.octets(text.utf8) == octets ? text : nil
    }

    /// What Apple's decompiler prints, also for octets that are no identifier.
    static func appleText(_ octets: [UInt8]) -> String {
        let numbers = numbers(octets).map { String($0) }
        // Apple prints the first two into a buffer of ten bytes.
        return ([String(numbers.prefix(2).joined(separator: ".").prefix(9))] + numbers.dropFirst(2))
            .joined(separator: ".")
    }

    private static func numbers(_ octets: [UInt8]) -> [UInt64] {
        var numbers: [UInt64] = []
        var number: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            // Wraps like Apple's; `text` notices and gives nil.
            number = number &* 128 &+ UInt64(octet & 0x7F)
            let last = index == octets.count - 1
            guard octet & 0x80 == 0 || last else { continue }
            // Apple reads the padding after a number that does not end: a zero.
            if octet & 0x80 != 0 { number = number &* 128 }
            if numbers.isEmpty {
                let first = min(number / 40, 2)
                numbers = [first, number - first * 40]
            } else {
                numbers.append(number)
            }
            number = 0
        }
        return numbers
    }

    private static func base128(_ number: UInt64) -> [UInt8] {
        var octets = [UInt8(number & 0x7F)]
        var rest = number >> 7
        while rest > 0 {
            octets.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return octets.reversed()
    }
}

extension UInt64 {
    /// `self * factor + summand`; nil when that does not fit.
    func times(_ factor: UInt64, plus summand: UInt64) -> UInt64? {
        let (product, productOverflow) = multipliedReportingOverflow(by: factor)
        let (sum, sumOverflow) = product.addingReportingOverflow(summand)
        return productOverflow || sumOverflow ? nil : sum
    }
}
