// SPDX-License-Identifier: Apache-2.0

// Why a TLS connection could not be taken over.

public import FlowModel
import NIOCore
import NIOSSL

/// Why a takeover failed; after one the flow is re-dialled and relayed, or refused, by rule.
public enum TakeoverFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Whose doing a broken handshake is.
    public enum Party: String, Sendable {
        case origin, client, us
    }

    /// The origin's certificate is not trusted.
    case untrusted(TrustProblem)
    /// The client does not take our leaf: it does not trust the authority, or pins its server.
    case leafRefused(String)
    /// The handshake broke for another cause, named by BoringSSL's word for it.
    case handshake(Party, String)
    /// There is no protocol that both sides speak.
    case alpnMismatch
    /// There is no version from TLS 1.2 on that both sides speak.
    case protocolVersion
    /// The origin wants a certificate of the client, which only the client has.
    case clientCertificateWanted
    /// The handshake took longer than `TLSLimits.handshake`.
    case timeout

    /// Stable, for programs.
    public var code: String {
        switch self {
        case .untrusted: "origin-untrusted"
        case .leafRefused: "leaf-refused"
        case .handshake: "handshake-failed"
        case .alpnMismatch: "alpn-mismatch"
        case .protocolVersion: "tls-version-mismatch"
        case .clientCertificateWanted: "client-certificate-wanted"
        case .timeout: "handshake-timeout"
        }
    }

    public var reason: Reason {
        switch self {
        case .untrusted(let problem): Reason(code, problem.description)
        case .leafRefused(let word): Reason(code, "the client does not take Weir's certificate (\(word))")
        case .handshake(.us, let word): Reason(code, "the handshake could not be begun (\(word))")
        case .handshake(let party, let word): Reason(code, "the handshake with the \(party.rawValue) broke (\(word))")
        case .alpnMismatch: Reason(code, "there is no application protocol that both sides speak")
        case .protocolVersion: Reason(code, "there is no TLS version that both sides speak")
        case .clientCertificateWanted: Reason(code, "the origin asks for a client certificate")
        case .timeout: Reason(code, "the handshake took longer than \(TLSLimits.handshake.value) ms")
        }
    }

    public var description: String { reason.description }

    /// Reads an error of the leg to the origin.
    public init(originError error: any Error) {
        self = Self.common(error, party: .origin)
    }

    /// Reads an error of the leg to the client.
    public init(clientError error: any Error) {
        let failure = Self.common(error, party: .client)
        if case .handshake(_, let word) = failure, Self.refusals.contains(word) {
            self = .leafRefused(word)
        } else {
            self = failure
        }
    }

    /// The alerts by which clients refuse a certificate (RFC 8446 section 6.2); which one differs by TLS library.
    private static let refusals: Set<String> = [
        "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
        // In TLS 1.3 a client of OpenSSL sends this alert before it encrypts, two bytes where a sealed record is due.
        "BAD_PACKET_LENGTH",
    ]

    private static func common(_ error: any Error, party: Party) -> TakeoverFailure {
        if let failure = error as? TakeoverFailure { return failure }
        switch word(for: error) {
        case "TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "NO_APPLICATION_PROTOCOL", "INVALID_ALPN_PROTOCOL":
            return .alpnMismatch
        case "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL":
            return .protocolVersion
        case let word:
            return .handshake(party, word)
        }
    }

    /// BoringSSL's word for an error, without the file names and numbers around it.
    private static func word(for error: any Error) -> String {
        if error is ChannelError || error is IOError { return "CONNECTION_LOST" }
        guard let error = error as? NIOSSLError else { return "OTHER" }
        switch error {
        case .handshakeFailed(.sslError(let stack)), .handshakeFailed(.unknownError(let stack)):
            for entry in stack {
                if entry == .eofDuringHandshake { return "CONNECTION_LOST" }
                // "Error: 268435612 error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST at file:line"
                let parts = entry.description.split(separator: ":")
                guard let marker = parts.firstIndex(of: "OPENSSL_internal"), marker + 1 < parts.count else { continue }
                return String(parts[marker + 1].prefix { $0 != " " })
            }
            return "UNNAMED"
        case .uncleanShutdown: return "CONNECTION_LOST"
        default: return "OTHER"
        }
    }
}
