// SPDX-License-Identifier: Apache-2.0

// What an organisation says so that its Macs run Weir, checked before anything is made of it.

/// Why a deployment cannot be described: which part, and what to do.
public struct DeploymentProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Part: String, Sendable, CaseIterable {
        case team, app, provider, identifier, organisation, order, policy, authority
    }

    public let part: Part
    public let advice: String

    public var description: String { "\(part.rawValue): \(advice)" }
}

/// Weir on the Macs of an organisation: who signed it, what it is called, and how firmly it stands.
public struct MacDeployment: Hashable, Sendable {
    /// How far a user can take the system extension away.
    public enum Protection: String, Sendable, CaseIterable {
        /// Like any other.
        case none
        /// Not from System Settings or Finder; the app itself can still remove it, so that uninstalling works (macOS 15).
        case interface = "ui"
        /// By nobody while system integrity protection is on (macOS 15).
        case all
    }

    /// Apple's team identifier of whoever signed app and extension.
    public var team: String
    /// The bundle identifier of the app.
    public var app: String
    /// The bundle identifier of the system extension in it.
    public var provider: String
    /// The reverse-DNS identifier of the profile; its payloads' begin with it.
    public var identifier: String
    public var organisation: String
    /// The place among several transparent proxies, smaller first; nil leaves it to the system.
    public var order: Int?
    /// What the provider reads its policy from: a preset or a path.
    ///
    /// Everybody on the Mac can read this.
    public var policy: String
    public var protection: Protection
    /// Whether Private Relay stays allowed; what goes through it cannot be inspected.
    public var keepsPrivateRelay: Bool
    /// The root to trust, in DER; nil when another profile brings it.
    public var authority: [UInt8]?

    /// Throws what cannot be a team, an identifier or a certificate.
    public init(
        team: String, app: String, provider: String, identifier: String, organisation: String, order: Int? = nil,
        policy: String = "report", protection: Protection = .interface, keepsPrivateRelay: Bool = false,
        authority: [UInt8]? = nil
    ) throws(DeploymentProblem) {
        guard team.utf8.count == 10, team.utf8.allSatisfy(Self.isTeam) else {
            throw DeploymentProblem(
                part: .team, advice: "give the ten capital letters and digits of the signing team, such as AB12CD34EF")
        }
        for (part, text) in [(DeploymentProblem.Part.app, app), (.provider, provider), (.identifier, identifier)]
        where !Self.isIdentifier(text) {
            throw DeploymentProblem(
                part: part, advice: "\"\(text)\" is no identifier; give one such as com.example.weir")
        }
        guard provider.hasPrefix(app + ".") else {
            throw DeploymentProblem(
                part: .provider,
                advice: "\"\(provider)\" does not begin with the app's \"\(app).\", so the system would not load it")
        }
        guard !organisation.isEmpty, organisation.utf8.count <= 256 else {
            throw DeploymentProblem(part: .organisation, advice: "give a name of 256 bytes at most")
        }
        guard order ?? 1 > 0 else { throw DeploymentProblem(part: .order, advice: "give a number from 1 on") }
        guard !policy.isEmpty, policy.utf8.count <= 1024, !policy.utf8.contains(0) else {
            throw DeploymentProblem(part: .policy, advice: "give a preset or the path of a policy file")
        }
        if let authority, authority.first != 0x30 || authority.count > 64 * 1024 {
            throw DeploymentProblem(part: .authority, advice: "this is no certificate")
        }
        self.team = team
        self.app = app
        self.provider = provider
        self.identifier = identifier
        self.organisation = organisation
        self.order = order
        self.policy = policy
        self.protection = protection
        self.keepsPrivateRelay = keepsPrivateRelay
        self.authority = authority
    }

    /// The requirement by which the system knows the extension: its identifier, signed by the team with Developer ID or
    /// by the App Store.
    ///
    /// The form that `codesign -d -r-` prints for Developer ID code (Technical Note TN3127).
    public var designatedRequirement: String {
        "anchor apple generic and identifier \"\(provider)\""
            + " and (certificate leaf[field.1.2.840.113635.100.6.1.9] /* exists */"
            + " or certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */"
            + " and certificate leaf[field.1.2.840.113635.100.6.1.13] /* exists */"
            + " and certificate leaf[subject.OU] = \"\(team)\")"
    }

    private static func isTeam(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) }

    /// Letters, digits, hyphens and dots (CFBundleIdentifier), in two labels or more.
    private static func isIdentifier(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && text.utf8.count <= 155
            && labels.allSatisfy { label in
                !label.isEmpty
                    && label.utf8.allSatisfy { byte in
                        isTeam(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "-")
                    }
            }
    }
}
