// SPDX-License-Identifier: Apache-2.0

// Asks whether the certificates of a trusted path were revoked: by list where there is one, else by OCSP.

public import FlowModel
import SwiftASN1
import Synchronization
@_spi(FixedExpiryValidationTime) import X509

#if canImport(FoundationEssentials)
import struct FoundationEssentials.Date
#else
import struct Foundation.Date
#endif

/// One question to a certificate authority's server.
public struct RevocationRequest: Sendable {
    /// Always `http://`: the answers are signed, and `https` would need a judged chain to judge a chain.
    public let url: String
    /// What to POST as `application/ocsp-request`; nil for a GET.
    public let body: [UInt8]?
    /// How long it may take, and how much it may return; beyond either the fetch fails.
    public let deadline: Limit
    public let size: Limit
}

/// Fetches answers about revocation over plain HTTP; the program supplies it.
public protocol RevocationFetcher: Sendable {
    /// The body of a response of status 200, and nothing else; it follows no redirect and obeys both limits.
    func fetch(_ request: RevocationRequest) async throws -> [UInt8]
}

/// Looks up revocation, bounded and failing softly.
///
/// Lists come first: they are shared by many hosts, and an OCSP question tells the authority (and whoever listens) which
/// host is visited. Only the URLs of certificates under a trusted root are ever asked.
struct RevocationCheck: Sendable {
    enum Status: Sendable {
        case notRevoked
        case unknown(Reason)
        case revoked(TrustProblem)
    }

    private enum Listing: Sendable {
        case list(RevocationList)
        case unusable
    }

    /// A list counts for the issuer whose key signed it, so another authority that names its URL gets an own entry.
    private struct Source: Hashable, Sendable {
        var url: String
        var issuer: Certificate
    }

    private let fetcher: any RevocationFetcher
    private let metrics: any MetricSink
    private let lists: SingleFlightCache<Source, Listing>

    init(fetcher: any RevocationFetcher, metrics: any MetricSink, clock: @escaping @Sendable () -> Date) {
        self.fetcher = fetcher
        self.metrics = metrics
        lists = SingleFlightCache(
            capacity: TLSLimits.revocationLists, inFlight: TLSLimits.listsInFlight, metrics: metrics, clock: clock)
    }

    /// The status of a path from a certificate to its root.
    func status(of path: UnverifiedCertificateChain, now: Date) async -> Status {
        let revoked = Status.revoked(TrustProblem(.revoked, "a certificate of the chain has been revoked"))
        var mustAsk = false
        var cannotAsk = false
        for (certificate, issuer) in zip(path, path.dropFirst()) {
            let urls = RevocationList.urls(of: certificate)
            if let url = urls.first {
                let listing = await listing(at: url, issuer: issuer, now: now)
                if case .list(let list) = listing, list.covers(certificate) {
                    if list.contains(certificate.serialNumber) { return revoked }
                    continue
                }
            }
            if hasResponder(certificate) { mustAsk = true } else if !urls.isEmpty { cannotAsk = true }
        }
        if mustAsk {
            // The library calls a root with a responder a fault, and revocation would be indistinguishable from it.
            if let root = path.last, hasResponder(root) { return unknown() }
            let requester = Requester(fetcher: fetcher)
            var policy = OCSPVerifierPolicy(failureMode: .soft, requester: requester, fixedExpiryValidationTime: now)
            if case .failsToMeetPolicy = await policy.chainMeetsPolicyRequirements(chain: path) { return revoked }
            if requester.hasFailed { cannotAsk = true }
        }
        return cannotAsk ? unknown() : .notRevoked
    }

    private func unknown() -> Status {
        metrics.add(TLSLimits.revocationFetch.metric, 1)
        return .unknown(Reason("revocation-unknown", "no usable answer on whether the certificate was revoked"))
    }

    private func hasResponder(_ certificate: Certificate) -> Bool {
        guard let access = try? certificate.extensions.authorityInformationAccess else { return false }
        return access.contains { $0.method == .ocspServer }
    }

    private func listing(at url: String, issuer: Certificate, now: Date) async -> Listing {
        let made = try? await lists.value(for: Source(url: url, issuer: issuer)) { [fetcher] in
            let request = RevocationRequest(
                url: url, body: nil, deadline: TLSLimits.revocationFetch, size: TLSLimits.revocationList)
            guard let bytes = try? await fetcher.fetch(request), bytes.count <= request.size.value,
                let list = try? RevocationList(der: bytes, url: url, issuer: issuer, now: now)
            else {
                return .init(
                    value: .unusable, until: now.addingTimeInterval(TLSLimits.uncertainVerdictAge.seconds))
            }
            return .init(value: .list(list), until: list.nextUpdate)
        }
        return made ?? .unusable
    }

    /// Hands the library's OCSP questions to the fetcher, and remembers whether one went unanswered.
    private final class Requester: OCSPRequester {
        private struct Unanswered: Error {}
        private let fetcher: any RevocationFetcher
        private let failed = Atomic(false)

        init(fetcher: any RevocationFetcher) { self.fetcher = fetcher }

        var hasFailed: Bool { failed.load(ordering: .relaxed) }

        func query(request: [UInt8], uri: String) async -> OCSPRequesterQueryResult {
            let question = RevocationRequest(
                url: uri, body: request, deadline: TLSLimits.revocationFetch, size: TLSLimits.ocspResponse)
            guard uri.lowercased().hasPrefix("http://"), let answer = try? await fetcher.fetch(question),
                answer.count <= question.size.value, isSuccess(answer)
            else {
                failed.store(true, ordering: .relaxed)
                return .nonTerminalError(Unanswered())
            }
            return .response(answer)
        }

        /// Whether an OCSPResponse begins with the status `successful` (RFC 6960 section 4.2.1).
        private func isSuccess(_ bytes: [UInt8]) -> Bool {
            guard let node = try? DER.parse(bytes), case .constructed(let fields) = node.content,
                let status = fields.first(where: { _ in true }), status.identifier == .enumerated,
                case .primitive(let value) = status.content
            else { return false }
            return value.elementsEqual([0])
        }
    }
}
