// SPDX-License-Identifier: Apache-2.0

// An authority below an organisation's root: its key is made here and never leaves, and only a request goes out.

import FlowModel
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

extension CertificateAuthority {
    /// A certificate signing request in PEM (PKCS #10) for an authority of this machine.
    ///
    /// Its key is made once, kept as `kind` says, and waits as `ca.new.key` (mode 0600) until `install` brings the certificate; asked again,
    /// the request is for the same key. It asks for what an authority of one machine needs and no more: to sign leaves,
    /// no further authorities (path length 0). Reads and writes files.
    public static func request(
        in directory: String, commonName: String, keptBy kind: AuthorityKeyKind = .file
    ) throws(CertificateAuthorityError) -> String {
        guard !commonName.isEmpty, commonName.unicodeScalars.count <= 64 else {
            throw .init(
                .certificateInvalid, commonName, "this cannot be a common name",
                advice: "give one of 1 to 64 characters (RFC 5280, ub-common-name)")
        }
        let files = AuthorityDirectory(path: directory)
        try files.prepare()
        let lock = try files.lock()
        defer { close(lock) }
        let key: Certificate.PrivateKey
        if let pem = try files.read(files.newKey, secret: true) {
            key = try readKey(pem, path: files.newKey)
        } else {
            let made = try AuthorityKey.make(kind, path: files.newKey)
            try files.write(made.pem + "\n", to: files.newKey, mode: 0o600)
            key = made.key
        }
        do {
            let extensions = try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }
            let request = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName { CommonName(commonName) }, privateKey: key,
                attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: extensions))]))
            return try request.serializeAsPEM().pemString + "\n"
        } catch {
            throw .init(.directoryUnusable, directory, "the request could not be made", advice: "report this")
        }
    }

    /// Puts the certificate of a request into place, and replaces the authority that was there.
    ///
    /// The file holds the certificate of the request first, then each certificate that signed the one before, and last
    /// the root. Nothing is changed unless all of it holds: the key is the request's, the certificate may sign leaves and
    /// no authorities, every signature is good, all are valid at `now`. Should it be interrupted, the same again
    /// completes it. Reads and writes files.
    public static func install(
        certificates file: String, in directory: String, now: Date
    ) throws(CertificateAuthorityError) -> CertificateAuthority {
        let files = AuthorityDirectory(path: directory)
        try files.prepare()
        let lock = try files.lock()
        defer { close(lock) }
        guard let keyPEM = try files.read(files.newKey, secret: true) else {
            throw .init(
                .incomplete, files.newKey, "no request has been made in this directory",
                advice: "run `weir ca csr`, have the request signed, and come back with the certificate")
        }
        let certificates = try AuthorityCertificates(file: file)
        let chain = certificates.chain
        let root = try certificates.root
        for (lower, upper) in zip(chain, chain.dropFirst()) {
            guard lower.issuer == upper.subject, upper.publicKey.isValidSignature(lower.signature, for: lower) else {
                throw .init(
                    .mismatch, file, "\(lower.subject) is not signed by \(upper.subject)",
                    advice: "put the request's certificate first, then each one's signer, and the root last")
            }
        }
        for certificate in chain { try check(certificate, path: file, now: now) }
        let own = certificates.first
        guard chain.count > 1, own.subject != root.certificate.subject else {
            throw .init(
                .notAuthority, file, "there is only a root in it",
                advice: "give the certificate that your root signed for the request, and the root after it")
        }
        guard case .isCertificateAuthority(maxPathLength: 0)? = try? own.extensions.basicConstraints else {
            throw .init(
                .notAuthority, file, "\(own.subject) may sign further authorities",
                advice: "have it signed with path length 0 (basicConstraints CA:TRUE, pathlen:0)")
        }
        var pem = ""
        do {
            for certificate in chain { pem += try certificate.serializeAsPEM().pemString + "\n" }
        } catch {
            throw .init(.certificateInvalid, file, "it cannot be written again", advice: "report this")
        }
        let authority = try CertificateAuthority(
            certificatePEM: pem, keyPEM: keyPEM, certificatePath: file, keyPath: files.newKey, now: now)
        try files.write(pem, to: files.certificate, mode: 0o644)
        try files.write(keyPEM, to: files.key, mode: 0o600)
        unlink(files.newKey)
        return authority
    }

    /// Removes the authority of a directory and a request that is under way; says which files went.
    public static func remove(in directory: String) throws(CertificateAuthorityError) -> [String] {
        let files = AuthorityDirectory(path: directory)
        var removed: [String] = []
        // Keys first: what remains after an interruption must not be able to sign.
        for path in [files.key, files.newKey, files.certificate, files.lockFile] {
            if unlink(path) == 0 {
                removed.append(path)
            } else if errno != ENOENT {
                throw files.unusable(path, "the file cannot be removed")
            }
        }
        return removed
    }

    /// The authority of a directory as it is; nil when there is none.
    ///
    /// Reads files, and makes nothing.
    public static func load(in directory: String, now: Date) throws(CertificateAuthorityError) -> CertificateAuthority?
    {
        let files = AuthorityDirectory(path: directory)
        guard let certificatePEM = try files.read(files.certificate),
            let keyPEM = try files.read(files.key, secret: true)
        else { return nil }
        return try CertificateAuthority(
            certificatePEM: certificatePEM, keyPEM: keyPEM, certificatePath: files.certificate, keyPath: files.key,
            now: now)
    }
}
