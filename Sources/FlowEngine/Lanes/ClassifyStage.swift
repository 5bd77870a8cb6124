// SPDX-License-Identifier: Apache-2.0

// Classification: what does this flow speak? Decides on as few bytes as prove it, however small the pieces.

import FlowModel
import FlowPolicy
import NIOCore

/// Waits for enough bytes to tell TLS, HTTP and everything else apart, then hands the flow to its next stage.
///
/// | event | action |
/// |---|---|
/// | the application's bytes prove TLS | learn the name, refine the verdict, take over, relay or block |
/// | they prove HTTP | the flow is HTTP for good: never sent on raw again |
/// | they prove neither | the lane that policy says for other protocols |
/// | they prove nothing yet | wait for more, without limit of time: undecided is not a way past inspection |
/// | the origin speaks first | a server-first protocol: not TLS and not HTTP |
/// | a blocked application says too little for an answer | reset it after `classify.blocked-wait` |
/// | the origin ends its side undecided | carry the end and go on waiting |
/// | the wait of a deferred flow is over, `deferred.then: missing` | dial the origin if that is to be done, and go on |
/// | the same, `deferred.then: relay` | relay raw |
/// | the same, `deferred.then: block` | let go of the origin; only the form of the answer is open |
final class ClassifyStage: Stage {
    private let driver: FlowDriver
    /// Inside a TLS connection that we took over; TLS within TLS is not read.
    private let isDecrypted: Bool
    /// Set when it is decided already to block: only the form of the answer is open.
    private var blocking: Verdict?
    /// Set when the decision waits for what the first bytes tell.
    private let deferral: Deferral?
    private var application = ByteBuffer()
    private var origin: ByteBuffer
    private var httpClassifier = HTTP1Classifier()
    private var helloReader = ClientHelloReader()
    private var helloReading = ClientHelloReading.needsMore
    private var silence: TimerID?
    private var isDialling = false
    private var isDecided = false

    init(
        _ driver: FlowDriver, isDecrypted: Bool = false, blocking: Verdict? = nil, deferral: Deferral? = nil,
        fromApplication: ByteBuffer = ByteBuffer(), fromOrigin: ByteBuffer = ByteBuffer()
    ) {
        self.driver = driver
        self.isDecrypted = isDecrypted
        self.blocking = blocking
        self.deferral = deferral
        origin = fromOrigin
        received(.application, fromApplication)
    }

    func begin() {
        if blocking != nil {
            waitForWords()
        } else if driver.leg(.origin) == nil || deferral?.lastWord != nil {
            let wait = deferral?.within.map { .milliseconds(Int64($0)) } ?? EngineLimits.classifyWait.timeAmount
            silence = driver.after(wait) { self.waitIsOver() }
        }
        driver.leg(.application)?.read()
        driver.leg(.origin)?.read()
        if application.readableBytes > 0 || origin.readableBytes > 0 { classify() }
        if driver.leg(.application)?.inputEnded == true { inputClosed(.application) }
        if driver.leg(.origin)?.inputEnded == true { inputClosed(.origin) }
    }

    func received(_ side: Side, _ buffer: ByteBuffer) {
        if side == .application {
            application.writeImmutableBuffer(buffer)
            if !isDecrypted { helloReading = helloReader.read(buffer.readableBytesUInt8Span) }
        } else {
            origin.writeImmutableBuffer(buffer)
        }
    }

    func readComplete(_ side: Side) {
        guard !isDecided else { return }
        classify()
        if !isDecided { driver.leg(side)?.read() }
    }

    func inputClosed(_ side: Side) {
        guard !isDecided else { return }
        classify()
        guard !isDecided else { return }
        if side == .application {
            decideOther(Reason("ended-undecided", "ended before its protocol was known"))
        } else {
            // The end is carried; what the application still sends is looked at all the same.
            driver.leg(.application)?.closeOutput()
        }
    }

    func failed(_ side: Side, _ error: (any Error)?) {
        driver.leg(side.other)?.reset()
        driver.finish(.reset)
    }

    // MARK: Deciding

    private func classify() {
        if !isDecrypted {
            switch helloReading {
            case .hello(let clientHello): return decideTLS(clientHello)
            case .malformed(let fault): return decideOther(fault.reason)
            case .needsMore where application.readableBytes > 0: return speaksFirst()
            case .needsMore, .notTLS: break
            }
        }
        switch httpClassifier.classify(application) {
        case .http: decideHTTP()
        case .notHTTP(let reason): decideOther(reason)
        case .needMore: speaksFirst()
        }
    }

