// SPDX-License-Identifier: Apache-2.0

// The request's direction: from the application's bytes to the origin.

import ContentInspection
import FlowModel
import FlowPolicy
import NIOCore

extension HTTP1Stage {
    /// Reads as much of the requests as has come.
    func advanceRequest() {
        while !isOver {
            switch request.phase {
            case .waiting:
                return
            case .head:
                guard !isDialling else { return }
                switch request.headReader.feed(&request.input) {
                case .needMore: return
                case .head(let head): beginExchange(head)
                case .refused(let refusal): return refuseRequest(refusal)
                }
                // Either the body follows now, or the origin is being dialled, or the request was answered by us.
                if request.phase != .body { return }
            case .body:
                guard advanceBody(request, refuse: { self.refuseRequest($0) }) else { return }
            }
        }
    }

    /// Moves a body on; false when it needs more input, has ended, or was stopped.
    func advanceBody(_ way: HTTP1Way, refuse: (HTTP1Refusal) -> Void) -> Bool {
        while true {
            guard let part = way.bodyReader?.next(&way.input) else { return false }
            switch part {
            case .framing(let bytes): way.body?.framing(bytes)
            case .content(let bytes): way.body?.content(bytes)
            case .trailers(let trailers):
                way.body?.trailers(inspectTrailers(trailers, way))
                guard !isOver else { return false }
            case .needMore:
                _ = forward(way)
                return false
            case .refused(let refusal):
                refuse(refusal)
                return false
            case .end:
                way.body?.end()
                guard forward(way) else { return false }
                completed(way)
                return false
            }
        }
    }

    /// A message has been carried whole.
    private func completed(_ way: HTTP1Way) {
        way.phase = .waiting
        way.body = nil
        way.bodyReader = nil
        if way === request { exchange?.requestIsComplete = true } else { exchange?.answerIsComplete = true }
        guard let now = exchange else { return }
        if now.requestIsComplete, now.answerIsComplete {
            completeExchange()
        } else if now.answerIsComplete, now.closes {
            // An early answer that ends the connection: the rest of the request has nowhere to go.
            exchange?.note(Reason("early-answer", "the origin answered and closed before the request's end"))
            closeInOrder()
        }
    }

    // MARK: The head

    private func beginExchange(_ head: HTTP1Head) {
        exchanges += 1
        var facts = driver.facts
        let destination: HTTP1Destination
        do {
            destination = try HTTP1Destination(head, defaultPort: facts.destination.port)
            _ = try head.expectsContinue()
        } catch {
            return refuseRequest(error)
        }
        if isAbsolute {
            guard case .absolute(let target) = destination.target, target.scheme == .http else {
                return refuseRequest(HTTP1Refusal(.unsupportedScheme, .request))
            }
            facts.destination = target.endpoint
            facts.names = []
        } else if destination.hostDisagrees, head.first(of: "host") != nil {
            // Policy would judge one of them, and whoever is behind us might believe the other.
            return refuseRequest(HTTP1Refusal(.hostDisagrees, .request))
        }
        if case .name(let name)? = destination.endpoint?.host { facts.learn(name, .claimed) }
        if head.upgradeProtocols.contains("websocket") { facts.protocols.append("websocket") }
        let verdict = blocking ?? driver.policy.policy.refine(facts)
        exchange = HTTP1Exchange(
            number: exchanges, request: head, facts: facts, verdict: verdict, profile: driver.profile(verdict))
        exchange?.closes = !head.keepsAlive
        if exchanges == 1 { driver.record.verdict = verdict }
        if verdict.lane == .block { return stop(.outbound, verdict.reason) }
        reachOrigin(facts.destination) { self.sendRequest(head, destination) }
    }

    /// Runs `next` with a connection to `origin`: the flow's own, or in absolute form the one the request names.
    private func reachOrigin(_ origin: Endpoint, _ next: @escaping () -> Void) {
        if isAbsolute, connectedOrigin != origin { driver.dropOrigin() }
        if driver.leg(.origin)?.isUsable == true { return next() }
        // What came through TLS never goes out in the clear.
        guard !isDecrypted else { return originUnreachable(.reset) }
        isDialling = true
        driver.dial(origin) { result in
            self.isDialling = false
            guard !self.isOver else { return }
            switch result {
            case .success:
                self.connectedOrigin = origin
                next()
                self.advance(.application)
                if !self.isOver, self.driver.leg(.application)?.inputEnded == true { self.applicationEnded() }
            case .failure(let failure):
                self.exchange?.note(Reason("origin-\(failure.rawValue)", "\(origin) could not be reached"))
                self.originUnreachable(failure)
            }
        }
    }

