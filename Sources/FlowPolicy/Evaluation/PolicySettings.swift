// SPDX-License-Identifier: Apache-2.0

// What a policy says once for all rules.

/// What a policy says once for all rules.
public struct PolicySettings: Sendable, Hashable {
    /// What is done with the DNS queries of programs other than the system's resolver, whose own are left alone.
    public enum DNS: String, Sendable, CaseIterable {
        case pass, report, block
    }

    /// What becomes of a flow that waited for a fact which did not come in time.
    public struct Deadline: Sendable, Hashable {
        public enum Outcome: String, Sendable, CaseIterable {
            /// The rules decide with the fact missing.
            case missing
            case relay
            case block
        }

        /// Milliseconds from when the application can speak; nil for the engine's own limit.
        public var milliseconds: Int?
        public var outcome: Outcome

        public init(milliseconds: Int? = nil, outcome: Outcome = .missing) {
            self.milliseconds = milliseconds
            self.outcome = outcome
        }
    }

    /// What events and other outputs may say of people.
    public struct Privacy: Sendable, Hashable {
        public enum Users: String, Sendable, CaseIterable { case pseudonym, name }

        /// How the user of a flow is named in every output.
        public var users: Users
        /// Days after which events are deleted; nil for the store's own limit.
        public var retainDays: Int?

        public init(users: Users = .pseudonym, retainDays: Int? = nil) {
            self.users = users
            self.retainDays = retainDays
        }
    }

    /// Asks that the next policy comes in a bundle signed with a key.
    public struct BundleDemand: Sendable, Hashable {
        /// The Ed25519 public key, 32 bytes.
        public var key: [UInt8]

        public init(key: [UInt8]) { self.key = key }
    }

    public var dns = DNS.pass
    public var deadline = Deadline()
    public var privacy = Privacy()
    public var bundleDemand: BundleDemand?
    /// Catalogues whose rows of tier `default` are left alone too: `core-protocols`, `apple-core-ports`.
    public var excludedCatalogues: [String] = []
    /// Rows of tier `never` that an administrator has taken out of the never set by name.
    public var inspectedNeverRows: [String] = []
    /// Teams (macOS) and packages (Linux) of the class `vendor`.
    public var vendorTeams: [String] = []
    public var vendorPackages: [String] = []

    public init() {}
}