    /// The application's bytes decide nothing yet; perhaps the origin's do.
    private func speaksFirst() {
        if application.readableBytes > EngineLimits.classifyBytes.value {
            return decideOther(
                Reason("undecided", "more than \(EngineLimits.classifyBytes.value) bytes decide nothing"))
        }
        guard origin.readableBytes > 0 else { return }
        // An HTTP origin that lost patience speaks first too, or one that wants to be relayed: it is HTTP all the same.
        if origin.begins(with: "HTTP/1.") {
            if application.readableBytes > 0 || origin.readableBytes >= 7 { decideHTTP() }
            return
        }
        decideOther(Reason("server-first", "the origin spoke first"))
    }

    private func decideTLS(_ clientHello: ClientHello) {
        decided()
        driver.facts.protocols.append("tls")
        if let name = clientHello.hostName { driver.facts.learn(name, .claimed) }
        let verdict = blocking ?? driver.refine()
        switch verdict.lane {
        case .block:
            afterDialling {
                self.driver.become(
                    TakeoverStage(self.driver, hello: clientHello, raw: self.application, purpose: .answer(verdict)))
            }
        case .relay, .bypass:
            relayRaw(verdict.reason)
        case .inspect:
            withOrigin {
                self.driver.become(
                    TakeoverStage(self.driver, hello: clientHello, raw: self.application, purpose: .inspect(verdict)))
            }
        }
    }

    private func decideHTTP() {
        decided()
        driver.touch()
        driver.facts.protocols.append("http/1.1")
        if blocking == nil { driver.refine() }
        afterDialling {
            self.driver.become(
                HTTP1Stage(
                    self.driver, readFromApplication: self.application, readFromOrigin: self.origin,
                    isDecrypted: self.isDecrypted, blocking: self.blocking))
        }
    }

    private func decideOther(_ reason: Reason) {
        decided()
        driver.note(reason)
        if reason == HTTP1Classifier.http2Preface { driver.facts.protocols.append("http/2") }
        let verdict = blocking ?? driver.refine()
        let refused = verdict.lane == .block || (verdict.lane == .inspect && driver.profile(verdict)?.nonHTTP == .block)
        guard !refused else {
            driver.note(Reason("other-blocked", "policy blocks what is not HTTP"))
            return driver.abort(.blocked)
        }
        if isDecrypted {
            driver.become(RelayStage(driver, readFromApplication: application, readFromOrigin: origin))
        } else {
            relayRaw(reason)
        }
    }

    private func relayRaw(_ reason: Reason) {
        withOrigin {
            guard let proof = self.driver.takeUntouched() else { return self.driver.abort(.aborted) }
            self.driver.relayUntouched(
                proof, fromApplication: self.application, fromOrigin: self.origin, because: reason)
        }
    }

    private func decided() {
        isDecided = true
        driver.cancel(silence)
    }

    // MARK: The origin

    /// A blocked application may say what it would understand, but not for ever.
    private func waitForWords() {
        silence = driver.after(EngineLimits.blockedWait) {
            self.driver.engine.services.metrics.add(EngineLimits.blockedWait.metric, 1)
            self.decideOther(Reason("blocked-undecided", "it said nothing that shows how to answer it"))
        }
    }

    /// What the decision waited for did not come in time.
    private func waitIsOver() {
        driver.engine.services.metrics.add(EngineLimits.classifyWait.metric, 1)
        // Left to the rules, a name that comes late still decides: silence is not a way past a rule.
        guard let verdict = deferral?.lastWord else { return dialInSilence() }
        driver.record.verdict = verdict
        if verdict.lane == .block {
            blocking = verdict
            driver.dropOrigin()
            origin.clear()
            waitForWords()
        } else {
            decided()
            relayRaw(verdict.reason)
        }
    }

    private func dialInSilence() {
        isDialling = true
        driver.dialOrEnd {
            self.isDialling = false
            let next = self.continuation
            self.continuation = nil
            if let next { next() } else { self.driver.leg(.origin)?.read() }
        }
    }

    private var continuation: (() -> Void)?

    /// Runs `next` once the origin is connected.
    private func withOrigin(_ next: @escaping () -> Void) {
        afterDialling {
            if self.driver.leg(.origin) != nil { return next() }
            self.driver.dialOrEnd { next() }
        }
    }

    /// Runs `next` now, or once the dial that is under way is over: a flow never has two connections to its origin.
    private func afterDialling(_ next: @escaping () -> Void) {
        if isDialling { continuation = next } else { next() }
    }
}

extension ByteBuffer {
    /// Whether the readable bytes begin with `text`, or with as much of it as there are.
    fileprivate func begins(with text: StaticString) -> Bool {
        text.withUTF8Buffer { expected in zip(readableBytesView, expected).allSatisfy { $0 == $1 } }
    }
}

extension Deferral {
    /// The verdict with which the policy itself ends the wait; nil when that is left to the rules.
    fileprivate var lastWord: Verdict? { atDeadline == otherwise ? nil : atDeadline }
}
