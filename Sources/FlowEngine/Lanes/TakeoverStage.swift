// SPDX-License-Identifier: Apache-2.0

// TLS takeover: the origin's handshake first and judged by us, then ours with the application, then the bytes inside.

import FlowModel
import FlowPolicy
import NIOCore
import NIOSSL
import NIOTLS

/// Takes over a TLS connection of which the ClientHello has been read and nothing answered.
///
/// | state | event | action |
/// |---|---|---|
/// | origin's handshake | done, chain good | judge again with the proved name; mint; our handshake |
/// | origin's handshake | failed, chain bad, too slow | re-dial and relay with the application's own ClientHello, or refuse |
/// | our handshake | done | classify the bytes inside |
/// | our handshake | failed | end both sides: the application does not accept our certificate |
final class TakeoverStage: Stage {
    enum Purpose {
        case inspect(Verdict)
        /// Only to say no: the origin is not contacted.
        case answer(Verdict)
    }

    private enum Step { case originHandshake, minting, ourHandshake, over }

    private let driver: FlowDriver
    private let hello: ClientHello
    private let raw: ByteBuffer
    private let purpose: Purpose
    private var step = Step.originHandshake
    private var deadline: TimerID?
    private var handshake: UpstreamHandshake?

    init(_ driver: FlowDriver, hello: ClientHello, raw: ByteBuffer, purpose: Purpose) {
        self.driver = driver
        self.hello = hello
        self.raw = raw
        self.purpose = purpose
    }

    /// The host that the application believes it talks to: the leaf names it and nothing else.
    private var host: Host { hello.hostName.map(Host.name) ?? driver.facts.destination.host }

    // MARK: Events

    func begin() {
        guard let services = driver.engine.services.takeover else {
            return fallBack(Reason("tls-not-configured", "no certificate authority is loaded"))
        }
        deadline = driver.after(TLSLimits.handshake) { self.tooSlow() }
        let offersHTTP1 = hello.alpn?.contains("http/1.1") ?? false
        if case .answer = purpose { return mint(services, alpn: offersHTTP1 ? "http/1.1" : nil) }
        // The origin is offered what the application offers, as far as it is read: HTTP/1.1, or nothing at all.
        guard offersHTTP1 || (hello.alpn ?? []).isEmpty else {
            return fallBack(Reason("alpn-not-read", "the application offers only protocols that are not read yet"))
        }
        guard hello.offersModernVersion else {
            return fallBack(Reason("tls-version", "the application offers nothing newer than TLS 1.1"))
        }
        do {
            guard let origin = driver.leg(.origin) else { return driver.abort(.aborted) }
            let handshake = try services.upstream.handshake(
                with: host, alpn: offersHTTP1 ? .http1 : .none, trust: services.trust)
            self.handshake = handshake
            try origin.channel.pipeline.syncOperations.addHandler(
                handshake.handler, name: Abort.tlsHandler, position: .first)
            // Nobody has asked it for bytes yet when it was dialled only now.
            origin.readThroughHandshake()
        } catch {
            fallBack(Reason("tls-origin-setup", "the origin's TLS could not be set up"))
        }
    }

    func received(_ side: Side, _ buffer: ByteBuffer) {
        // Application data before our handshake is done can only be the origin speaking first: kept for the next stage.
        if side == .origin { early.writeImmutableBuffer(buffer) } else { inside.writeImmutableBuffer(buffer) }
    }

    private var early = ByteBuffer()
    private var inside = ByteBuffer()

    func readComplete(_ side: Side) {}

    func event(_ side: Side, _ event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent else { return }
        switch (side, step) {
        case (.origin, .originHandshake): originReady(negotiated)
        case (.application, .ourHandshake): applicationReady()
        default: break
        }
    }

    func inputClosed(_ side: Side) {
        // While the origin is dialled again the relay to come carries the end.
        if step == .over { return }
        if side == .application { failed(side, nil) } else if step == .originHandshake { originFailed(nil) }
    }

