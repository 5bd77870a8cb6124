// SPDX-License-Identifier: Apache-2.0

// The client side of a takeover: TLS to the origin, with trust decided by us.

public import FlowModel
import NIOCore
public import NIOSSL

/// What is offered to the origin by ALPN.
public enum UpstreamALPN: Hashable, Sendable, CaseIterable {
    /// No such extension, as when the client sent none.
    case none
    case http1

    var protocols: [String] {
        switch self {
        case .none: []
        case .http1: ["http/1.1"]
        }
    }
}

/// Makes TLS handlers towards origins from a few contexts, all made at start.
///
/// NIOSSL's own judgement is off (it takes names from a common name, and short keys): every chain goes to an
/// `UpstreamTrust`. An origin that asks for a client certificate ends the handshake with `clientCertificateWanted`, also
/// one that would go on without: only the client knows whether it has one.
public struct UpstreamTLS: Sendable {
    private let contexts: [UpstreamALPN: NIOSSLContext]

    public init() throws {
        var contexts: [UpstreamALPN: NIOSSLContext] = [:]
        for alpn in UpstreamALPN.allCases {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = alpn.protocols
            // Not `.none`: that would switch our callback off too. The empty roots save NIOSSL the loading of its own.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates([])
            // In a client, BoringSSL calls this exactly when the server has sent a CertificateRequest.
            configuration.sslContextCallback = { _, promise in promise.fail(TakeoverFailure.clientCertificateWanted) }
            contexts[alpn] = try NIOSSLContext(configuration: configuration)
        }
        self.contexts = contexts
    }

    /// A handshake with an origin, to be made on the loop of its channel; add its `handler` to the pipeline.
    ///
    /// A name is sent as SNI, an address is not; both must be in the certificate.
    public func handshake(
        with host: Host, alpn: UpstreamALPN, trust: any UpstreamTrust
    ) throws(TakeoverFailure) -> UpstreamHandshake {
        guard let context = contexts[alpn] else { throw .handshake(.us, "no-context") }
        let findings = UpstreamHandshake.Findings()
        var serverName: String?
        if case .name(let name) = host { serverName = name.description }
        do {
            let handler = try NIOSSLClientHandler(context: context, serverHostname: serverName) {
                certificates, promise in
                guard let chain = try? certificates.map({ try $0.toDERBytes() }) else {
                    promise.succeed(.failed)
                    return
                }
                findings.chain = chain
                trust.judge(chain: chain, host: host, on: promise.futureResult.eventLoop)
                    .assumeIsolated().whenComplete { result in
                        let verdict = (try? result.get()) ?? .bad(TrustProblem(.notJudged, "the judge failed"))
                        findings.verdict = verdict
                        if case .good = verdict {
                            promise.succeed(.certificateVerified)
                        } else {
                            promise.succeed(.failed)
                        }
                    }
            }
            return UpstreamHandshake(handler: handler, findings: findings)
        } catch {
            throw .handshake(.us, "server-name")
        }
    }
}

/// One handshake with an origin, and what it brought to light; it belongs to the loop of its channel.
///
/// When `TLSUserEvent.handshakeCompleted` comes, ask for the rest here; when an error comes first, ask `failure`.
public struct UpstreamHandshake {
    /// Apart from the handshake, because the handler holds them and the handshake holds the handler.
    fileprivate final class Findings {
        var chain: [[UInt8]] = []
        var verdict: TrustVerdict?
    }

    public let handler: NIOSSLClientHandler
    private let findings: Findings

    fileprivate init(handler: NIOSSLClientHandler, findings: Findings) {
        self.handler = handler
        self.findings = findings
    }

    /// The origin's certificates in DER, its own first, as soon as they have been judged.
    public var peerChain: [[UInt8]] { findings.chain }

    /// What the chain was judged to be; nil before.
    public var verdict: TrustVerdict? { findings.verdict }

    /// The version agreed on, after the handshake.
    public var version: TLSVersion? { handler.tlsVersion }

    /// What an error from the pipeline means for this takeover.
    public func failure(_ error: any Error) -> TakeoverFailure {
        if case .bad(let problem) = findings.verdict { return .untrusted(problem) }
        let failure = TakeoverFailure(originError: error)
        if case .handshake(_, "CERTIFICATE_VERIFY_FAILED") = failure {
            return .untrusted(TrustProblem(.unreadable, "a certificate of the server cannot be read"))
        }
        return failure
    }
}

// The handler and the findings stay on their loop, and so must whoever holds them.
@available(*, unavailable)
extension UpstreamHandshake: Sendable {}
