// SPDX-License-Identifier: Apache-2.0

// The driver of one flow: holds its two legs, its current stage, its record and the proof that it is untouched.

import FlowModel
import FlowPolicy
import NIOCore

/// Proof that nothing of a flow was changed, answered or decrypted by us (law 4).
///
/// Only a driver makes one. Whoever changes, answers or decrypts takes it away from the driver for good; whoever wants
/// to fall back to plain relay must show it.
struct Untouched: ~Copyable {
    fileprivate init() {}
    /// Spends the proof: from here on the flow can no longer be given back as it was.
    consuming func spend() {}
}

/// Names a timer of a flow.
struct TimerID: Hashable { fileprivate let number: Int }

/// Drives one flow on its event loop from birth to death.
///
/// Holds exactly one stage. Legs report to the driver, the driver passes on to the stage; stages act through the driver.
final class FlowDriver {
    let engine: FlowEngine
    let flow: any IncomingFlow
    let loop: any EventLoop
    /// The policy of the moment the flow began; a newer one does not change a flow's life.
    let policy: PolicySnapshot
    var facts: FlowFacts
    var record: FlowRecord
    private var stage: (any Stage)?
    private var untouched: Untouched? = Untouched()
    private var legs: (application: Leg?, origin: Leg?)
    private(set) var isFinished = false
    /// Whether the flow was declined, opened or refused: exactly one of them happens, once.
    var isAnswered = false
    private var timers: [TimerID: Scheduled<Void>] = [:]
    private var timersMade = 0
    private var pendingOutcome: FlowOutcome?

    init(_ flow: any IncomingFlow, engine: FlowEngine, policy: PolicySnapshot) {
        self.flow = flow
        self.engine = engine
        self.policy = policy
        loop = flow.eventLoop
        facts = flow.facts
        record = FlowRecord(
            facts: flow.facts, verdict: Verdict(.relay, reason: Reason("undecided", "ended before a verdict")))
    }

    // MARK: Legs

    func leg(_ side: Side) -> Leg? { side == .application ? legs.application : legs.origin }

    /// Makes `channel` the leg of `side`.
    func attach(_ channel: any Channel, as side: Side) throws -> Leg {
        let leg = Leg(side, channel: channel, driver: self)
        try leg.attach()
        if side == .application { legs.application = leg } else { legs.origin = leg }
        return leg
    }

    /// Lets go of the origin's connection, closing it.
    func dropOrigin(reset: Bool = false) {
        guard let leg = legs.origin else { return }
        legs.origin = nil
        leg.silence()
        if reset { leg.reset() } else { leg.close() }
    }

