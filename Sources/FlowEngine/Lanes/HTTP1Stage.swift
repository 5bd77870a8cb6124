// SPDX-License-Identifier: Apache-2.0

// HTTP/1: reads requests and answers, judges each request, inspects and edits bodies, and keeps live what is live.

import FlowModel
import FlowPolicy
import NIOCore
import NIOSSL

/// Carries HTTP/1 between the two legs, one exchange after the other, both directions at once.
///
/// Each request has its own verdict. Nothing waits for a whole body: what may go out goes out with every read. A message
/// that breaks the rules is refused, never sent on raw. A request that came early waits, unread beyond
/// `http1.held-input`, until the answer before it is complete.
final class HTTP1Stage: Stage {
    let driver: FlowDriver
    let isDecrypted: Bool
    /// Set when the flow itself was blocked: no request can then buy itself another verdict.
    let blocking: Verdict?
    let request: HTTP1Way
    let answer: HTTP1Way
    var exchange: HTTP1Exchange?
    var exchanges = 0
    /// In absolute form: the origin that the leg `.origin` is connected to.
    var connectedOrigin: Endpoint?
    var isDialling = false
    var isOver = false

    init(
        _ driver: FlowDriver, readFromApplication: ByteBuffer = ByteBuffer(), readFromOrigin: ByteBuffer = ByteBuffer(),
        isDecrypted: Bool = false, blocking: Verdict? = nil
    ) {
        self.driver = driver
        self.isDecrypted = isDecrypted
        self.blocking = blocking
        request = HTTP1Way(.outbound, input: readFromApplication)
        answer = HTTP1Way(.inbound, input: readFromOrigin)
    }

    var isAbsolute: Bool { driver.facts.intake == .absoluteForm }

    // MARK: Events

    func begin() {
        driver.count(request.input.readableBytes, from: .application)
        driver.count(answer.input.readableBytes, from: .origin)
        if driver.leg(.origin) != nil { connectedOrigin = driver.facts.destination }
        advance(.application)
        if answer.input.readableBytes > 0 { advance(.origin) }
        if driver.leg(.application)?.inputEnded == true { inputClosed(.application) }
        if driver.leg(.origin)?.inputEnded == true { inputClosed(.origin) }
    }

    func received(_ side: Side, _ buffer: ByteBuffer) {
        guard !isOver else { return }
        driver.count(buffer.readableBytes, from: side)
        if side == .application { request.receive(buffer) } else { answer.receive(buffer) }
    }

    func readComplete(_ side: Side) { advance(side) }

    func writabilityChanged(_ side: Side) { pump() }

    func inputClosed(_ side: Side) {
        guard !isOver else { return }
        if side == .application { applicationEnded() } else { originEnded() }
    }

    func failed(_ side: Side, _ error: (any Error)?) {
        guard !isOver else { return }
        if side == .origin { return originFailed() }
        // Many clients leave between exchanges without TLS's goodbye; that is no reset to carry.
        let isReset = exchange != nil || !(error is NIOSSLError)
        driver.dropOrigin(reset: isReset)
        end(isReset ? .reset : .completed)
    }

    // MARK: Moving on

    /// Reads what has come from `side`, sends what may go, and asks for more.
    func advance(_ side: Side) {
        guard !isOver else { return }
        if side == .application { advanceRequest() } else { advanceAnswer() }
        guard !isOver else { return }
        (side == .application ? request : answer).releaseInput()
        driver.leg(side.other)?.flush()
        pump()
    }

    /// Asks each side for more where its bytes can be taken.
    private func pump() {
        guard !isOver else { return }
        if wantsRequestBytes { driver.leg(.application)?.read() }
        if driver.leg(.application)?.isWritable == true { driver.leg(.origin)?.read() }
    }

    private var wantsRequestBytes: Bool {
        switch request.phase {
        case .head where !isDialling: return true
        case .head: return request.input.readableBytes < EngineLimits.heldInput.value
        case .waiting: return request.input.readableBytes < EngineLimits.heldInput.value
        case .body: return driver.leg(.origin)?.isWritable ?? false
        }
    }

    /// Sends what a body has ready and hears its news; false when the message had to be stopped.
    func forward(_ way: HTTP1Way) -> Bool {
        guard let body = way.body else { return true }
        if let news = body.takeNews(), !hear(news, way.direction) { return false }
        if let ready = body.takeReady() {
            if way.direction == .inbound { exchange?.isAnswerBegun = true }
            driver.leg(way.sink)?.write(ready)
        }
        arm(way)
        return true
    }

    /// Lets held bytes go when nothing has come for the body's hold limit.
    private func arm(_ way: HTTP1Way) {
        guard let body = way.body, let limit = body.holdLimit, !way.isArmed else { return }
        way.isArmed = true
        let reads = way.reads
        driver.after(limit) {
            way.isArmed = false
            guard !self.isOver else { return }
            // Another message, or input that came meanwhile: the wait begins anew.
            guard way.body === body, body.holdsInAll || way.reads == reads else { return self.arm(way) }
            body.deadline()
            guard self.forward(way), !self.isOver else { return }
            self.driver.leg(way.sink)?.flush()
        }
    }

