// SPDX-License-Identifier: Apache-2.0

// The private key of an authority: made here, and kept as a file or by the machine's Secure Enclave.

internal import Crypto
internal import SwiftASN1
internal import X509

/// Who keeps the private key of an authority.
public enum AuthorityKeyKind: String, Sendable, CaseIterable {
    /// A file that only its owner can read.
    case file
    /// The Secure Enclave of a Mac: the file holds what opens the key on that Mac alone, and the key never leaves.
    case enclave
}

/// Makes and reads keys.
enum AuthorityKey {
    /// The label of a block that only the enclave that wrote it can use.
    static let enclaveLabel = "WEIR SECURE ENCLAVE KEY"

    /// A fresh P-256 key, and what is written down of it.
    static func make(
        _ kind: AuthorityKeyKind, path: String
    ) throws(CertificateAuthorityError) -> (key: Certificate.PrivateKey, pem: String) {
        switch kind {
        case .file:
            let key = P256.Signing.PrivateKey()
            return (Certificate.PrivateKey(key), key.pemRepresentation)
        case .enclave:
            guard let made = try? EnclaveKey.make() else { throw unavailable(path) }
            return (made.key, PEMDocument(type: enclaveLabel, derBytes: made.sealed).pemString)
        }
    }

    /// The key behind a block of the enclave's; nil when the block is another.
    static func sealed(
        _ document: PEMDocument, path: String
    ) throws(CertificateAuthorityError) -> Certificate.PrivateKey? {
        guard document.discriminator == enclaveLabel else { return nil }
        guard let key = try? EnclaveKey.open(document.derBytes) else { throw unavailable(path) }
        return key
    }

    private static func unavailable(_ path: String) -> CertificateAuthorityError {
        .init(
            .keyInvalid, path, "the Secure Enclave of this machine cannot make or open the key",
            advice: "run it on the Mac that made the key; elsewhere use a key in a file")
    }
}
