// SPDX-License-Identifier: Apache-2.0

// Issuer ranges of payment cards and the lengths of their numbers.

/// The lengths that numbers of an issuer have, as sets of bits.
struct CardLengths {
    private let usual: UInt32
    private let rare: UInt32

    private init(_ usual: ClosedRange<Int>..., rare: ClosedRange<Int>...) {
        self.usual = usual.joined().reduce(0) { $0 | 1 << UInt32($1) }
        self.rare = rare.joined().reduce(0) { $0 | 1 << UInt32($1) }
    }

    func isUsual(_ length: Int) -> Bool { usual >> UInt32(length) & 1 == 1 }
    func isAllowed(_ length: Int) -> Bool { (usual | rare) >> UInt32(length) & 1 == 1 }

    private static let visa = CardLengths(16...16, rare: 13...13, 19...19)
    private static let sixteen = CardLengths(16...16)
    private static let sixteenOrMore = CardLengths(16...16, rare: 17...19)
    private static let amex = CardLengths(15...15)
    private static let diners = CardLengths(14...14, rare: 15...19)
    private static let unionPay = CardLengths(16...16, 19...19, rare: 17...18)
    private static let maestro = CardLengths(rare: 13...19)

    /// The lengths for the first four digits of a number; nil when no issuer has them.
    ///
    /// No range begins with 1, 7, 8, 9 or 0: masked numbers begin with 1 for that reason. Maestro has no usual length,
    /// for its ranges cover a tenth of all numbers.
    static func of(prefix: Int) -> CardLengths? {
        switch prefix {
        case 4000...4999: return visa
        case 5100...5599, 2221...2720: return sixteen
        case 3400...3499, 3700...3799: return amex
        case 3000...3059, 3095, 3600...3699, 3800...3999: return diners
        case 6011, 6440...6499, 6500...6599: return sixteenOrMore
        case 3528...3589: return sixteenOrMore
        case 2200...2204: return sixteenOrMore
        case 6000...6099: return sixteenOrMore
        case 6200...6299: return unionPay
        case 5000...5099, 5600...5999, 6100...6999: return maestro
        default: return nil
        }
    }
}
