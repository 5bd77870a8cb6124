// SPDX-License-Identifier: Apache-2.0

// What the provider answers the system for each verdict: the one table.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy

/// What becomes of a new flow; decided once, because a claimed flow cannot be given back and a declined one not taken.
///
/// | verdict | TCP | UDP |
/// |---|---|---|
/// | bypass, relay | decline | decline, where all that the program sends is left alone; otherwise carry |
/// | inspect | carry | carry |
/// | block | carry: the engine answers in the application's protocol | refuse |
/// | waits for the maker | hold | hold |
/// | waits for names or the protocol | carry: the first bytes tell them | as the verdict without them |
/// | waits, and all it may come to is bypass or relay | decline | as the verdict without it |
///
/// Under the modes `off` and `decide` everything is declined. A datagram tells no name, so nothing is waited for there:
/// QUIC of an inspected program is a block, and refused at once it falls back to TCP.
enum Disposition: Equatable {
    /// The system carries it on as if there were no proxy.
    case decline
    /// Claimed: the engine carries it.
    case carry
    /// Claimed, unopened, nothing read, until its maker is known or the time is over.
    case hold(Deferral)
    /// Claimed and closed at once, so that the application hears why.
    case refuse(ConnectFailure)

    /// `releasesAll` says that the policy leaves alone whatever the program sends from a socket once let go.
    init(_ admission: Admission, _ mode: Policy.Mode, _ transport: Transport, releasesAll: Bool) {
        guard mode == .observe || mode == .enforce else {
            self = .decline
            return
        }
        // What a name could still tell changes nothing: flows of the kernel, which name no process, stay untouched.
        if transport == .tcp, admission.leavesAlone {
            self = .decline
            return
        }
        if case .deferred(let deferral) = admission, deferral.awaits.contains(.identity) {
            self = .hold(deferral)
            return
        }
        switch (admission.verdict.lane, transport) {
        case (_, .tcp), (.inspect, .udp): self = .carry
        case (.bypass, .udp), (.relay, .udp): self = releasesAll ? .decline : .carry
        case (.block, .udp): self = .refuse(.denied)
        }
    }

    /// What becomes of a flow for which there is no room, so that nothing more will be learnt of it.
    ///
    /// What would have been left alone still is; where Weir should have looked, the profile says what its failure means.
    /// A process that has filled its own share (`isOwnDoing`) would buy flows that nobody looks at: it is refused more
    /// wherever a finding could have been held back.
    static func withoutRoom(_ admission: Admission, _ policy: Policy, isOwnDoing: Bool) -> Disposition {
        let verdict: Verdict =
            switch admission {
            case .decided(let verdict): verdict
            case .deferred(let deferral): deferral.atDeadline
            }
        switch verdict.lane {
        case .bypass, .relay: return .decline
        case .inspect:
            guard let profile = verdict.profile.flatMap(policy.profile), profile.onFailure.beforeTakeover == .relay,
                !isOwnDoing || profile.strictest(.outbound) == .report
            else { return .refuse(.unavailable) }
            return .decline
        case .block: return .refuse(.denied)
        }
    }
}

extension Admission {
    /// Whether all that it may come to leaves the flow alone.
    fileprivate var leavesAlone: Bool {
        switch self {
        case .decided(let verdict): verdict.lane.leavesAlone
        case .deferred(let deferral):
            deferral.otherwise.lane.leavesAlone && deferral.atDeadline.lane.leavesAlone
                && deferral.candidates.allSatisfy(\.leavesAlone)
        }
    }
}

extension Lane {
    fileprivate var leavesAlone: Bool { self == .bypass || self == .relay }
}
