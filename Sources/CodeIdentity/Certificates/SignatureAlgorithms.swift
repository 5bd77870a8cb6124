// SPDX-License-Identifier: Apache-2.0

// The digests and signature algorithms of certificates and CMS.

import Crypto
import SwiftASN1
import X509

/// A digest algorithm of CMS and certificates.
public enum DigestAlgorithm: String, Sendable, Hashable, CaseIterable, Codable {
    case sha1, sha256, sha384, sha512

    /// DER content octets.
    var identifier: [UInt8] {
        switch self {
        case .sha1: ObjectIdentifiers.sha1
        case .sha256: ObjectIdentifiers.sha256
        case .sha384: ObjectIdentifiers.sha384
        case .sha512: ObjectIdentifiers.sha512
        }
    }

    init?(identifier: [UInt8]) {
        guard let found = Self.allCases.first(where: { $0.identifier == identifier }) else { return nil }
        self = found
    }

    func hash(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha384: Array(SHA384.hash(data: bytes))
        case .sha512: Array(SHA512.hash(data: bytes))
        }
    }
}

/// How a signature was made: the kind of key and the digest.
struct SignatureScheme: Hashable, Sendable {
    enum Key: Hashable, Sendable {
        /// PKCS #1 version 1.5.
        case rsa
        case ecdsa
    }

    let key: Key
    let digest: DigestAlgorithm

    /// Nil for an algorithm that Weir cannot check; `rsaEncryption` names no digest, so the caller gives one if it can.
    init?(identifier: [UInt8], digest: DigestAlgorithm? = nil) {
        switch identifier {
        case ObjectIdentifiers.rsaEncryption:
            guard let digest else { return nil }
            (key, self.digest) = (.rsa, digest)
        case ObjectIdentifiers.sha1WithRSA: (key, self.digest) = (.rsa, .sha1)
        case ObjectIdentifiers.sha256WithRSA: (key, self.digest) = (.rsa, .sha256)
        case ObjectIdentifiers.sha384WithRSA: (key, self.digest) = (.rsa, .sha384)
        case ObjectIdentifiers.sha512WithRSA: (key, self.digest) = (.rsa, .sha512)
        case ObjectIdentifiers.ecdsaWithSHA256: (key, self.digest) = (.ecdsa, .sha256)
        case ObjectIdentifiers.ecdsaWithSHA384: (key, self.digest) = (.ecdsa, .sha384)
        case ObjectIdentifiers.ecdsaWithSHA512: (key, self.digest) = (.ecdsa, .sha512)
        default: return nil
        }
    }

    /// Nil for ECDSA with SHA-1, which `init` never makes.
    var x509: Certificate.SignatureAlgorithm? {
        switch (key, digest) {
        case (.rsa, .sha1): .sha1WithRSAEncryption
        case (.rsa, .sha256): .sha256WithRSAEncryption
        case (.rsa, .sha384): .sha384WithRSAEncryption
        case (.rsa, .sha512): .sha512WithRSAEncryption
        case (.ecdsa, .sha1): nil
        case (.ecdsa, .sha256): .ecdsaWithSHA256
        case (.ecdsa, .sha384): .ecdsaWithSHA384
        case (.ecdsa, .sha512): .ecdsaWithSHA512
        }
    }
}

/// An AlgorithmIdentifier whose parameters are absent or NULL, as all algorithms here want them.
struct AlgorithmName: Hashable, Sendable {
    let identifier: [UInt8]
    /// Whether there are other parameters, which no algorithm that Weir checks has.
    let parameterised: Bool

    init(_ node: ASN1Node, or malformed: CodeProblem.Code) throws(CodeProblem) {
        var fields = try ASN1Fields(node, "an AlgorithmIdentifier", or: malformed)
        identifier = try fields.content(.objectIdentifier, "algorithm")
        parameterised = fields.next().map { $0.identifier != .null } ?? false
        try fields.end()
    }

    /// The digest; throws `cmsUnsupported` for another algorithm.
    func digest(at node: ASN1Node) throws(CodeProblem) -> DigestAlgorithm {
        guard !parameterised, let digest = DigestAlgorithm(identifier: identifier) else {
            throw ASN1Fields.problem(
                .cmsUnsupported, node,
                "digest algorithm \(ObjectIdentifiers.text(identifier)); SHA-1 and SHA-2 are known")
        }
        return digest
    }
}
