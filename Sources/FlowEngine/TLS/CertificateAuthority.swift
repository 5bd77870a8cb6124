// SPDX-License-Identifier: Apache-2.0

// The authority that signs Weir's leaves: a certificate and its key, checked before anything is signed.

import Crypto
import FlowModel
import SwiftASN1
public import X509

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif

/// Why there is no certificate authority: what, where, and what to do.
public struct CertificateAuthorityError: Error, Equatable, CustomStringConvertible, Sendable {
    public enum Code: String, Sendable {
        case directoryUnusable = "ca-directory-unusable"
        case directoryExposed = "ca-directory-exposed"
        case incomplete = "ca-incomplete"
        case unreadable = "ca-unreadable"
        case keyExposed = "ca-key-exposed"
        case certificateInvalid = "ca-certificate-invalid"
        case keyInvalid = "ca-key-invalid"
        case mismatch = "ca-mismatch"
        case notAuthority = "ca-not-an-authority"
        case expired = "ca-expired"
        case notYetValid = "ca-not-yet-valid"
        case unsupportedKey = "ca-unsupported-key"
    }

    public let code: Code
    public let path: String
    public let problem: String
    public let advice: String

    init(_ code: Code, _ path: String, _ problem: String, advice: String) {
        self.code = code
        self.path = path
        self.problem = problem
        self.advice = advice
    }

    public var description: String { "\(path): \(problem); \(advice)" }

    /// Only the code and the place decide: sentences may change.
    public static func == (a: Self, b: Self) -> Bool { a.code == b.code && a.path == b.path }
}

/// A certificate authority that may sign leaves now.
///
/// The key never leaves this value, and no description holds it.
public struct CertificateAuthority: Sendable, CustomStringConvertible {
    /// The certificate whose key signs the leaves.
    public let certificate: Certificate
    /// What stands between that certificate and its root, when the file holds more than one certificate.
    public let intermediates: [Certificate]
    private let key: Certificate.PrivateKey

    /// Checks a certificate and its key, both in PEM; `certificatePath` and `keyPath` name them in errors.
    public init(
        certificatePEM: String, keyPEM: String, certificatePath: String, keyPath: String, now: Date
    ) throws(CertificateAuthorityError) {
        let certificates = try AuthorityCertificates(
            pem: certificatePEM, path: certificatePath,
            advice: "restore the file, or move both files away to have a new authority made")
        let first = certificates.first
        let key = try Self.readKey(keyPEM, path: keyPath)
        guard key.publicKey == first.publicKey else {
            throw .init(
                .mismatch, keyPath, "this is not the key of \(certificatePath)",
                advice: "put the key and the certificate that belong together side by side")
        }
        try Self.check(first, path: certificatePath, now: now)
        certificate = first
        intermediates = Array(certificates.chain.dropFirst())
        self.key = key
    }

    private init(certificate: Certificate, key: Certificate.PrivateKey) {
        self.certificate = certificate
        intermediates = []
        self.key = key
    }

