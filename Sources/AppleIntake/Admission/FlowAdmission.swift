// SPDX-License-Identifier: Apache-2.0

// From a new flow of the system to its disposition, from memory alone.

internal import CodeIdentity
internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import NIOCore
internal import NetworkExtension
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Admits new flows on the provider's queue, and knows the ones that are held.
final class FlowAdmission: Sendable {
    let budget: FlowBudget
    let held: HeldFlows
    let log: AdmissionLog
    /// Flows that wait until their maker is known.
    var heldFlows: Int { held.count }
    private let services: ProviderServices
    private let claimed: ClaimedFlows
    private let ownProcess: Int32
    private let localTime = LocalTime()
    private let clock: RepeatedTask
    /// Touched on the provider's queue alone; the lock proves it and is never waited for.
    private let makers = Mutex(KnownMakers(capacity: AppleIntakeLimits.makersKnown.value))
    private let isStopped = Atomic<Bool>(false)

    convenience init(_ services: ProviderServices) {
        self.init(services, budget: FlowBudget(descriptors: Descriptors.raise()), ownProcess: getpid())
    }

    init(_ services: ProviderServices, budget: FlowBudget, ownProcess: Int32) {
        self.services = services
        self.budget = budget
        self.ownProcess = ownProcess
        let loop = services.loops.next()
        log = AdmissionLog(sink: services.sink, metrics: services.metrics, on: loop)
        claimed = ClaimedFlows(services)
        held = HeldFlows(services, claimed, log)
        clock = localTime.keep(on: loop)
    }

    /// Whether the flow is claimed; a claimed one is already on its way.
    ///
    /// Never waits.
    func admit(_ flow: NEAppProxyFlow, firstDestination: Endpoint?) -> Bool {
        guard !isStopped.load(ordering: .acquiring) else { return false }
        guard let new = NewFlow(flow), var facts = new.facts(firstDestination, at: services.now()) else {
            log.count(.unknownKind)
            return false
        }
        facts.utcOffset = localTime.offset
        let token = flow.metaData.sourceAppAuditToken.flatMap { AuditToken($0) }
        // The system does not offer a provider its own connections; were it to, this would be a loop.
        if token?.processID == ownProcess {
            log.count(.own)
            return false
        }
        let policy = services.engine.currentPolicy
        let answer = services.identities.immediate(token, now: .now)
        let (room, releasesAll) = judge(&facts, token, answer, policy)
        var admission = policy.admit(facts, identityIsFinal: answer.standing != .pending)
        var disposition = Disposition(admission, policy.mode, facts.transport, releasesAll: releasesAll)
        var heldSeat: Room.Seat?
        if case .hold = disposition {
            heldSeat = budget.held.seat()
            if heldSeat == nil {
                log.count(.heldFull)
                admission = policy.admit(facts, identityIsFinal: true)
                disposition = Disposition(admission, policy.mode, facts.transport, releasesAll: releasesAll)
            }
        }
        // Where a socket goes that names no destination is known with its first datagram.
        if facts.destination.port == 0, disposition != .decline, heldSeat == nil { disposition = .carry }
        var seats: FlowBudget.Seats?
        switch disposition {
        case .carry, .hold:
            switch budget.seats(for: room) {
            case .success(let taken): seats = taken
            case .failure(let shortage):
                log.count(shortage == .flows ? .full : .processFull)
                disposition = .withoutRoom(admission, policy, isOwnDoing: shortage == .process)
            }
        case .decline, .refuse: break
        }
        return carryOut(disposition, new, facts, admission.verdict, token, seats, heldSeat)
    }

    private func judge(
        _ facts: inout FlowFacts, _ token: AuditToken?, _ answer: MakerAnswer, _ policy: Policy
    ) -> (room: Room, releasesAll: Bool) {
        if let token, let judged = makers.withLockIfAvailable({ $0.judge(&facts, token, answer, policy, budget) }) {
            return judged
        }
        facts.identity = policy.judge(CodeEvidence(answer))
        return (budget.process(), !facts.isReleaseSticky || policy.leavesAlone(everythingLike: facts))
    }

    private func carryOut(
        _ disposition: Disposition, _ new: NewFlow, _ facts: FlowFacts, _ verdict: Verdict, _ token: AuditToken?,
        _ seats: FlowBudget.Seats?, _ heldSeat: Room.Seat?
    ) -> Bool {
        switch (disposition, seats) {
        case (.refuse(let failure), _):
            new.flow.refuse(failure)
            log.count(.refused, facts, verdict, failure == .denied ? .blocked : .refused)
            return true
        case (.carry, let seats?):
            let claim = Claim(flow: new, facts: facts, seats: seats, loop: new.loop(services))
            log.count(.carried)
            claim.loop.execute { self.claimed.carry(claim) }
            return true
        case (.hold(let deferral), let seats?):
            guard let heldSeat else { return false }
            let claim = Claim(flow: new, facts: facts, seats: seats, loop: new.loop(services))
            log.count(.held)
            claim.loop.execute { self.held.hold(claim, heldSeat, madeBy: token, deferral) }
            return true
        case (.decline, _), (.carry, nil), (.hold, nil):
            log.count(.declined, facts, verdict, .declined)
            return false
        }
    }

    /// Refuses what is held, and ends the UDP flows: the provider stops.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        clock.cancel()
        claimed.stop()
        held.stop()
        log.drain()
    }
}
