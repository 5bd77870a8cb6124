// SPDX-License-Identifier: Apache-2.0

// The answer's direction, and the answers that Weir gives itself.

import FlowModel
import NIOCore

extension HTTP1Stage {
    /// Reads as much of the answer as has come.
    func advanceAnswer() {
        while !isOver, answer.input.readableBytes > 0 || answer.phase == .body {
            switch answer.phase {
            case .waiting:
                return unsolicited()
            case .head:
                guard exchange != nil else { return unsolicited() }
                switch answer.headReader.feed(&answer.input) {
                case .needMore: return
                case .refused(let refusal): return refuseAnswer(refusal)
                case .head(let head): beginAnswer(head)
                }
            case .body:
                guard advanceBody(answer, refuse: { self.refuseAnswer($0) }) else { return }
            }
        }
    }

    private func beginAnswer(_ head: HTTP1Head) {
        guard let now = exchange else { return }
        let status = head.status
        if (100..<200).contains(status), status != 101 {
            // An interim answer goes on at once; the final one is still to come.
            driver.leg(.application)?.write(head.raw)
            answer.headReader = HTTP1HeadReader(.response)
            return
        }
        exchange?.status = status
        // Else an origin could end inspection in the middle of a request.
        guard status != 101 || now.requestIsComplete && !now.request.upgradeProtocols.isEmpty else {
            return refuseAnswer(HTTP1Refusal(.unaskedUpgrade, .response))
        }
        if head.leavesHTTP(answering: now.method) {
            return upgrade(head, status == 101 ? "the connection changed its protocol" : "a tunnel was opened")
        }
        let framing: HTTP1Framing
        do {
            framing = try HTTP1Framing(head, answering: now.method)
        } catch {
            return refuseAnswer(error)
        }
        if framing == .untilClose || !head.keepsAlive { exchange?.closes = true }
        var head = head
        let restraint = Uneditable.reason(for: head)
        answer.restraint = restraint
        inspectHead(&head, .inbound, restraint)
        guard !isOver else { return }
        answer.body = makeBody(for: head, framing, .inbound, restraint)
        answer.bodyReader = HTTP1BodyReader(framing, of: .response)
        answer.phase = .body
    }

    /// From here on the two sides speak something else: bytes are relayed until it is read.
    private func upgrade(_ head: HTTP1Head, _ why: String) {
        driver.leg(.application)?.write(head.raw)
        driver.leg(.application)?.flush()
        recordExchange(exchange?.verdict ?? driver.record.verdict)
        if head.status == 101, let protocols = exchange?.facts.protocols { driver.facts.protocols = protocols }
        exchange = nil
        isOver = true
        driver.note(Reason("upgraded", why))
        driver.become(
            RelayStage(driver, readFromApplication: request.input, readFromOrigin: answer.input, counted: true))
    }

    /// Bytes of the origin that answer nothing: an origin gives up a waiting connection so, or poisons it.
    func unsolicited() {
        driver.note(Reason("unsolicited-answer", "the origin sent bytes that no request asked for; they were dropped"))
        closeInOrder()
    }

    // MARK: Ends

    func applicationEnded() {
        // The request under way goes out once its origin is connected, and the end behind it.
        guard !isDialling else { return }
        if exchange == nil, request.input.readableBytes == 0 {
            // Between messages: the origin hears of it and ends in its own time.
            guard let origin = driver.leg(.origin) else { return closeInOrder() }
            origin.closeOutput()
            if origin.inputEnded { closeInOrder() }
            return
        }
        if request.phase == .waiting {
            // Requests that came early go out before the end does.
            if request.input.readableBytes == 0 { driver.leg(.origin)?.closeOutput() }
            return
        }
        // The request was cut off: what came of it goes on, and so does its end.
        request.body?.cut()
        guard forward(request) else { return }
        exchange?.note(Reason("request-cut", "the application ended inside its request"))
        if let origin = driver.leg(.origin) { origin.closeOutput() } else { closeInOrder() }
    }

