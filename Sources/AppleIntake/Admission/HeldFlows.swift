// SPDX-License-Identifier: Apache-2.0

// Flows that wait until it is known who made them: claimed, unopened, nothing read.

internal import CodeIdentity
internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import NIOCore
internal import Synchronization

/// Holds flows, each until its maker is known or its time is over, whichever comes first.
///
/// An application that gives up meanwhile is not noticed: a claimed, unopened flow has no signal for it. So every wait
/// has an end, after which the engine finds the application gone.
final class HeldFlows: Sendable {
    private struct Held: Sendable {
        let claim: Claim
        /// What policy says when the time is over; nil when the rules decide without the maker.
        let lastWord: Verdict?
        let deadline: Scheduled<Void>
        let seat: Room.Seat
    }

    private let services: ProviderServices
    private let claimed: ClaimedFlows
    private let log: AdmissionLog
    /// Nil once the provider stops: what is on its way to be held is then refused.
    private let waiting = Mutex<[FlowID: Held]?>([:])

    init(_ services: ProviderServices, _ claimed: ClaimedFlows, _ log: AdmissionLog) {
        self.services = services
        self.claimed = claimed
        self.log = log
    }

    var count: Int { waiting.withLock { $0?.count ?? 0 } }

    /// Holds a flow; call on its loop.
    func hold(_ claim: Claim, _ seat: Room.Seat, madeBy token: AuditToken?, _ deferral: Deferral) {
        let id = claim.facts.id
        let wait = deferral.within ?? AppleIntakeLimits.heldWait.value
        let deadline = claim.loop.scheduleTask(in: .milliseconds(Int64(wait))) { self.end(id, nil) }
        let lastWord = deferral.atDeadline == deferral.otherwise ? nil : deferral.atDeadline
        let held = Held(claim: claim, lastWord: lastWord, deadline: deadline, seat: seat)
        let isHeld = waiting.withLock { waiting in
            waiting?[id] = held
            return waiting != nil
        }
        guard isHeld else { return refuse(held) }
        services.identities.later(token, now: .now) { self.end(id, $0) }
    }

    /// Refuses all that is held.
    func stop() {
        let all = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting.map { Array($0.values) } ?? []
        }
        for held in all { held.claim.loop.execute { self.refuse(held) } }
    }

    private func refuse(_ held: Held) {
        held.deadline.cancel()
        held.claim.flow.flow.refuse(.unavailable)
    }

    /// The maker is known, or, without an answer, will not be; only the first of the two finds the flow here.
    private func end(_ id: FlowID, _ answer: MakerAnswer?) {
        guard let held = waiting.withLock({ $0?.removeValue(forKey: id) }) else { return }
        held.deadline.cancel()
        log.count(answer == nil ? .heldOverdue : .heldKnown)
        held.claim.loop.execute { self.release(held, answer) }
    }

    private func release(_ held: Held, _ answer: MakerAnswer?) {
        let policy = services.engine.currentPolicy
        var claim = held.claim
        if let answer {
            claim.facts.identity = policy.judge(CodeEvidence(answer))
        } else {
            claim.facts.identity.codeClass = .unknown(.unresolved)
        }
        let verdict = answer == nil ? held.lastWord : nil
        // A datagram cannot be answered with words: what is blocked is refused, and the rest judged one by one.
        if claim.facts.transport == .udp {
            let blocked = verdict ?? policy.admit(claim.facts, identityIsFinal: true).verdict
            if blocked.lane == .block {
                claim.flow.flow.refuse(.denied)
                return log.count(.refused, claim.facts, blocked, .blocked)
            }
        }
        claimed.carry(claim, verdict: verdict)
    }
}
