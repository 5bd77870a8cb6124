// SPDX-License-Identifier: Apache-2.0

// The certificates of an authority as a file brings them: its own first, its root last.

internal import FlowModel
internal import SwiftASN1
public import X509

/// Certificates in PEM, in the order of the file.
public struct AuthorityCertificates: Sendable {
    /// What comes first in the file; never missing.
    let first: Certificate
    /// All of them, `first` included.
    let chain: [Certificate]

    /// Reads a file; throws when it cannot be read, or holds no certificate or one that cannot be read.
    public init(file: String) throws(CertificateAuthorityError) {
        guard let text = try AuthorityDirectory(path: file).read(file) else {
            throw .init(.unreadable, file, "there is no such file", advice: "name a file with certificates in PEM")
        }
        try self.init(pem: text, path: file, advice: "give it as your authority made it")
    }

    init(pem text: String, path: String, advice: String) throws(CertificateAuthorityError) {
        do {
            chain = try PEMDocument.parseMultiple(pemString: text)
                .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
                .map { try Certificate(pemDocument: $0) }
        } catch {
            throw .init(.certificateInvalid, path, "not a readable X.509 certificate in PEM", advice: advice)
        }
        guard let first = chain.first, chain.count <= TLSLimits.chainCertificates.value else {
            let most = TLSLimits.chainCertificates
            let problem = chain.isEmpty ? "there is no certificate in it" : "more certificates than \(most.name)"
            throw .init(.certificateInvalid, path, problem, advice: advice)
        }
        self.first = first
    }

    /// A certificate with its bytes.
    public struct Root: Sendable {
        public let certificate: Certificate
        public let der: [UInt8]
    }

    /// The last certificate, which must sign itself and may sign others: what a Mac is told to trust.
    public var root: Root {
        get throws(CertificateAuthorityError) {
            guard let last = chain.last, last.issuer == last.subject,
                last.publicKey.isValidSignature(last.signature, for: last),
                case .isCertificateAuthority? = try? last.extensions.basicConstraints
            else {
                throw .init(
                    .notAuthority, "\(chain.last.map { "\($0.subject)" } ?? "")", "this is not a root",
                    advice: "give the certificate of the authority that signs itself")
            }
            var serializer = DER.Serializer()
            guard (try? serializer.serialize(last)) != nil else {
                throw .init(.certificateInvalid, "\(last.subject)", "it cannot be written", advice: "report this")
            }
            return Root(certificate: last, der: serializer.serializedBytes)
        }
    }
}
