// SPDX-License-Identifier: Apache-2.0

// Makes the certificates that Weir shows to clients, one for each host, and keeps them ready to use.

import Crypto
public import FlowModel
public import NIOCore
public import NIOSSL
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif

/// Makes leaves and their server contexts.
///
/// Every leaf of a run has the same P-256 key, made at start. A leaf names the requested host and nothing else; it is
/// made off the event loop, once for all connections that ask together, and kept with its context until it nears its end.
public final class LeafMinter: Sendable {
    private struct Choice: Hashable, Sendable {
        var host: Host
        var alpn: String?
    }

    private let authority: CertificateAuthority
    private let publicKey: Certificate.PublicKey
    private let privateKey: NIOSSLPrivateKey
    private let chainAbove: [NIOSSLCertificate]
    private let contexts: SingleFlightCache<Choice, NIOSSLContext>
    private let clock: @Sendable () -> Date

    public init(
        authority: CertificateAuthority, metrics: any MetricSink = NoSink(), clock: @escaping @Sendable () -> Date
    ) throws {
        let key = P256.Signing.PrivateKey()
        self.authority = authority
        self.clock = clock
        publicKey = Certificate.PublicKey(key.publicKey)
        privateKey = try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)
        chainAbove = try authority.chainAboveLeaf.map(NIOSSLCertificate.init(signed:))
        contexts = SingleFlightCache(
            capacity: TLSLimits.leafContexts, inFlight: TLSLimits.mintsInFlight, metrics: metrics, clock: clock)
    }

    /// A server context for a host that agrees on `alpn`, or on no protocol when it is nil.
    public func context(
        for host: Host, alpn: String?, on loop: any EventLoop
    ) -> EventLoopFuture<NIOSSLContext> {
        contexts.value(for: Choice(host: host, alpn: alpn), on: loop) { [self] in
            let now = clock()
            let leaf = try mint(for: host, now: now)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try [.certificate(NIOSSLCertificate(signed: leaf))]
                    + chainAbove.map { .certificate($0) },
                privateKey: .privateKey(privateKey))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = alpn.map { [$0] } ?? []
            // Renewed after half of its time, so that a client with a fast clock takes it too.
            let until = now.addingTimeInterval(leaf.notValidAfter.timeIntervalSince(now) / 2)
            return .init(value: try NIOSSLContext(configuration: configuration), until: until)
        }
    }

    /// Signs a leaf for a host.
    func mint(for host: Host, now: Date) throws -> Certificate {
        let san: GeneralName
        switch host {
        case .name(let name): san = .dnsName(name.description)
        case .address(let address): san = .ipAddress(ASN1OctetString(contentBytes: address.networkBytes[...]))
        }
        // X.520 limits a common name to 64 characters. Without one the subject is empty, and then RFC 5280 section
        // 4.2.1.6 wants the alternative name critical.
        let hasName = host.description.utf8.count <= 64
        let subject = hasName ? try DistinguishedName { CommonName(host.description) } : DistinguishedName()
        var extensions = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            SubjectKeyIdentifier(hash: publicKey)
            AuthorityKeyIdentifier(keyIdentifier: authority.keyIdentifier)
        }
        try extensions.append(Certificate.Extension(SubjectAlternativeNames([san]), critical: !hasName))
        let end = authority.certificate.notValidAfter
        guard now < end else {
            throw CertificateAuthorityError(
                .expired, authority.description, "the authority has expired during this run",
                advice: "renew it and restart")
        }
        return try authority.sign(
            publicKey: publicKey, subject: subject,
            from: now.addingTimeInterval(-TLSLimits.leafBackdate.seconds),
            until: min(now.addingTimeInterval(TLSLimits.leafLifetime.seconds), end),
            extensions: extensions)
    }
}

extension NIOSSLCertificate {
    fileprivate convenience init(signed certificate: Certificate) throws {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        try self.init(bytes: serializer.serializedBytes, format: .der)
    }
}
