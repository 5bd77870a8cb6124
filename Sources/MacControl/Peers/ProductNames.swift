// SPDX-License-Identifier: Apache-2.0

// The names by which app and extension find and prove each other, from their `Info.plist`.

/// The names of one product.
///
/// Both bundles carry the same; whoever builds Weir under another team changes them in one place, the build's settings.
public struct ProductNames: Hashable, Sendable {
    /// Begins with the team, and is the prefix of the Mach service's name.
    public let appGroup: String
    public let team: String
    public let app: String
    public let `extension`: String
    /// `CFBundleVersion`.
    public let build: String

    /// Nil unless each has only the characters that such names have, so that none can add to a requirement.
    public init?(appGroup: String, team: String, app: String, extension: String, build: String) {
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
        guard [appGroup, team, app, `extension`, build].allSatisfy(isName), !team.contains("."), !team.contains("-")
        else { return nil }
        self.appGroup = appGroup
        self.team = team
        self.app = app
        self.extension = `extension`
        self.build = build
    }

    /// Reads `WeirAppGroup`, `WeirTeam`, `WeirApp`, `WeirExtension` and `CFBundleVersion`.
    public init?(information: [String: Any]) {
        let text = { (key: String) in information[key] as? String }
        guard let appGroup = text("WeirAppGroup"), let team = text("WeirTeam"), let app = text("WeirApp"),
            let name = text("WeirExtension"), let build = text("CFBundleVersion")
        else { return nil }
        self.init(appGroup: appGroup, team: team, app: app, extension: name, build: build)
    }

    /// What the code of a caller has to meet.
    public var appRequirement: String { requirement(app) }
    /// What the code has to meet that we ask.
    public var extensionRequirement: String { requirement(`extension`) }

    /// Signed by the team under the identifier, which proves nothing without the anchor (Apple, TN3127).
    private func requirement(_ identifier: String) -> String {
        "anchor apple generic and identifier \"\(identifier)\" and certificate leaf[subject.OU] = \"\(team)\""
    }

    /// The Mach service of the extension of a build.
    public func serviceName(build: String) -> String { ControlServiceName.name(appGroup: appGroup, build: build) }
}
