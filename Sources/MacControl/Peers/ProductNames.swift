// SPDX-License-Identifier: Apache-2.0

// The names by which app and extension find and prove each other, from their `Info.plist`.

/// The names of one product; whoever builds Weir under another team gives them once, to `packaging/macos/build`.
public struct ProductNames: Hashable, Sendable {
    public let team: String
    /// The identifiers of the two bundles.
    public let app: String
    public let provider: String
    /// `CFBundleVersion`.
    public let build: String

    /// Nil unless each has only the characters that such names have, so that none can add to a requirement.
    public init?(team: String, app: String, provider: String, build: String) {
        let isName = { (text: String) in
            (1...155).contains(text.utf8.count)
                && text.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
        guard [team, app, provider, build].allSatisfy(isName) else { return nil }
        self.team = team
        self.app = app
        self.provider = provider
        self.build = build
    }

    /// Reads the `Info.plist` of either bundle: `WeirTeam`, `CFBundleVersion`, its own `CFBundleIdentifier`, and the
    /// other's as `WeirAppIdentifier` or `WeirProviderIdentifier`.
    public init?(information: [String: Any]) {
        let text = { (key: String) in information[key] as? String }
        let own = text("CFBundleIdentifier")
        let (app, provider) = (text("WeirAppIdentifier"), text("WeirProviderIdentifier"))
        guard app != nil || provider != nil, let team = text("WeirTeam"), let app = app ?? own,
            let provider = provider ?? own, let build = text("CFBundleVersion")
        else { return nil }
        self.init(team: team, app: app, provider: provider, build: build)
    }

    /// What the code of a caller has to meet.
    public var appRequirement: String { requirement(app) }
    /// What the code has to meet that we ask.
    public var extensionRequirement: String { requirement(provider) }

    /// Signed by the team under the identifier, which proves nothing without the anchor (Apple, TN3127).
    private func requirement(_ identifier: String) -> String {
        "anchor apple generic and identifier \"\(identifier)\" and certificate leaf[subject.OU] = \"\(team)\""
    }

    /// The name under which the extension of a build listens, as `NEMachServiceName` has it.
    ///
    /// It begins with the App Group. The build is part of it because a replaced extension may not get its old name back
    /// until the machine restarts (FB21271237).
    public func serviceName(build: String) -> String { "\(team).\(app).control.\(build)" }
}
