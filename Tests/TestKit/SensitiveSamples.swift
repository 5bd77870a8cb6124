// SPDX-License-Identifier: Apache-2.0

// Made-up sensitive values that every check believes.

/// Values for tests: valid in form and check digits, belonging to nobody.
public enum Sample {
    /// The schemes' public test number.
    public static let card = "4111 1111 1111 1111"
    public static let cardUngrouped = "5555555555554444"
    /// The example of the IBAN registry.
    public static let iban = "DE89370400440532013000"
    public static let email = "ada.lovelace@example.com"
    public static let token = gitHubToken("Q7mZx2Lr9TbV4nKc8PfWd3HyJs6GaU")

    /// A private key in the usual armour; the body is no key.
    public static let privateKey: String = {
        let line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWeirTestKeyNobody"
        return armour("BEGIN") + (line + "\n") + (String(line.reversed()) + "\n") + armour("END")
    }()

    // In two parts, so that no scanner takes this file for a leaked key.
    private static func armour(_ word: String) -> String { "-----\(word) PRIVATE" + " KEY-----\n" }

    /// A GitHub personal access token: the CRC-32 of the 30 random characters stands at its end, in base 62.
    public static func gitHubToken(_ random: String) -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var rest = crc32(Array(random.utf8))
        var sum = ""
        for _ in 0..<6 {
            sum = String(alphabet[Int(rest % 62)]) + sum
            rest /= 62
        }
        return "ghp" + "_" + random + sum
    }

    /// CRC-32 as in ISO 3309, bit by bit: the inputs are short.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xedb8_8320 : sum >> 1 }
        }
        return ~sum
    }

    /// Bytes that look random and are the same in every run (SplitMix64).
    public static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            word ^= word >> 31
            withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }
}
