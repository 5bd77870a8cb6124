// SPDX-License-Identifier: Apache-2.0

// Which policy may follow the one that runs: never an older bundle, never an unsigned one where a bundle is demanded.

/// What a machine remembers of the policies it took, and the rule for the next one.
///
/// | the running policy | a document or preset | a bundle |
/// |---|---|---|
/// | demands nothing | taken | taken from anybody; of the same name only the same or a higher version |
/// | demands a key | refused | signed with the key, of the same name, the same or a higher version |
///
/// The same version must have the same digest. What is remembered changes only by `take`, after the policy was read
/// without a problem, so that a bad bundle leaves everything as it was.
public struct BundleMemory: Sendable, Hashable {
    /// A bundle that was taken.
    public struct Taken: Sendable, Hashable {
        public var name: String
        public var version: Int
        /// 64 hexadecimal digits.
        public var digest: String

        public init(name: String, version: Int, digest: String) {
            self.name = name
            self.version = version
            self.digest = digest
        }
    }

    /// The last bundle taken; nil when there was none.
    public private(set) var taken: Taken?
    /// What the running policy asks of the next one.
    public private(set) var demand: PolicySettings.BundleDemand?

    public init(taken: Taken? = nil, demand: PolicySettings.BundleDemand? = nil) {
        self.taken = taken
        self.demand = demand
    }

    /// Refuses a policy outside a bundle where one is demanded; `name` is how people know it.
    public func allowUnsigned(_ name: String) throws(BundleProblem) {
        guard let demand else { return }
        throw BundleProblem(
            .unsigned,
            "\(Quoted.short(name)) is not signed, and the running policy takes only a bundle signed with the key "
                + "\(Base64Text.text(demand.key)): put it into one with `weir policy bundle make`")
    }

    /// Reads a bundle that may be the next policy, or says why it may not.
    public func read(_ bytes: [UInt8]) throws(BundleProblem) -> PolicyBundle {
        guard let demand else {
            let bundle = try PolicyBundle.readUntrusted(bytes)
            if bundle.name == taken?.name { try allowNext(bundle) }
            return bundle
        }
        // A demand that is no key trusts nobody.
        let bundle = try PolicyBundle.read(bytes, trusting: [BundleKey(bytes: demand.key)].compactMap { $0 })
        try allowNext(bundle)
        return bundle
    }

    /// Remembers the policy that runs from now on; `bundle` is nil for one that came without.
    public mutating func take(_ bundle: PolicyBundle?, _ settings: PolicySettings) {
        if let bundle { taken = Taken(name: bundle.name, version: bundle.version, digest: bundle.digest) }
        demand = settings.bundleDemand
    }

    private func allowNext(_ bundle: PolicyBundle) throws(BundleProblem) {
        guard let taken else { return }
        guard bundle.name == taken.name else {
            throw BundleProblem(
                .otherName,
                "the bundle is `\(bundle.name)`, and this machine runs `\(Quoted.short(taken.name))`: "
                    + "bring a bundle of that name")
        }
        guard bundle.version >= taken.version else {
            throw BundleProblem(
                .older,
                "version \(bundle.version) of `\(bundle.name)` is older than version \(taken.version), which was taken "
                    + "before: sign it again with a version above \(taken.version)")
        }
        guard bundle.version > taken.version || bundle.digest == taken.digest else {
            throw BundleProblem(
                .changed,
                "version \(bundle.version) of `\(bundle.name)` has the digest \(bundle.digest), and the one taken before "
                    + "had \(Quoted.short(taken.digest)): give every change a higher version")
        }
    }
}
