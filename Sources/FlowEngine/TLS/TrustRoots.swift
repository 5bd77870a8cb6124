// SPDX-License-Identifier: Apache-2.0

// The root certificates that upstream chains must lead to.

import FlowModel
import SwiftASN1
import X509

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Why there are no roots: what, where, and what to do.
public struct TrustRootsError: Error, Sendable, CustomStringConvertible {
    public let description: String
}

/// A set of root certificates.
public struct TrustRoots: Sendable {
    let store: CertificateStore
    /// How many there are.
    public let count: Int
    /// How many certificates of the system's bundle could not be read and are not trusted.
    public let skipped: Int

    /// The bundles of Debian and its kin, Fedora and its kin, SUSE, and Alpine and the BSDs.
    public static let systemPaths = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// The roots of the system, and those of a PEM file on top.
    ///
    /// It reads files: call it at start. A certificate of the system that cannot be read is left out, as its issuer is
    /// hardly in use; one in the file that somebody named must be readable.
    public static func system(
        adding extra: String? = nil, paths: [String] = systemPaths
    ) throws(TrustRootsError) -> TrustRoots {
        guard let path = paths.first(where: { access($0, R_OK) == 0 }) else {
            throw TrustRootsError(
                description: "no bundle of root certificates at \(paths.joined(separator: ", ")); "
                    + "install the package ca-certificates")
        }
        let documents = try documents(at: path)
        var certificates = documents.compactMap { try? Certificate(pemDocument: $0) }
        let skipped = documents.count - certificates.count
        if let extra { certificates += try readable(at: extra) }
        return TrustRoots(certificates, skipped: skipped)
    }

    /// Only the roots of a PEM file.
    public static func only(path: String) throws(TrustRootsError) -> TrustRoots {
        TrustRoots(try readable(at: path))
    }

    init(_ certificates: [Certificate], skipped: Int = 0) {
        store = CertificateStore(certificates)
        count = certificates.count
        self.skipped = skipped
    }

    private static func readable(at path: String) throws(TrustRootsError) -> [Certificate] {
        let documents = try documents(at: path)
        guard !documents.isEmpty else {
            throw TrustRootsError(description: "\(path): there is no certificate in it; give certificates in PEM")
        }
        var certificates: [Certificate] = []
        for (index, document) in documents.enumerated() {
            guard let certificate = try? Certificate(pemDocument: document) else {
                throw TrustRootsError(
                    description: "\(path): certificate \(index + 1) of \(documents.count) cannot be read or has a key "
                        + "or signature that Weir does not take; remove or replace it")
            }
            certificates.append(certificate)
        }
        return certificates
    }

    private static func documents(at path: String) throws(TrustRootsError) -> [PEMDocument] {
        guard let file = fopen(path, "re") else {
            throw TrustRootsError(
                description: "\(path): cannot be read: \(String(cString: strerror(errno))); correct the path or its "
                    + "permissions")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&block, 1, block.count, file), count > 0 {
            bytes += block[..<count]
            guard bytes.count <= TLSLimits.rootsFile.value else {
                throw TrustRootsError(
                    description: "\(path): larger than \(TLSLimits.rootsFile.value) bytes; give a bundle of roots only")
            }
        }
        do {
            return try PEMDocument.parseMultiple(pemString: String(decoding: bytes, as: UTF8.self))
                .filter { ["CERTIFICATE", "X509 CERTIFICATE"].contains($0.discriminator) }
                .map { PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: $0.derBytes) }
        } catch {
            throw TrustRootsError(description: "\(path): this is not PEM; give certificates in PEM")
        }
    }
}
