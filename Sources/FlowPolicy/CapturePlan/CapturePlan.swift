// SPDX-License-Identifier: Apache-2.0

// The policy as a kernel can carry it out: which flows are handed to Weir at all.

public import FlowModel

/// Which flows a kernel hands to Weir: more than the policy takes, never less.
///
/// A kernel knows transport, address, port and sometimes the interface of a socket's first destination, and nothing
/// else. A flow is captured when it lies in an inclusion and in no exclusion. What is captured and by policy left alone
/// is declined in user space. `docs/capture-plan.md` has the reasoning.
public struct CapturePlan: Sendable {
    /// The kernel mechanism a plan is for.
    public enum Target: String, Sendable, CaseIterable {
        /// `NENetworkRule` lists on macOS.
        case networkExtension = "networkextension"
        case nftables
        /// The maps of the `cgroup_sock_addr` hooks on Linux.
        case bpf

        /// Whether a UDP socket that was released by its first destination stays so for every later one.
        public var isReleaseSticky: Bool { self == .networkExtension }

        /// Whether flows are handed over to be recorded where the policy only decides.
        ///
        /// On macOS a recorded flow is declined and goes on as if it had not been seen; on Linux it would have to be
        /// carried, so nothing is redirected.
        var recordsDecisions: Bool { self == .networkExtension }

        var intake: IntakeKind { self == .networkExtension ? .networkExtension : .transparent }
    }

    public let target: Target
    /// The digest of the policy it was made from.
    public let policy: String
    public let mode: Policy.Mode
    /// What some rule may take.
    public let inclusions: [CaptureRegion]
    /// What is left alone within that: the never set first, as the policy has it.
    public let exclusions: [CaptureExclusion]
    /// What the policy says and this plan cannot.
    public let losses: [CaptureLoss]
    /// By what a UDP socket gets out of sight for good.
    public let stickyReleases: [StickyRelease]

    /// What the inclusions hold.
    let taken: FlowSpace
    /// What is left of it after the exclusions that do not depend on the interface.
    let captured: FlowSpace

    /// Whether the kernel hands over a socket with this first destination.
    ///
    /// A destination given by name counts as captured when some address at its port is: the kernel sees the address,
    /// and this does not.
    public func captures(_ first: Endpoint, _ transport: Transport, interface: InterfaceClass? = nil) -> Bool {
        guard captured.contains(transport, first) else { return false }
        return !exclusions.contains { exclusion in
            exclusion.interface != nil && exclusion.interface == interface && exclusion.space.contains(transport, first)
        }
    }
}

/// Who says that something is captured or left alone.
public enum CaptureOrigin: Sendable, Hashable, CustomStringConvertible {
    /// A catalogue row that the policy leaves alone.
    case row(String, CatalogueTier)
    case rule(number: Int, name: String)
    /// What the policy says of DNS.
    case dns
    /// What the policy says of programs that are not known.
    case unknown(UnknownCause)
    /// What never leaves the machine.
    case machine
    /// What no rule takes.
    case untaken
    /// The programs of the never set.
    case programs
    /// The bounds of the plan.
    case bounds

    /// `never core-protocols/ntp`, `rule 3 "private life"`.
    public var description: String {
        switch self {
        case .row(let row, let tier): return "\(tier.rawValue) \(row)"
        case .rule(let number, let name): return "rule \(number) \"\(name)\""
        case .dns: return "dns"
        case .unknown(let cause): return "unknown \(cause.rawValue)"
        case .machine: return "this machine"
        case .untaken: return "taken by no rule"
        case .programs: return "programs of the never set"
        case .bounds: return "bounds of the plan"
        }
    }
}

/// Traffic that the kernel leaves alone, and by policy rightly so whoever sends it.
public struct CaptureExclusion: Sendable {
    public let origin: CaptureOrigin
    public let regions: [CaptureRegion]
    /// The exclusion holds on this interface only; nil for all.
    public let interface: InterfaceClass?
    /// Why it is left alone.
    public let reason: String
    let space: FlowSpace

    init(_ origin: CaptureOrigin, _ space: FlowSpace, on interface: InterfaceClass? = nil, reason: String) {
        self.origin = origin
        self.space = space
        self.interface = interface
        self.reason = reason
        regions = space.regions
    }

    init(_ exclusion: Exclusion) {
        // By interface: whatever the address.
        let anywhere = FlowSpace(
            transports: exclusion.transports, ports: exclusion.ports.isEmpty ? .all : PortSet(exclusion.ports))
        self.init(
            .row(exclusion.row, exclusion.tier), exclusion.space ?? anywhere,
            on: exclusion.space == nil ? .peerToPeer : nil, reason: exclusion.reason)
    }
}

/// Something that the policy says and the kernel cannot.
public struct CaptureLoss: Sendable, Hashable, CustomStringConvertible {
    public enum Effect: String, Sendable, Hashable {
        /// Captured, and decided in user space.
        case decidedLater = "decided-later"
        /// No kernel of this kind hands it over.
        case neverCaptured = "never-captured"
    }

    public let origin: CaptureOrigin
    public let effect: Effect
    /// The facts that the kernel does not see, where that is the cause.
    public let facts: [UnseenFact]
    public let detail: String

    init(
        _ origin: CaptureOrigin, facts: [UnseenFact] = [], _ detail: String, effect: Effect = .decidedLater
    ) {
        self.origin = origin
        self.effect = effect
        self.facts = facts
        self.detail = detail
    }

    public var description: String { "\(origin): \(detail)" }
}

/// A first destination by which a UDP socket gets out of sight for all later ones.
public struct StickyRelease: Sendable, Hashable, CustomStringConvertible {
    public let origin: CaptureOrigin
    public let regions: [CaptureRegion]
    /// Whether any address will do, so that every program has the way out in its own hands.
    public var isOpen: Bool { regions.contains(where: \.isEverywhere) }

    public var description: String {
        "\(origin): " + regions.map(\.description).joined(separator: "; ") + (isOpen ? " (open to any address)" : "")
    }
}