    /// Records what a body had to tell; false when the message is blocked.
    private func hear(_ news: BodyNews, _ direction: Direction) -> Bool {
        for note in news.notes { exchange?.note(note) }
        if news.deadlineReleases > 0 {
            driver.engine.services.metrics.add(EngineLimits.candidateWait.metric, news.deadlineReleases)
        }
        for finding in news.findings { record(finding, direction, .body) }
        if stopsUneditable(news.findings, direction) { return false }
        if let blocked = news.blocked {
            stop(direction, Reason("content-blocked", "the message holds \(blocked.type)"))
            return false
        }
        if let refused = news.refused {
            stop(direction, refused)
            return false
        }
        return true
    }

    /// Stops a message that holds what policy wants edited and nobody may edit; false when there is no such finding.
    func stopsUneditable(_ findings: [Finding], _ direction: Direction) -> Bool {
        guard let finding = findings.first(where: { mustStop($0, direction) }) else { return false }
        stop(direction, Reason("uneditable-blocked", "the message holds \(finding.type) and cannot be edited"))
        return true
    }

    /// Whether policy rather refuses a message than lets a finding pass that cannot be edited.
    private func mustStop(_ finding: Finding, _ direction: Direction) -> Bool {
        guard let profile = exchange?.profile, profile.uneditable == .block, let restraint = finding.restraint,
            restraint.code == "uneditable" || restraint.code == "not-text"
        else { return false }
        return profile.decision(on: finding.type, direction).action != .report
    }

    func record(_ finding: Finding, _ direction: Direction, _ part: MessagePart) {
        driver.record.findings += 1
        var finding = finding
        // What the mode of the policy holds back is said with the finding.
        finding.restraint = finding.restraint ?? exchange?.profile?.decision(on: finding.type, direction).restraint
        driver.engine.services.sink.record(
            finding: FindingRecord(
                flow: driver.facts.id, at: driver.engine.services.now(), message: exchange?.number ?? 0,
                direction: direction, part: part, host: exchange?.host ?? driver.facts.displayHost, finding: finding))
    }

    // MARK: The end

    /// The exchange is complete in both directions.
    func completeExchange() {
        guard let done = exchange else { return }
        recordExchange(done.verdict)
        exchange = nil
        if done.closes { return closeInOrder() }
        request.phase = .head
        answer.phase = .head
        // Nobody has asked yet for what the origin sent behind its answer.
        if answer.input.readableBytes > 0 { return unsolicited() }
        // A request that came early can now be read.
        if request.input.readableBytes > 0 { advance(.application) }
        if !isOver, driver.leg(.application)?.inputEnded == true { applicationEnded() }
    }

    func recordExchange(_ verdict: Verdict) {
        guard let done = exchange else { return }
        driver.record.messages += 1
        driver.engine.services.sink.record(
            message: MessageRecord(
                flow: driver.facts.id, at: driver.engine.services.now(), message: done.number, method: done.method,
                host: done.host, status: done.status, verdict: verdict, notes: done.notes))
    }

    /// Ends the conversation after the last answer.
    ///
    /// What is still under way is recorded as it stands.
    func closeInOrder() {
        isOver = true
        if let cut = exchange { recordExchange(cut.verdict) }
        exchange = nil
        driver.leg(.application)?.flush()
        driver.dropOrigin()
        driver.become(LingerStage(driver, outcome: .completed))
    }

    func end(_ outcome: FlowOutcome) {
        guard !isOver else { return }
        isOver = true
        if exchange != nil { recordExchange(exchange?.verdict ?? driver.record.verdict) }
        exchange = nil
        driver.finish(outcome)
    }
}

/// One direction of the conversation: what has come and what is being done with it.
final class HTTP1Way {
    enum Phase {
        /// Between messages, or inside a head.
        case head
        case body
        /// The message is complete; the other direction is not.
        case waiting
    }

    let direction: Direction
    var input: ByteBuffer
    var phase = Phase.head
    var headReader: HTTP1HeadReader
    var bodyReader: HTTP1BodyReader?
    var body: (any MessageBody)?
    /// Why the message may not be edited.
    var restraint: Reason?
    /// Counts reads, so that a deadline knows whether anything came.
    private(set) var reads = 0
    var isArmed = false

    init(_ direction: Direction, input: ByteBuffer) {
        self.direction = direction
        self.input = input
        headReader = HTTP1HeadReader(direction == .outbound ? .request : .response)
    }

    /// The side that the bytes go to.
    var sink: Side { direction == .outbound ? .origin : .application }

    /// Lets go of the memory of bytes that have all been taken, so that an idle connection holds none.
    func releaseInput() {
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    func receive(_ buffer: ByteBuffer) {
        reads &+= 1
        if input.readableBytes == 0 { input = buffer } else { input.writeImmutableBuffer(buffer) }
    }
}
