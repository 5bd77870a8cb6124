// SPDX-License-Identifier: Apache-2.0

// What a policy says of a flow that has just arrived.

public import FlowModel

/// What admission says of a flow.
public enum Admission: Sendable, Hashable {
    case decided(Verdict)
    /// What is not known yet may lead elsewhere.
    case deferred(Deferral)

    /// The verdict that holds if nothing more is learnt.
    public var verdict: Verdict {
        switch self {
        case .decided(let verdict): return verdict
        case .deferred(let deferral): return deferral.otherwise
        }
    }
}

/// A decision that may still change with what is learnt of the flow.
public struct Deferral: Sendable, Hashable {
    /// What the decision waits for; once all of it is known or known not to come, `Policy.refine` decides.
    public let awaits: Awaited
    /// The other lanes that it may come to, each once.
    ///
    /// Inspection includes what inspection itself may find out: a claimed name of Private Relay.
    public let candidates: [Lane]
    /// The verdict with what is known now: what `Policy.refine` says if nothing more is learnt.
    public let otherwise: Verdict
    /// Milliseconds, from when the application can speak, after which it waits no longer; nil for the engine's own limit.
    public let within: Int?
    /// The verdict when that time is over.
    public let atDeadline: Verdict

    /// Whether the flow may turn out to be refused, so that it should not be opened before what it waits for is known.
    public var mayBlock: Bool { candidates.contains(.block) || otherwise.lane == .block || atDeadline.lane == .block }
}

extension FlowFacts {
    /// Whether leaving this flow alone leaves alone whatever its socket sends later, wherever it goes.
    ///
    /// macOS hands over a UDP socket once, with its first destination: a provider that declines it never sees it again.
    /// Elsewhere each destination of a socket is a flow of its own.
    public var isReleaseSticky: Bool { transport == .udp && intake == .networkExtension }
}
