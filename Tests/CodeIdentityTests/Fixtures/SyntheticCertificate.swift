// SPDX-License-Identifier: Apache-2.0

// Certificates made for tests: any names, marks, keys and dates, right or wrong.

import Crypto
import SwiftASN1
import X509

@testable import CodeIdentity

/// A key pair of a fixture.
struct SyntheticKey: Sendable {
    let key: Certificate.PrivateKey
    let isRSA: Bool

    /// A new P-256 key.
    static func p256() -> SyntheticKey { SyntheticKey(key: .init(P256.Signing.PrivateKey()), isRSA: false) }

    /// RSA with 2048 bits, always the same, made for these tests and used for nothing else.
    static func rsa() throws -> SyntheticKey {
        let label = "PRIVATE KEY"
        return SyntheticKey(
            key: try .init(pemEncoded: "-----BEGIN \(label)-----\n\(rsaKey)\n-----END \(label)-----"), isRSA: true)
    }

    /// SubjectPublicKeyInfo.
    func keyInfo() throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(key.publicKey)
        return serializer.serializedBytes
    }

    func sign(_ bytes: [UInt8], sha1: Bool = false) throws -> [UInt8] {
        let algorithm: Certificate.SignatureAlgorithm =
            isRSA ? (sha1 ? .sha1WithRSAEncryption : .sha256WithRSAEncryption) : .ecdsaWithSHA256
        return try key.sign(bytes: bytes, signatureAlgorithm: algorithm).rawRepresentation
    }

    func algorithm(sha1: Bool = false) -> [UInt8] {
        guard isRSA else { return DERWriter.sequence(DERWriter.oid(ObjectIdentifiers.ecdsaWithSHA256)) }
        return DERWriter.sequence(
            DERWriter.oid(sha1 ? ObjectIdentifiers.sha1WithRSA : ObjectIdentifiers.sha256WithRSA), DERWriter.null)
    }

    private static let rsaKey = """
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDGsf2RKYFTkYJL
        Kg/Z5tj9iQkxqNmrjefMbEdXs4mnJxpShcHa9XzNAuYqMf0wE+GX9upMPbfYls48
        lU5Lz23nkxPJO4iwt1YaomlBHtuT2KsrWyMWvBB4YMP3AAKU6QqXXDxb2rs4xJ+H
        XB46p0iNXcuGdRbH/czjCZnEiKc5s12M7Kmvv3EeVHnCxkGQZxYZOcRyNO6k0FwL
        2S7xw2wlB6eqLpaWn5x+yqw6JJmoiOzH+WX3ecfGp6KHO/98w0fzFcF1JkTypvLH
        f9ACy2DgYWpWmaeud34HoRmbpq1b1WDen/3vd5NmQvneFbO18fY70UXUrxHRGVcz
        f4ZhoRBDAgMBAAECggEAMm2QFlx7VzNR5zO4rCv7nHVAIRtiizjLwMUmYirN3997
        vb/20FSHpRx8P+9J+/6/varMEieD1nOHyjZ2laUClshsOCFk8rzFHKNlpUJopiBS
        aQGLaUS3xWWBttmIzjRLHNkq9IESDTlR56/IeEhmkIJimjBzZLSUYHbaUNgB4RGj
        C0xYvgcSXMrQUlk91BbNWfCgk3rGvfYeu05LcBMEPp2WoEW+9gJSo1O2Gsq1tpCC
        stst+/CF8NByiE+fHlYIbcgWvSJ4IA13QNfjC9IjLaXEiUoo/f88LrOcSQKV3SAu
        dXAJuf6X3pQOVHt52bd/YIaHOYRU+6KuR/ePcaugoQKBgQDxEzGMNtgQLs3YxCwp
        Qftt6nmI++zOebdQb98zS8Tpuy4swIGnq5q9ii9WhRr1Z6XP1Xwb50L8W0Gp0l5T
        ghl30PoT+DxjRnDSw2Wg+a1u3wiWpr1ykXi1YgRhU7f7GwNOaE6CmMx6OuETC7Jg
        wvUn/JVOC4cd5yyfckWjSiLIUwKBgQDS/x6WTU3BEgufHUSIfKVKMXXHEq46C3ik
        5eJUshG2bPYK0lY/P3cvnDXazTRcCMSOxio53r1AxXn1jhfnsn3/imfTJYEgMtvl
        1Tv4CEh0ngtkOUq5/10ov/cFAuu2Xfh6sk4bzjiu3E3dJd9LS/0kj1S4e0TB2NiC
        tQX/VLPaUQKBgAqfledf41WTOm769hc7WSEW3BQ1RdIzeuiIhYV1KVBDd11xfkUt
        Qrxngn6FjxKRZrUp6zYvkrwcKWCabJ2xdf3Zr6uBnOejCwW+ppPZbNMd8Pryjham
        YnNbxmWjks/1+MdTwWHv6dLZFWIJeerZrIP+lXXC/ElNDqJYHsl7Ut0RAoGARQXe
        PK73M6Sylo+dfsS/0aCSddgflK9x/QeS3cAO2U2Vw36BZlldpP6GA5jDeyQHIOmk
        oJ/D629ucSzVlx8l5rWhN0p6jkz08J+r6XzULwoQke3IC0aFdDIwHbyR3WuqQIEZ
        2jDBDDrXYfPksx4dppsYzOzOVleYpFGRr7BG0bECgYEAhRpz2/zDGM7rE/aHBFk0
        ActTW6IaXMDotKn/PX93JuJ1GvcAv0gUDwSPOSiOC+DNeO+UnyeYlv2osiS95u2A
        Oz6zctCWDiLCCzT9w2YUdX7nn7yMEajv0QtIaiDgZM1I7iY7ayxjaSTcRDHnHo/d
        Y12F/YE+AD2LHtdHr8+fFe8=
        """
}

