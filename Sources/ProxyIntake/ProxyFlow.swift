// SPDX-License-Identifier: Apache-2.0

// A flow that a client asked the proxy for, answered in the words of the protocol it asked in.

import FlowEngine
import FlowModel
import NIOCore

/// A flow asked for by CONNECT, by SOCKS5 or by an absolute-form request.
final class ProxyFlow: IncomingFlow {
    let facts: FlowFacts
    private let request: ProxyNegotiator.Request
    private let channel: any Channel
    private let negotiator: ProxyNegotiator

    init(
        _ request: ProxyNegotiator.Request, channel: any Channel, negotiator: ProxyNegotiator, source: Endpoint?,
        startedAt: Int64
    ) {
        self.request = request
        self.channel = channel
        self.negotiator = negotiator
        let (intake, destination): (IntakeKind, Endpoint)
        switch request {
        case .connect(let endpoint): (intake, destination) = (.connect, endpoint)
        case .socks(let endpoint): (intake, destination) = (.socks5, endpoint)
        case .absolute(let endpoint): (intake, destination) = (.absoluteForm, endpoint)
        }
        facts = FlowFacts(
            id: negotiator.flow, intake: intake, source: source, destination: destination, startedAt: startedAt)
    }

    var eventLoop: any EventLoop { channel.eventLoop }
    var isConnected: Bool { false }
    var canDecline: Bool { false }

    func decline() { refuse(.unavailable) }

    func open() -> EventLoopFuture<any Channel> {
        switch request {
        case .connect:
            negotiator.handOver(channel, answer: ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"))
        case .socks:
            negotiator.handOver(channel, answer: ByteBuffer(bytes: SOCKS5Reader.Reply.succeeded.bytes))
        case .absolute:
            negotiator.handOver(channel, answer: nil)
        }
        return channel.eventLoop.makeSucceededFuture(channel)
    }

    func refuse(_ failure: ConnectFailure) {
        switch request {
        case .connect, .absolute:
            negotiator.refuse(channel, answer: ProxyPrefaceReader.answer(to: failure, flow: facts.id))
        case .socks:
            negotiator.refuse(channel, answer: ByteBuffer(bytes: Self.reply(to: failure).bytes))
        }
    }

    private static func reply(to failure: ConnectFailure) -> SOCKS5Reader.Reply {
        switch failure {
        case .refused, .reset: return .connectionRefused
        case .timedOut: return .ttlExpired
        case .hostUnreachable, .nameNotFound: return .hostUnreachable
        case .networkUnreachable: return .networkUnreachable
        case .denied: return .notAllowed
        case .unavailable: return .generalFailure
        }
    }
}