    func failed(_ side: Side, _ error: (any Error)?) {
        switch (side, step) {
        case (.origin, .over): break
        case (.origin, .originHandshake): originFailed(error)
        case (.application, .ourHandshake):
            driver.note(
                error.map { TakeoverFailure(clientError: $0).reason } ?? TakeoverFailure.leafRefused("EOF").reason)
            driver.engine.services.metrics.add("takeovers_rejected_total", 1)
            over()
            driver.abort(.reset)
        default:
            over()
            driver.abort(.reset)
        }
    }

    // MARK: The origin

    private func originReady(_ negotiated: String?) {
        guard case .inspect = purpose, let services = driver.engine.services.takeover else { return }
        if case .good(_, let notes)? = handshake?.verdict { for note in notes { driver.note(note) } }
        if let name = hello.hostName { driver.facts.learn(name, .proved) }
        let verdict = driver.refine()
        switch verdict.lane {
        case .inspect, .block:
            mint(services, alpn: negotiated)
        case .relay, .bypass:
            // With the name proved another rule decides. Nothing was answered yet, so the application can have its own.
            redialAndRelay(verdict.reason)
        }
    }

    private func originFailed(_ error: (any Error)?) {
        let failure = handshake?.failure(error ?? ChannelError.eof) ?? .handshake(.origin, "CONNECTION_LOST")
        fallBack(failure.reason)
    }

    private func tooSlow() {
        guard step != .over else { return }
        driver.engine.services.metrics.add(TLSLimits.handshake.metric, 1)
        if step == .originHandshake {
            fallBack(Reason("takeover-timeout", "the origin's handshake took too long"))
        } else {
            driver.note(Reason("takeover-timeout", "the application's handshake took too long"))
            over()
            driver.abort(.aborted)
        }
    }

    /// What cannot be taken over honestly is relayed with the application's own ClientHello, or refused, by rule.
    private func fallBack(_ reason: Reason) {
        driver.engine.services.metrics.add("takeovers_failed_total", 1)
        let relays: Bool
        switch purpose {
        case .answer: relays = false
        case .inspect(let verdict): relays = driver.profile(verdict)?.onFailure.beforeTakeover != .block
        }
        driver.note(reason)
        if relays { return redialAndRelay(reason) }
        over()
        driver.abort(.blocked)
    }

    private func redialAndRelay(_ reason: Reason) {
        over()
        guard let proof = driver.takeUntouched() else { return driver.abort(.aborted) }
        if handshake == nil, driver.leg(.origin)?.isUsable == true {
            return driver.relayUntouched(proof, fromApplication: raw, because: reason)
        }
        driver.restore(proof)
        driver.dropOrigin()
        driver.dialOrEnd {
            guard let proof = self.driver.takeUntouched() else { return self.driver.abort(.aborted) }
            self.driver.relayUntouched(proof, fromApplication: self.raw, because: reason)
        }
    }

    // MARK: The application

    private func mint(_ services: TakeoverServices, alpn: String?) {
        step = .minting
        services.minter.context(for: host, alpn: alpn, on: driver.loop).assumeIsolated().whenComplete { result in
            guard self.step == .minting else { return }
            switch result {
            case .success(let context): self.shakeHands(context)
            case .failure:
                self.fallBack(Reason("leaf-not-made", "no certificate could be made for this host"))
            }
        }
    }

    private func shakeHands(_ context: NIOSSLContext) {
        guard let application = driver.leg(.application) else { return driver.abort(.aborted) }
        step = .ourHandshake
        // From here on the application is answered by us.
        driver.touch()
        do {
            let pipeline = application.channel.pipeline
            try pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: context), name: Abort.tlsHandler, position: .first)
            pipeline.fireChannelRead(raw)
            pipeline.fireChannelReadComplete()
            application.readThroughHandshake()
        } catch {
            over()
            driver.abort(.aborted)
        }
    }

    private func applicationReady() {
        over()
        driver.engine.services.metrics.add("takeovers_total", 1)
        let blocking: Verdict?
        switch purpose {
        case .answer(let verdict): blocking = verdict
        case .inspect: blocking = driver.record.verdict.lane == .block ? driver.record.verdict : nil
        }
        if blocking != nil { driver.dropOrigin() }
        driver.become(
            ClassifyStage(
                driver, isDecrypted: true, blocking: blocking, fromApplication: inside, fromOrigin: early))
    }

    private func over() {
        step = .over
        driver.cancel(deadline)
    }
}