    private func sendRequest(_ head: HTTP1Head, _ destination: HTTP1Destination) {
        var head = head
        let framing: HTTP1Framing
        do {
            if isAbsolute { head = try head.forOrigin(destination) }
            framing = try HTTP1Framing(head)
        } catch {
            return refuseRequest(error)
        }
        let restraint = Uneditable.reason(for: head)
        request.restraint = restraint
        inspectHead(&head, .outbound, restraint)
        guard !isOver else { return }
        request.body = makeBody(for: head, framing, .outbound, restraint)
        request.bodyReader = HTTP1BodyReader(framing, of: .request)
        request.phase = .body
        answer.phase = .head
        answer.headReader = HTTP1HeadReader(.response)
        if framing == .none { _ = forward(request) }
    }

    // MARK: Bodies

    /// Chooses how the body of a message is carried.
    func makeBody(
        for head: HTTP1Head, _ framing: HTTP1Framing, _ direction: Direction, _ restraint: Reason?
    ) -> any MessageBody {
        guard let exchange, let profile = exchange.profile, exchange.verdict.lane == .inspect, framing != .none,
            let plan = driver.policy.plan(profile, direction, for: exchange.facts)
        else { return PassingBody(head: head.raw) }
        switch ContentCoding.parse(
            head.values(of: "content-encoding").map { head.text($0.valueRange) }.joined(separator: ","))
        {
        case .identity:
            return PlainBody(
                head: head.raw, plan: plan, mediaType: head.text(of: "content-type"), restraint: restraint)
        case .coded(let codings) where head.status == 206:
            // A part cannot be decoded without the rest.
            return unread(head, codings.map(\.rawValue).joined(separator: ", "))
        case .coded(let codings) where codings.count == 1:
            return CodedBody(
                head: head, framing: framing, coding: codings[0], plan: plan, restraint: restraint,
                isForHTTP10: exchange.request.version == .http10)
        case .coded(let codings):
            return unread(head, codings.map(\.rawValue).joined(separator: ", "))
        case .unsupported(let name):
            return unread(head, name)
        }
    }

    private func unread(_ head: HTTP1Head, _ coding: String) -> any MessageBody {
        exchange?.note(Reason("coding-not-read", "the content coding \(coding.prefix(32)) is not read yet"))
        return PassingBody(head: head.raw)
    }

    /// Inspects the target and the fields of a head, and edits them in place.
    func inspectHead(_ head: inout HTTP1Head, _ direction: Direction, _ restraint: Reason?) {
        guard var inspection = headInspection(direction, restraint) else { return }
        head = inspection.inspect(head)
        hear(inspection, direction)
    }

    /// The trailer section to send.
    private func inspectTrailers(_ trailers: HTTP1Trailers, _ way: HTTP1Way) -> ByteBuffer {
        guard var inspection = headInspection(way.direction, way.restraint) else { return trailers.raw }
        defer { hear(inspection, way.direction) }
        return inspection.inspect(trailers)
    }

    private func headInspection(_ direction: Direction, _ restraint: Reason?) -> HeadInspection? {
        guard let exchange, let profile = exchange.profile, exchange.verdict.lane == .inspect,
            let plan = driver.policy.plan(profile, direction, for: exchange.facts)
        else { return nil }
        return HeadInspection(plan: plan, restraint: restraint)
    }

    private func hear(_ inspection: HeadInspection, _ direction: Direction) {
        for (part, finding) in inspection.findings { record(finding, direction, part) }
        if stopsUneditable(inspection.findings.map(\.1), direction) { return }
        if let blocked = inspection.blocked {
            stop(direction, Reason("content-blocked", "the message holds \(blocked.type)"))
        }
    }
}

extension HTTP1Head {
    /// This head, read from a proxy's client, as the origin shall see it.
    fileprivate func forOrigin(_ destination: HTTP1Destination) throws(HTTP1Refusal) -> HTTP1Head {
        var editor = HTTP1HeadEditor(self)
        try editor.rewriteToOriginForm(destination)
        for name in ["proxy-connection", "proxy-authorization"] {
            for field in values(of: name) { try editor.remove(field) }
        }
        return try editor.finish()
    }
}