    static func readKey(_ pem: String, path: String) throws(CertificateAuthorityError) -> Certificate.PrivateKey {
        let documents = (try? PEMDocument.parseMultiple(pemString: pem)) ?? []
        for document in documents {
            if let sealed = try AuthorityKey.sealed(document, path: path) { return sealed }
        }
        // A key written by `openssl ecparam` has a block of parameters before it.
        guard let document = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }) else {
            throw .init(
                .keyInvalid, path, "there is no private key in PEM in it", advice: "give a PKCS#8, SEC 1 or PKCS#1 key")
        }
        guard !document.discriminator.contains("ENCRYPTED"), !pem.contains("Proc-Type: 4,ENCRYPTED") else {
            throw .init(
                .keyInvalid, path, "the key is encrypted",
                advice: "decrypt it with `openssl pkey` and keep the file readable to its owner only")
        }
        // The library's error is dropped on purpose: it could quote the key.
        guard let key = try? Certificate.PrivateKey(pemDocument: document) else {
            throw .init(
                .keyInvalid, path, "the private key cannot be read",
                advice: "give an EC P-256, EC P-384 or RSA key of 2048 bits or more")
        }
        let isOther = P521.Signing.PublicKey(key.publicKey) != nil || Curve25519.Signing.PublicKey(key.publicKey) != nil
        guard !isOther else {
            throw .init(
                .unsupportedKey, path, "browsers do not take signatures of this kind of key",
                advice: "use an EC P-256, EC P-384 or RSA key")
        }
        return key
    }

    static func check(
        _ certificate: Certificate, path: String, now: Date
    ) throws(CertificateAuthorityError) {
        let usage = try? certificate.extensions.keyUsage
        guard case .isCertificateAuthority? = try? certificate.extensions.basicConstraints, usage?.keyCertSign != false
        else {
            throw .init(
                .notAuthority, path, "this certificate may not sign others",
                advice: "give one with basicConstraints CA:TRUE and keyUsage keyCertSign")
        }
        guard now <= certificate.notValidAfter else {
            throw .init(
                .expired, path, "the authority's certificate has expired",
                advice: "renew it, or move both files away to have a new one made and trust that one")
        }
        guard now >= certificate.notValidBefore else {
            throw .init(
                .notYetValid, path, "the authority's certificate is not valid yet",
                advice: "set the clock of this machine, or wait")
        }
    }

    /// Makes a new root with an own P-256 key.
    ///
    /// Its name holds eight digits of the key's hash, so that two of them can be told apart and nothing of the machine
    /// shows. It may sign leaves only, no further authorities.
    static func make(now: Date) throws -> (authority: CertificateAuthority, keyPEM: String) {
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let id = hex(SHA256.hash(data: publicKey.subjectPublicKeyInfoBytes).prefix(4))
        let name = try DistinguishedName { CommonName("Weir CA \(id)") }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: .random127(),
            publicKey: publicKey,
            notValidBefore: now.addingTimeInterval(-3_600),
            notValidAfter: now.addingTimeInterval(TLSLimits.authorityLifetime.seconds),
            issuer: name,
            subject: name,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key))
        return (CertificateAuthority(certificate: certificate, key: .init(key)), key.pemRepresentation)
    }

    /// Signs a certificate for someone else's key.
    func sign(
        publicKey: Certificate.PublicKey, subject: DistinguishedName, from start: Date, until end: Date,
        extensions: Certificate.Extensions
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: .random127(), publicKey: publicKey, notValidBefore: start, notValidAfter: end,
            issuer: certificate.subject, subject: subject, extensions: extensions, issuerPrivateKey: key)
    }

    /// The key identifier that leaves refer to.
    var keyIdentifier: ArraySlice<UInt8> {
        let own = try? certificate.extensions.subjectKeyIdentifier
        return (own ?? SubjectKeyIdentifier(hash: certificate.publicKey)).keyIdentifier
    }

    /// What a server sends above its leaf: nothing when this is a root, because a client has that or does not trust it.
    var chainAboveLeaf: [Certificate] {
        certificate.subject == certificate.issuer
            ? [] : [certificate] + intermediates.filter { $0.subject != $0.issuer }
    }

    /// The certificate in PEM, for a trust store.
    public var certificatePEM: String { get throws { try certificate.serializeAsPEM().pemString + "\n" } }

    /// The SHA-256 of the certificate in hexadecimal, as trust stores show it.
    public var fingerprint: String {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return hex(SHA256.hash(data: serializer.serializedBytes))
        }
    }

    /// What the certificate says it is, as a distinguished name.
    public var name: String { "\(certificate.subject)" }
    /// Who signed it: itself, for a root.
    public var signer: String { "\(certificate.issuer)" }
    public var expiry: Date { certificate.notValidAfter }

    public var description: String { "\(certificate.subject), valid until \(certificate.notValidAfter)" }
}

extension Certificate.SerialNumber {
    /// A positive serial number with 127 random bits (CA/Browser Forum asks for 64, RFC 5280 allows 20 bytes).
    static func random127() -> Self {
        var generator = SystemRandomNumberGenerator()
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        // Bit 126 is set, so that the first byte is never zero: DER wants the shortest form and a positive number.
        bytes[0] = bytes[0] & 0x7f | 0x40
        return Self(bytes: bytes)
    }
}

/// Bytes in lower-case hexadecimal.
private func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