    func originEnded() {
        switch answer.phase {
        case .head where exchange == nil:
            loseIdleOrigin()
        case .head, .waiting:
            guard exchange?.answerIsComplete != true else { return closeInOrder() }
            exchange?.note(Reason("no-answer", "the origin ended without an answer"))
            if isAbsolute, exchange?.isAnswerBegun == false { return originUnreachable(.reset) }
            closeInOrder()
        case .body:
            let isWhole = answer.bodyReader?.endOfInput() == .end
            if isWhole { answer.body?.end() } else { answer.body?.cut() }
            guard forward(answer) else { return }
            if !isWhole { exchange?.note(Reason("answer-cut", "the origin ended inside its answer")) }
            closeInOrder()
        }
    }

    /// The origin has gone between exchanges: a proxy's client may still want another one.
    private func loseIdleOrigin() {
        guard isAbsolute, driver.leg(.application)?.inputEnded == false else { return closeInOrder() }
        driver.dropOrigin()
        connectedOrigin = nil
    }

    /// The origin's connection was reset or ended without order.
    func originFailed() {
        switch (exchange, answer.phase) {
        case (nil, _):
            loseIdleOrigin()
        case (.some(let now), _) where isAbsolute && !now.isAnswerBegun:
            originUnreachable(.reset)
        case (.some(let now), _) where now.answerIsComplete:
            closeInOrder()
        default:
            // What came before the reset has been sent; the reset follows it.
            exchange?.note(Reason("origin-reset", "the origin's connection broke inside the exchange"))
            driver.leg(.application)?.reset()
            end(.reset)
        }
    }

    /// The origin cannot be reached: a proxy's client hears 502 or 504, any other one a broken connection.
    func originUnreachable(_ failure: ConnectFailure) {
        guard isAbsolute else {
            recordExchange(exchange?.verdict ?? driver.record.verdict)
            exchange = nil
            isOver = true
            return driver.abort(.unreachable)
        }
        let status = failure == .timedOut ? 504 : 502
        answerOurselves(status, Reason("origin-\(failure.rawValue)", "the origin could not be reached"), .unreachable)
    }

    // MARK: Answers of ours

    /// Policy stops a message of this direction.
    func stop(_ direction: Direction, _ reason: Reason) {
        let verdict = Verdict(.block, rule: exchange?.verdict.rule, reason: reason)
        exchange?.verdict = verdict
        driver.record.verdict = verdict
        driver.engine.services.metrics.add("messages_blocked_total", 1)
        answerOurselves(403, reason, .blocked)
    }

    func refuseRequest(_ refusal: HTTP1Refusal) {
        driver.engine.services.metrics.add("http1_requests_refused_total", 1)
        answerOurselves(refusal.status, refusal.reason, .refused)
    }

    func refuseAnswer(_ refusal: HTTP1Refusal) {
        driver.engine.services.metrics.add("http1_answers_refused_total", 1)
        answerOurselves(refusal.status, refusal.reason, .refused)
    }

    /// Answers in the origin's place and ends the connection; where an answer has begun, only a reset is left.
    private func answerOurselves(_ status: Int, _ reason: Reason, _ outcome: FlowOutcome) {
        guard !isOver else { return }
        isOver = true
        if driver.record.verdict.reason != reason { driver.note(reason) }
        // A request that was sent in part must never look complete to the origin.
        driver.dropOrigin(reset: true)
        if exchange?.isAnswerBegun == true {
            recordExchange(exchange?.verdict ?? driver.record.verdict)
            exchange = nil
            return driver.abort(outcome)
        }
        exchange?.status = status
        recordExchange(exchange?.verdict ?? driver.record.verdict)
        let page = HTTP1Answer(status: status, reason: reason, flow: driver.facts.id)
        driver.leg(.application)?.write(page.bytes(answering: exchange?.request))
        exchange = nil
        driver.touch()
        driver.become(LingerStage(driver, outcome: outcome))
    }
}
