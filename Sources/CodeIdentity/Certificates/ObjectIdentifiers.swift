// SPDX-License-Identifier: Apache-2.0

// The object identifiers that certificates and signatures are read by, as DER content octets.

enum ObjectIdentifiers {
    // Name attributes: 2.5.4.N and 0.9.2342.19200300.100.1.1.
    static let commonName: [UInt8] = [0x55, 4, 3]
    static let country: [UInt8] = [0x55, 4, 6]
    static let locality: [UInt8] = [0x55, 4, 7]
    static let stateOrProvince: [UInt8] = [0x55, 4, 8]
    static let organization: [UInt8] = [0x55, 4, 10]
    static let organizationalUnit: [UInt8] = [0x55, 4, 11]
    static let userID: [UInt8] = [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1]

    // Certificate extensions: 2.5.29.N.
    static let subjectKeyIdentifier: [UInt8] = [0x55, 0x1d, 14]
    static let keyUsage: [UInt8] = [0x55, 0x1d, 15]
    static let basicConstraints: [UInt8] = [0x55, 0x1d, 19]
    static let certificatePolicies: [UInt8] = [0x55, 0x1d, 32]
    static let extendedKeyUsage: [UInt8] = [0x55, 0x1d, 37]

    // Extended key usages: 1.3.6.1.5.5.7.3.N.
    static let codeSigning: [UInt8] = [0x2b, 6, 1, 5, 5, 7, 3, 3]
    static let timeStamping: [UInt8] = [0x2b, 6, 1, 5, 5, 7, 3, 8]

    // PKCS #7 and #9: 1.2.840.113549.1.7.N, 1.2.840.113549.1.9.N.
    private static let pkcs: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1]
    static let data = pkcs + [7, 1]
    static let signedData = pkcs + [7, 2]
    static let contentType = pkcs + [9, 3]
    static let messageDigest = pkcs + [9, 4]
    static let signingTime = pkcs + [9, 5]
    static let timestampInfo = pkcs + [9, 16, 1, 4]
    static let timestampToken = pkcs + [9, 16, 2, 14]

    // Apple's: 1.2.840.113635.100.N.
    static let apple: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64]
    static let agilityV1 = apple + [9, 1]
    static let agilityV2 = apple + [9, 2]

    // Signature algorithms: 1.2.840.113549.1.1.N and 1.2.840.10045.4.3.N.
    static let rsaEncryption = pkcs + [1, 1]
    static let sha1WithRSA = pkcs + [1, 5]
    static let sha256WithRSA = pkcs + [1, 11]
    static let sha384WithRSA = pkcs + [1, 12]
    static let sha512WithRSA = pkcs + [1, 13]
    private static let ecdsa: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3]
    static let ecdsaWithSHA256 = ecdsa + [2]
    static let ecdsaWithSHA384 = ecdsa + [3]
    static let ecdsaWithSHA512 = ecdsa + [4]

    // Digests: 1.3.14.3.2.26 and 2.16.840.1.101.3.4.2.N.
    static let sha1: [UInt8] = [0x2b, 14, 3, 2, 26]
    private static let nist: [UInt8] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2]
    static let sha256 = nist + [1]
    static let sha384 = nist + [2]
    static let sha512 = nist + [3]

    /// The identifier as `1.2.840…`; hexadecimal for octets that are none, or whose numbers pass 64 bits.
    static func text(_ content: [UInt8]) -> String {
        var numbers: [UInt64] = []
        var number: UInt64 = 0
        for byte in content {
            guard number <= UInt64.max >> 7 else { return Hexadecimal.text(content) }
            number = number << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 {
                if numbers.isEmpty {
                    // The first two numbers share one: 40 × first + second, where first is at most 2.
                    let first = min(number / 40, 2)
                    numbers = [first, number - 40 * first]
                } else {
                    numbers.append(number)
                }
                number = 0
            }
        }
        guard let last = content.last, last & 0x80 == 0 else { return Hexadecimal.text(content) }
        return numbers.map(String.init).joined(separator: ".")
    }
}
