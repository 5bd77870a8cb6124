// SPDX-License-Identifier: Apache-2.0

// Judges upstream chains with swift-certificates: on every system that has no judge of its own.

import Crypto
public import FlowModel
public import NIOCore
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif

/// Trusts what leads to a given root by RFC 5280, names the host in a subject alternative name, and is not weak.
///
/// Verdicts are kept for each chain and host, for a time. Revocation is asked about when there is a fetcher; no answer
/// leaves the verdict good, with a note.
public final class X509UpstreamTrust: UpstreamTrust {
    private struct Subject: Hashable, Sendable {
        var chain: SHA256Digest
        var host: Host
    }

    private let roots: TrustRoots
    private let revocation: RevocationCheck?
    private let verdicts: SingleFlightCache<Subject, TrustVerdict>
    private let clock: @Sendable () -> Date
    private let metrics: any MetricSink

    public init(
        roots: TrustRoots, revocation fetcher: (any RevocationFetcher)? = nil, metrics: any MetricSink = NoSink(),
        clock: @escaping @Sendable () -> Date
    ) {
        self.roots = roots
        self.clock = clock
        self.metrics = metrics
        revocation = fetcher.map { RevocationCheck(fetcher: $0, metrics: metrics, clock: clock) }
        verdicts = SingleFlightCache(
            capacity: TLSLimits.verdicts, inFlight: TLSLimits.judgementsInFlight, metrics: metrics, clock: clock)
    }

    public func judge(chain: [[UInt8]], host: Host, on loop: any EventLoop) -> EventLoopFuture<TrustVerdict> {
        if let problem = problemOfSize(chain) { return loop.makeSucceededFuture(.bad(problem)) }
        var hash = SHA256()
        for certificate in chain {
            // The length goes first, so that two chains cut differently from the same bytes stay two chains.
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: certificate.count)) { hash.update(bufferPointer: $0) }
            hash.update(data: certificate)
        }
        return verdicts.value(for: Subject(chain: hash.finalize(), host: host), on: loop) { [self] in
            let now = clock()
            let verdict = await verdict(on: chain, host: host, now: now)
            return .init(value: verdict, until: Self.expiry(of: verdict, now: now))
        }.flatMapErrorThrowing { error in
            .bad(TrustProblem(.notJudged, "the certificate could not be judged: \(error)"))
        }
    }

    private func problemOfSize(_ chain: [[UInt8]]) -> TrustProblem? {
        if chain.isEmpty { return TrustProblem(.noCertificate, "the server sent no certificate") }
        let isTooLong =
            chain.count > TLSLimits.chainCertificates.value
            || chain.reduce(0, { $0 + $1.count }) > TLSLimits.chainBytes.value
        guard isTooLong else { return nil }
        metrics.add(TLSLimits.chainBytes.metric, 1)
        return TrustProblem(.chainTooLong, "the server sent more certificates than any honest server does")
    }

    private static func expiry(of verdict: TrustVerdict, now: Date) -> Date {
        switch verdict {
        case .good(let validUntil, let notes):
            let age = notes.isEmpty ? TLSLimits.goodVerdictAge : TLSLimits.uncertainVerdictAge
            return min(validUntil, now.addingTimeInterval(age.seconds))
        case .bad: return now.addingTimeInterval(TLSLimits.badVerdictAge.seconds)
        }
    }

    /// Judges without the cache: the certificate by itself first, because its own faults explain most, then its path.
    func verdict(on chain: [[UInt8]], host: Host, now: Date) async -> TrustVerdict {
        let leaf: Certificate
        do {
            leaf = try Self.certificate(chain.first ?? [])
        } catch {
            return .bad(error)
        }
        let place = "the certificate"
        let own =
            ChainPolicy.validityProblem(of: leaf, place, now: now) ?? ServerNameMatch.problem(of: leaf, for: host)
            ?? ChainPolicy.usageProblem(of: leaf, place)
        if let own { return .bad(own) }

        var intermediates: [Certificate] = []
        var unreadable: TrustProblem?
        for bytes in chain.dropFirst() {
            do {
                intermediates.append(try Self.certificate(bytes))
            } catch {
                // Perhaps it is not needed: servers send old roots along. It only explains why there is no path.
                unreadable = unreadable ?? error
            }
        }
        let findings = ChainPolicy.Findings()
        var verifier = Verifier(rootCertificates: roots.store) { ChainPolicy(now: now, findings: findings) }
        let known = verifier.policy.verifyingCriticalExtensions
        let result = await verifier.validate(
            leaf: leaf, intermediates: CertificateStore(custom: BoundedIntermediates(intermediates)))
        guard case .validCertificate = result, let path = findings.path else {
            return .bad(findings.problem ?? unreadable ?? Self.whyNoPath(leaf, knownExtensions: known))
        }
        let validUntil = path.map(\.notValidAfter).min() ?? now
        switch await revocation?.status(of: path, now: now) {
        case nil, .notRevoked: return .good(validUntil: validUntil, notes: [])
        case .unknown(let note): return .good(validUntil: validUntil, notes: [note])
        case .revoked(let problem): return .bad(problem)
        }
    }

    private static func certificate(_ bytes: [UInt8]) throws(TrustProblem) -> Certificate {
        do {
            return try Certificate(derEncoded: bytes)
        } catch CryptoKitError.incorrectParameterSize {
            // What the library says of RSA keys under 2048 bits.
            throw TrustProblem(.weakKey, "a certificate has a key that is too short to be safe")
        } catch {
            throw TrustProblem(.unreadable, "a certificate cannot be read, or has a kind of key or signature not known")
        }
    }

    private static func whyNoPath(_ leaf: Certificate, knownExtensions: some Collection<ASN1ObjectIdentifier>)
        -> TrustProblem
    {
        if leaf.extensions.contains(where: { $0.critical && !knownExtensions.contains($0.oid) }) {
            return TrustProblem(.unknownExtension, "the certificate has a critical extension that is not understood")
        }
        if leaf.subject == leaf.issuer {
            return TrustProblem(.selfSigned, "the certificate is signed by itself and not trusted")
        }
        return TrustProblem(
            .unknownIssuer,
            "no path leads to a trusted root: the issuer is not trusted, or the server left out an "
                + "intermediate certificate")
    }
}
