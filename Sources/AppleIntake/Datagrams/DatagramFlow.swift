// SPDX-License-Identifier: Apache-2.0

// A claimed UDP flow: every datagram is judged by its own destination.

internal import FlowEngine
internal import FlowModel
internal import Foundation
internal import NIOCore
internal import NetworkExtension

/// A UDP flow that the provider has claimed.
///
/// Made, begun, ended and living on its loop, which is one of `services.datagrams.loops`. One read and one write are
/// outstanding at most; the socket it sends from exists only once a datagram may pass.
///
/// | stage | event | next | action |
/// |---|---|---|---|
/// | made | begin | opening | open the flow, watch for silence |
/// | opening | opened | listening | read |
/// | listening | datagrams, one may pass | dialling | open the way out, hold what may pass |
/// | listening | datagrams, all are blocked | over | refuse: the application falls back at once |
/// | listening | datagrams, none has an address | listening | read |
/// | dialling | way out opened | carrying | send what was held, read |
/// | carrying | datagrams | carrying | send what may pass, drop the rest, read when there is room |
/// | carrying | answers | carrying | write them, or queue them while a write is outstanding |
/// | any | silence, the application or the way out ended, `end` | over | close both, write the record |
final class DatagramFlow {
    private enum Stage {
        case made, opening, listening
        case dialling([Outgoing])
        case carrying(any Channel)
        case over
    }

    private typealias Outgoing = (data: ByteBuffer, to: SocketAddress)

    private let facts: FlowFacts
    private let services: ProviderServices
    private let loop: any EventLoop
    /// Let go at the end: a completion that the system keeps must not keep the flow with it.
    private var flow: SystemFlow<NEAppProxyUDPFlow>?
    private var ended: (() -> Void)?
    private var stage = Stage.made
    private var verdicts: DatagramVerdicts
    private var answers = DatagramQueue()
    private var isWriting = false
    private var waitsForRoom = false
    private var tally = DatagramTally()
    private var record: FlowRecord
    private var silence: Scheduled<Void>?
    private var lastActivity: NIODeadline

    /// `ended` is called once, on the loop, when nothing of the flow is left.
    init(
        _ flow: SystemFlow<NEAppProxyUDPFlow>, facts: FlowFacts, services: ProviderServices, on loop: any EventLoop,
        ended: @escaping () -> Void
    ) {
        self.flow = flow
        self.facts = facts
        self.services = services
        self.loop = loop
        self.ended = ended
        lastActivity = loop.now
        verdicts = DatagramVerdicts(services.engine.policy(judging: facts), facts)
        record = FlowRecord(
            facts: facts, verdict: Verdict(.relay, reason: Reason("undecided", "ended before a verdict")))
    }

    /// Opens the flow and carries what its policy lets pass, until it is idle or closed.
    func begin() {
        guard case .made = stage, let flow else { return }
        stage = .opening
        services.metrics.add("datagram_flows_total", 1)
        watch()
        let this = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        flow.flow.open(withLocalFlowEndpoint: nil) { error in loop.execute { this.value.opened(error) } }
    }

    /// Closes it now, because the provider stops or room is needed.
    func end() { finish(.aborted) }

    private func opened(_ error: (any Error)?) {
        guard case .opening = stage else { return }
        guard error == nil else { return finish(.reset) }
        stage = .listening
        read()
    }

    // MARK: From the application

    private func read() {
        guard let flow else { return }
        let this = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        flow.flow.readDatagrams { datagrams, error in loop.execute { this.value.read(datagrams, error) } }
    }

    private func read(_ datagrams: [(Data, SystemEndpoint)]?, _ error: (any Error)?) {
        guard error == nil else { return finish(.reset) }
        guard let datagrams, !datagrams.isEmpty else { return finish(.completed) }
        var passing: [Outgoing] = []
        var blocked: DatagramVerdicts.Destination?
        for (data, system) in datagrams {
            guard let destination = verdicts.judge(system) else {
                tally.lost(.unnamed)
                continue
            }
            if destination.isBlocked {
                tally.blocked(destination)
                blocked = blocked ?? destination
            } else {
                if record.verdict.reason.code == "undecided" { decide(destination) }
                passing.append((ByteBuffer(bytes: data), destination.address))
            }
        }
        switch stage {
        case .listening where !passing.isEmpty:
            dial(passing)
        case .listening:
            if let blocked { refuse(blocked) } else { read() }
        case .carrying(let channel):
            send(passing, through: channel)
        case .made, .opening, .dialling, .over:
            break
        }
    }

    /// The record tells of the first destination that passed, or else of the one that was refused.
    private func decide(_ destination: DatagramVerdicts.Destination) {
        record.facts.destination = destination.endpoint
        if destination.endpoint != facts.destination { record.facts.names = [] }
        record.verdict = destination.verdict
        if destination.verdict.lane == .bypass {
            record.note(Reason("bypass-relayed", "a claimed flow cannot be handed back, so its datagrams are relayed"))
        }
    }

    /// Closes the flow with an error, which the application hears at once, where silence would be a long wait.
    private func refuse(_ destination: DatagramVerdicts.Destination) {
        decide(destination)
        finish(.blocked, refusing: .denied)
    }

    // MARK: The way out

    private func dial(_ held: [Outgoing]) {
        stage = .dialling(held)
        services.datagrams.open(for: facts, on: loop).hop(to: loop).assumeIsolated().whenComplete { result in
            guard case .dialling(let held) = self.stage else {
                if case .success(let channel) = result { channel.close(promise: nil) }
                return
            }
            switch result {
            case .success(let channel): self.carry(held, through: channel)
            case .failure(let error): self.lostWay((error as? ConnectFailure) ?? .hostUnreachable)
            }
        }
    }