    /// Dials `origin`, by default the flow's destination; the answer comes on the flow's loop.
    func dial(_ origin: Endpoint? = nil, then done: @escaping (Result<Leg, ConnectFailure>) -> Void) {
        let connecting = engine.services.egress.connect(to: origin ?? facts.destination, for: facts, on: loop)
        connecting.hop(to: loop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel) where self.isFinished:
                channel.close(promise: nil)
            case .success(let channel):
                do { done(.success(try self.attach(channel, as: .origin))) } catch {
                    channel.close(promise: nil)
                    done(.failure(.reset))
                }
            case .failure where self.isFinished:
                break
            case .failure(let error):
                done(.failure((error as? ConnectFailure) ?? .hostUnreachable))
            }
        }
    }

    // MARK: Stages

    /// Makes `stage` the current one.
    func become(_ next: any Stage) {
        guard !isFinished else { return }
        stage = next
        next.begin()
    }

    func received(_ side: Side, _ buffer: ByteBuffer) { stage?.received(side, buffer) }
    func readComplete(_ side: Side) { stage?.readComplete(side) }
    func writabilityChanged(_ side: Side) { stage?.writabilityChanged(side) }
    func inputClosed(_ side: Side) { stage?.inputClosed(side) }
    func failed(_ side: Side, _ error: (any Error)?) { stage?.failed(side, error) }
    func event(_ side: Side, _ event: Any) { stage?.event(side, event) }

    /// Runs `body` on the loop after `limit`, unless the flow ends or `cancel` comes first.
    ///
    /// A timer that outlived its flow would keep all of it in memory, so the end of the flow cancels every one.
    @discardableResult
    func after(_ limit: Limit, _ body: @escaping () -> Void) -> TimerID { after(limit.timeAmount, body) }

    /// The same after a time that is not a limit of ours.
    func after(_ time: TimeAmount, _ body: @escaping () -> Void) -> TimerID {
        timersMade += 1
        let id = TimerID(number: timersMade)
        // A stage may still be at work when what it did has ended the flow.
        guard !isFinished else { return id }
        timers[id] = loop.assumeIsolated().scheduleTask(in: time) {
            self.timers[id] = nil
            body()
        }
        return id
    }

    func cancel(_ timer: TimerID?) {
        guard let timer else { return }
        timers.removeValue(forKey: timer)?.cancel()
    }

    // MARK: The proof

    /// Takes the proof away; nil when it has been spent.
    func takeUntouched() -> Untouched? {
        // A noncopyable optional is emptied by taking it.
        untouched.take()
    }

    /// Gives the proof back after a step that in the end changed nothing.
    func restore(_ proof: consuming Untouched) { untouched = consume proof }

    /// Spends the proof because the flow is about to be changed, answered or decrypted.
    func touch() {
        guard let proof = untouched.take() else { return }
        proof.spend()
    }

    /// Relays from here on; `proof` shows that the bytes read so far are the application's own.
    func relayUntouched(
        _ proof: consuming Untouched, fromApplication: ByteBuffer = ByteBuffer(), fromOrigin: ByteBuffer = ByteBuffer(),
        because reason: Reason
    ) {
        restore(proof)
        note(reason)
        record.verdict = Verdict(.relay, rule: record.verdict.rule, reason: reason)
        become(RelayStage(self, readFromApplication: fromApplication, readFromOrigin: fromOrigin))
    }

    // MARK: The record

    func note(_ reason: Reason) { record.note(reason) }

    func count(_ bytes: Int, from side: Side) {
        if side == .application {
            record.bytesOutbound &+= UInt64(bytes)
        } else {
            record.bytesInbound &+= UInt64(bytes)
        }
    }

    // MARK: The end

    /// Ends the flow once both legs have sent and received all: the orderly end.
    func finishWhenSent(_ outcome: FlowOutcome) {
        guard pendingOutcome == nil else { return }
        pendingOutcome = outcome
        finishLater(outcome)
        if !isOpen(legs.application), !isOpen(legs.origin) { finish(outcome) }
    }

    /// However slowly a side takes what was sent to it, it gets all of it.
    private func finishLater(_ outcome: FlowOutcome) {
        after(EngineLimits.halfClosedWait) {
            let isSending = self.legs.application?.isSending == true || self.legs.origin?.isSending == true
            if isSending { self.finishLater(outcome) } else { self.finish(outcome) }
        }
    }

    func bothHalvesClosed(_ side: Side) {
        if side == .application { legs.application = nil } else { legs.origin = nil }
        if legs.application == nil, legs.origin == nil {
            finish(pendingOutcome ?? .completed)
        }
    }

    /// Ends the flow now: closes what is open and writes the record.
    func finish(_ outcome: FlowOutcome) {
        guard !isFinished else { return }
        isFinished = true
        if !isAnswered {
            isAnswered = true
            flow.refuse(.unavailable)
        }
        legs.application?.close()
        legs.origin?.close()
        legs = (nil, nil)
        stage = nil
        for timer in timers.values { timer.cancel() }
        timers = [:]
        record.facts = facts
        // Said once: as the reason of the verdict.
        let reason = record.verdict.reason
        record.notes.removeAll { $0 == reason }
        record.outcome = outcome
        record.endedAt = engine.services.now()
        engine.ended(self)
    }

    /// Resets both sides and ends the flow.
    func abort(_ outcome: FlowOutcome) {
        legs.application?.reset()
        legs.origin?.reset()
        finish(outcome)
    }

    private func isOpen(_ leg: Leg?) -> Bool { leg?.isUsable ?? false }
}