/// One certificate of a fixture, before it is signed.
struct SyntheticCertificate: Sendable {
    var subject: [(type: [UInt8], text: String)]
    var serial: UInt8 = 1
    var notBefore = "200101000000Z"
    var notAfter = "300101000000Z"
    var extensions: [[UInt8]]
    var key: SyntheticKey
    /// Stands for the key in the certificate when it is to be another than `key`.
    var keyInfo: [UInt8]?
    var sha1 = false

    var name: [UInt8] {
        DERWriter.value(
            0x30,
            subject.flatMap {
                DERWriter.set(DERWriter.sequence(DERWriter.oid($0.type), DERWriter.utf8($0.text)))
            })
    }

    func issuerAndSerial(_ issuer: SyntheticCertificate) -> [UInt8] {
        DERWriter.sequence(issuer.name, DERWriter.integer(serial))
    }

    /// The certificate, signed by the issuer's key.
    func der(by issuer: SyntheticCertificate) throws -> [UInt8] {
        let algorithm = issuer.key.algorithm(sha1: sha1)
        let body = DERWriter.sequence(
            DERWriter.context(0, DERWriter.integer(2)), DERWriter.integer(serial), algorithm, issuer.name,
            DERWriter.sequence(DERWriter.time(notBefore), DERWriter.time(notAfter)), name,
            try keyInfo ?? key.keyInfo(), DERWriter.context(3, DERWriter.value(0x30, extensions.flatMap(\.self))))
        return DERWriter.sequence(body, algorithm, DERWriter.bits(try issuer.key.sign(body, sha1: sha1)))
    }

    func der() throws -> [UInt8] { try der(by: self) }

    /// SubjectPublicKeyInfo with an RSA modulus of 1024 bits, which X509 refuses.
    static var weakKeyInfo: [UInt8] {
        let modulus: [UInt8] = [0, 0xc1] + Array(repeating: 0x5b, count: 127)
        let key = DERWriter.sequence(DERWriter.value(2, modulus), DERWriter.value(2, [1, 0, 1]))
        return DERWriter.sequence(
            DERWriter.sequence(DERWriter.oid(ObjectIdentifiers.rsaEncryption), DERWriter.null), DERWriter.bits(key))
    }

    static func authority(
        _ name: String, organization: String = "Apple Inc.", markers: [[UInt8]] = [], key: SyntheticKey
    ) -> SyntheticCertificate {
        SyntheticCertificate(
            subject: [(ObjectIdentifiers.commonName, name), (ObjectIdentifiers.organization, organization)],
            extensions: [basicConstraints(), keyUsage([0x06])] + markers.map { mark($0) }, key: key)
    }

    static func leaf(
        _ name: String, usage: [UInt8], units: [String] = [], markers: [[UInt8]] = [], key: SyntheticKey
    ) -> SyntheticCertificate {
        SyntheticCertificate(
            subject: [(ObjectIdentifiers.commonName, name)] + units.map { (ObjectIdentifiers.organizationalUnit, $0) },
            extensions: [keyUsage([0x80]), extendedKeyUsage(usage)] + markers.map { mark($0, critical: true) },
            key: key)
    }

    static func attach(_ type: [UInt8], critical: Bool = false, _ value: [UInt8]) -> [UInt8] {
        DERWriter.sequence(DERWriter.oid(type), critical ? DERWriter.yes : [], DERWriter.octets(value))
    }

    static func mark(_ type: [UInt8], critical: Bool = false) -> [UInt8] {
        attach(type, critical: critical, DERWriter.null)
    }

    static func basicConstraints(pathLength: UInt8? = nil) -> [UInt8] {
        attach(
            ObjectIdentifiers.basicConstraints, critical: true,
            DERWriter.sequence(DERWriter.yes, pathLength.map(DERWriter.integer) ?? []))
    }

    static func keyUsage(_ bits: [UInt8]) -> [UInt8] {
        attach(ObjectIdentifiers.keyUsage, critical: true, DERWriter.bits(bits))
    }

    static func extendedKeyUsage(_ usage: [UInt8]) -> [UInt8] {
        attach(ObjectIdentifiers.extendedKeyUsage, critical: true, DERWriter.sequence(DERWriter.oid(usage)))
    }

    static func subjectKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
        attach(ObjectIdentifiers.subjectKeyIdentifier, DERWriter.octets(identifier))
    }
}
