// SPDX-License-Identifier: Apache-2.0

// The seam at which the certificate chain of an origin is judged.

public import FlowModel
public import NIOCore

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.Date
#else
public import struct Foundation.Date
#endif

/// Judges the certificate chains of origins.
///
/// Law: it returns at once; whatever needs a disk, the network or many signatures happens off the loop.
public protocol UpstreamTrust: Sendable {
    /// Judges a chain for a host.
    ///
    /// - Parameters:
    ///   - chain: The certificates in DER as the origin sent them, its own first.
    ///   - host: The host the client asked for.
    ///   - loop: Where the future is completed. It never fails: what goes wrong is a bad verdict.
    func judge(chain: [[UInt8]], host: Host, on loop: any EventLoop) -> EventLoopFuture<TrustVerdict>
}

/// What was found about a chain.
public enum TrustVerdict: Hashable, Sendable {
    /// It may be trusted until then; the notes say what could not be checked.
    case good(validUntil: Date, notes: [Reason])
    case bad(TrustProblem)
}

/// Why a chain is not trusted.
public struct TrustProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        case noCertificate = "certificate-absent"
        case unreadable = "certificate-unreadable"
        case chainTooLong = "certificate-chain-too-long"
        case expired = "certificate-expired"
        case notYetValid = "certificate-not-yet-valid"
        case wrongName = "certificate-wrong-name"
        case noAlternativeName = "certificate-no-alternative-name"
        case weakKey = "certificate-weak-key"
        case weakSignature = "certificate-weak-signature"
        case wrongUsage = "certificate-wrong-usage"
        case unknownExtension = "certificate-unknown-extension"
        case selfSigned = "certificate-self-signed"
        case unknownIssuer = "certificate-unknown-issuer"
        case notPermitted = "certificate-not-permitted"
        case revoked = "certificate-revoked"
        case notJudged = "certificate-not-judged"
    }

    public let code: Code
    /// One sentence for people, made of our words and of names that are safe to print.
    public let sentence: String

    public init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    public var reason: Reason { Reason(code.rawValue, sentence) }
    public var description: String { reason.description }
}
