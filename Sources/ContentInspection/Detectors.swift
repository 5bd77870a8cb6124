// SPDX-License-Identifier: Apache-2.0

// The detectors by name: what can be found.

public import FlowModel

/// What one detector is, for policy and documents.
public struct DetectorDescription: Sendable {
    /// Stable, for example `payment-card`.
    public let id: String
    /// `finance`, `secret` or `pii`.
    public let family: String
    public let title: String
    /// The authority of its grammar and check.
    public let source: String
    /// What the shipped `redact` preset does.
    public let defaultAction: ContentAction
}

/// All detectors.
public enum Detectors {
    public static let all: [DetectorDescription] = Detector.allCases.map(\.description)

    /// The ids that a pattern names: an id, a family as `secret/*`, or `*` for all; none when it names nothing.
    public static func matching(_ pattern: String) -> [String] {
        all.filter { pattern == "*" || pattern == $0.id || pattern == $0.family + "/*" }.map(\.id)
    }
}

/// The detectors as the inside of this room knows them.
enum Detector: Int, CaseIterable {
    case paymentCard, iban, privateKey, gitHubToken, email

    var description: DetectorDescription {
        switch self {
        case .paymentCard:
            return DetectorDescription(
                id: "payment-card", family: "finance", title: "Payment card number", source: "ISO/IEC 7812-1",
                defaultAction: .redact)
        case .iban:
            return DetectorDescription(
                id: "iban", family: "finance", title: "International bank account number",
                source: "ISO 13616-1, SWIFT IBAN registry", defaultAction: .redact)
        case .privateKey:
            return DetectorDescription(
                id: "private-key", family: "secret", title: "PEM private key", source: "RFC 7468, OpenSSH PROTOCOL.key",
                defaultAction: .redact)
        case .gitHubToken:
            return DetectorDescription(
                id: "github-token", family: "secret", title: "GitHub access token",
                source: "GitHub docs, Token formats", defaultAction: .redact)
        case .email:
            return DetectorDescription(
                id: "email", family: "pii", title: "E-mail address", source: "RFC 5321", defaultAction: .report)
        }
    }

    /// Where the first stage looks for it.
    var triggers: TriggerKinds {
        switch self {
        case .paymentCard: return .digitRun
        case .iban: return [.upperPair, .otherPair]
        case .privateKey: return .dashes
        case .gitHubToken: return .gh
        case .email: return .at
        }
    }
}
