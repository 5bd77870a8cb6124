// SPDX-License-Identifier: Apache-2.0

// Which builds of the system Weir may work on: a changed one is held back until the self-test has passed on it.

internal import FlowModel

/// A build of the system that is known to be good.
public struct GoodBuild: Hashable, Sendable, Codable {
    /// How that is known.
    public enum Proof: String, Sendable, Codable {
        /// Weir was started on it for the first time.
        case firstStart = "first-start"
        /// The self-test passed.
        case doctor
    }

    /// `SystemBuild.description`.
    public var build: String
    public var by: Proof
    /// Milliseconds since 1970-01-01 UTC.
    public var at: Int64

    public init(build: String, by: Proof, at: Int64) {
        self.build = build
        self.by = by
        self.at = at
    }
}

/// What is known of the present build.
public enum BuildStanding: Hashable, Sendable {
    /// Weir was never started here.
    case first
    case good(GoodBuild)
    /// Another build was good; this one was not tested.
    case changed(from: GoodBuild)
    /// There was a record and nobody can read it.
    case lost

    /// The most that a policy may do on this build; nil for all of it.
    public func cap(on build: SystemBuild) -> ModeCap? {
        switch self {
        case .first, .good: return nil
        case .changed(let old):
            return ModeCap(
                .decide,
                because: "this system was \(old.build) and is now \(build), where `weir doctor` has not passed yet")
        case .lost:
            return ModeCap(
                .decide,
                because: "the record of tested systems cannot be read, and `weir doctor` has not passed since")
        }
    }
}

/// The builds that are known to be good, and what a start and a self-test make of them.
///
/// | record | start on B | self-test passes on B | self-test fails on B |
/// |---|---|---|---|
/// | `fresh` | `first`: no cap, B becomes good | B becomes good | stays |
/// | `known`, B among them | `good`: no cap | B moves to the front | stays |
/// | `known`, B not among them | `changed`: capped | B becomes good | stays |
/// | `lost` | `lost`: capped | B becomes good, alone | stays |
///
/// A failed test takes nothing back: a machine without a network would fail on any build.
public enum BuildWatch: Hashable, Sendable {
    /// There is no record.
    case fresh
    /// There is one that cannot be read.
    case lost
    /// Never empty, the latest first.
    case known([GoodBuild])

    /// A record as it was kept; more than `policy.good-builds` are dropped, none at all counts as lost.
    public init(good: [GoodBuild]) {
        self = good.isEmpty ? .lost : .known(Array(good.prefix(PolicyLimits.goodBuilds.value)))
    }

    public var good: [GoodBuild] {
        if case .known(let good) = self { good } else { [] }
    }

    /// What is known of a build.
    public func standing(of build: SystemBuild) -> BuildStanding {
        switch self {
        case .fresh: return .first
        case .lost: return .lost
        case .known(let good):
            if let known = good.first(where: { $0.build == build.description }) { return .good(known) }
            return good.first.map(BuildStanding.changed) ?? .lost
        }
    }

    /// The record after a start, at a time in milliseconds since 1970.
    public func started(on build: SystemBuild, at now: Int64) -> BuildWatch {
        guard self == .fresh else { return self }
        return .known([GoodBuild(build: build.description, by: .firstStart, at: now)])
    }

    /// The record after the self-test has passed, at a time in milliseconds since 1970.
    public func passed(on build: SystemBuild, at now: Int64) -> BuildWatch {
        let others = good.filter { $0.build != build.description }
        return BuildWatch(good: [GoodBuild(build: build.description, by: .doctor, at: now)] + others)
    }
}