    private func carry(_ held: [Outgoing], through channel: any Channel) {
        do {
            guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
            try channel.pipeline.syncOperations.addHandler(DatagramLeg(self))
        } catch {
            channel.close(promise: nil)
            return lostWay(.unavailable)
        }
        stage = .carrying(channel)
        channel.read()
        send(held, through: channel)
        // A resolver has less time than was given before it was known to be one.
        if case .carrying = stage { watch() }
    }

    private func send(_ datagrams: [Outgoing], through channel: any Channel) {
        for (data, address) in datagrams {
            let size = data.readableBytes
            channel.write(AddressedEnvelope(remoteAddress: address, data: data)).assumeIsolated().whenComplete {
                switch $0 {
                case .success: self.tally.sent(size)
                case .failure: self.tally.lost(.unsent)
                }
            }
        }
        if !datagrams.isEmpty {
            channel.flush()
            lastActivity = loop.now
        }
        // A socket without room is waited for, and meanwhile the kernel holds the application back.
        waitsForRoom = !channel.isWritable
        if !waitsForRoom { read() }
    }

    /// The way out has room, or none.
    func wayOutChanged() {
        guard case .carrying(let channel) = stage, waitsForRoom, channel.isWritable else { return }
        waitsForRoom = false
        read()
    }

    /// The socket is gone, for whatever reason: there is no way to go on with another port.
    func wayOutEnded() { lostWay(.networkUnreachable) }

    private func lostWay(_ failure: ConnectFailure) {
        record.note(Reason("origin-\(failure.rawValue)", "the socket of the flow was lost or could not be opened"))
        finish(.unreachable, refusing: failure)
    }

    // MARK: To the application

    /// An answer, or somebody's word.
    func received(_ envelope: AddressedEnvelope<ByteBuffer>) {
        guard case .carrying = stage else { return }
        guard let sender = verdicts.answerer(envelope.remoteAddress) else { return tally.lost(.blocked) }
        // An empty datagram cannot be written (NEAppProxyFlowErrorInvalidArgument).
        guard envelope.data.readableBytes > 0 else { return tally.lost(.empty) }
        answers.append(Data(envelope.data.readableBytesView), from: sender)
    }

    /// Writes what waits, unless a write is outstanding.
    func writeAnswers() {
        guard case .carrying = stage, let flow, !isWriting, !answers.isEmpty else { return }
        let batch = answers.take(AppleIntakeLimits.datagramBatch.value)
        isWriting = true
        let this = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        flow.flow.writeDatagrams(batch) { error in loop.execute { this.value.wrote(batch, error) } }
    }

    private func wrote(_ batch: [(Data, SystemEndpoint)], _ error: (any Error)?) {
        isWriting = false
        guard case .carrying = stage else { return }
        switch error.map(DatagramWriteFailure.init) {
        case nil:
            for (data, _) in batch { tally.received(data.count) }
            lastActivity = loop.now
        case .tooLarge where batch.count > 1:
            // One of them is, and nobody says which; those that were taken already may come twice, as datagrams may.
            answers.putBack(batch)
        case .tooLarge:
            tally.lost(.tooLarge)
        case .notTaken:
            tally.lost(.untaken, batch.count)
        case .flowIsOver:
            return finish(.completed)
        }
        writeAnswers()
    }

    // MARK: The end

    /// Ends the flow when nothing has come or gone for a while: there is no other sign.
    private func watch() {
        silence?.cancel()
        silence = loop.assumeIsolated().scheduleTask(deadline: lastActivity + patience) {
            guard self.loop.now >= self.lastActivity + self.patience else { return self.watch() }
            let limit = self.idleLimit
            self.services.metrics.add(limit.metric, 1)
            self.record.note(Reason("idle", "silent for \(limit.value) ms"))
            self.finish(.completed)
        }
    }

    private var idleLimit: Limit {
        // Nothing read yet is no sign of a resolver.
        guard case .carrying = stage, verdicts.asksOnlyDNS else { return AppleIntakeLimits.datagramIdle }
        return AppleIntakeLimits.datagramDNSIdle
    }

    private var patience: TimeAmount { .milliseconds(Int64(idleLimit.value)) }

    private func finish(_ outcome: FlowOutcome, refusing failure: ConnectFailure? = nil) {
        if case .over = stage { return }
        let channel: (any Channel)? = if case .carrying(let channel) = stage { channel } else { nil }
        stage = .over
        silence?.cancel()
        silence = nil
        channel?.close(promise: nil)
        if let failure {
            flow?.flow.refuse(failure)
        } else {
            flow?.flow.closeReadWithError(nil)
            flow?.flow.closeWriteWithError(nil)
        }
        flow = nil
        writeRecord(outcome)
        answers = DatagramQueue()
        ended?()
        ended = nil
    }

    private func writeRecord(_ outcome: FlowOutcome) {
        tally.lost(.overtaken, answers.dropped)
        record.outcome = outcome
        record.bytesOutbound = tally.sent.bytes
        record.bytesInbound = tally.received.bytes
        record.endedAt = services.now()
        for note in tally.notes() { record.note(note) }
        services.metrics.add("datagrams_lost_total", tally.losses)
        services.metrics.add(AppleIntakeLimits.datagramQueue.metric, answers.dropped)
        services.metrics.add(AppleIntakeLimits.datagramDestinations.metric, verdicts.forgotten)
        services.sink.record(flow: record)
    }
}

/// What comes out of the socket of a flow.
private final class DatagramLeg: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let flow: DatagramFlow

    init(_ flow: DatagramFlow) { self.flow = flow }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { flow.received(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        flow.writeAnswers()
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { flow.wayOutChanged() }

    func channelInactive(context: ChannelHandlerContext) { flow.wayOutEnded() }

    /// An error of one datagram; a lost socket says so by its end.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
