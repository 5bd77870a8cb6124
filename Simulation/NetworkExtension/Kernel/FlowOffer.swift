// SPDX-License-Identifier: Apache-2.0

// How a new socket is shown to the providers: the one hook that TCP and UDP sockets use.

internal import Foundation
internal import NetworkSimulation

/// What the kernel knows of a socket when its first destination is known: at connect, or at the first datagram.
struct FlowOffer: Sendable {
    /// The process that used the socket last.
    let process: SimulatedProcess
    /// The process in whose name it works, when it delegates (reference 4).
    let delegate: SimulatedProcess?
    /// `.TCP` or `.UDP`.
    let transport: NENetworkRule.`Protocol`
    let destination: NWEndpoint
    let hostname: String?

    /// A snapshot of who the flow is attributed to [SRC flow_divert_add_all_proc_info].
    ///
    /// The identifier is absent unless the kernel finds the code valid or debugged [SRC].
    var metaData: NEFlowMetaData {
        let source = delegate ?? process
        let program = source.program
        let isKnown = program.kernelBits & 0x1000_0001 != 0
        return NEFlowMetaData(
            token: source.auditToken, unique: program.cdhash,
            identifier: isKnown ? program.signingIdentifier : "", filterFlow: UUID())
    }
}

/// What became of an offer.
enum OfferVerdict: Sendable {
    /// No provider took it: the kernel connects it itself; `way` says why.
    case direct(SimulatedSocket.Way)
    case claimed(Session)
    case failed(SocketError)
}

/// The kernel side of a flow that a provider holds.
protocol DivertedFlow: KernelFlow {
    /// The provider is gone: the socket is shut both ways with ECONNABORTED [SRC].
    func abort()
}

extension SimulatedMac {
    /// Shows a socket to every provider whose rules match, one after the other, until one takes it.
    ///
    /// Call it once for each socket, the verdict is for its life (1.2: sticky). `makeFlow` is called on the queue of
    /// each provider asked and gives it its own flow object, whose kernel side has to be a `DivertedFlow`; on decline
    /// that object is dead. `decided` is called once, on any thread, and never when a hung provider does not answer
    /// and lives (S6). After `.claimed(session)` the kernel side completes everything through `session.queue.run` and
    /// calls `session.forget` when both sides are closed; until then the session aborts it if the provider dies.
    func offer(
        _ offer: FlowOffer, makeFlow: @escaping @Sendable (Session, NEFlowMetaData) -> NEAppProxyFlow,
        decided: @escaping @Sendable (OfferVerdict) -> Void
    ) {
        var live: [Session] = []
        var dead: [InstalledProxy] = []
        var isExcluded = false
        for proxy in chain(for: offer.process) {
            switch proxy.standing(offer) {
            case .none: break
            case .excluded: isExcluded = true
            case .live(let session): live.append(session)
            case .dead: dead.append(proxy)
            }
        }
        if live.isEmpty {
            if let proxy = dead.first(where: { $0.spendFailure() }) {
                note(.refused, offer, proxy: proxy.name, errno: EINVAL)
                return decided(.failed(SocketError(EINVAL)))
            }
            note(isExcluded ? .excluded : .direct, offer)
            return decided(.direct(isExcluded ? .excluded : .direct))
        }
        // A diverted socket to IPv4 multicast is refused, to IPv6 multicast it is not [SRC].
        if case .hostPort(let host, _) = offer.destination, Address(host)?.isV4Multicast == true {
            note(.refused, offer, errno: EAFNOSUPPORT)
            return decided(.failed(SocketError(EAFNOSUPPORT)))
        }
        ask(live[...], offer, makeFlow, decided)
    }

    private func ask(
        _ sessions: ArraySlice<Session>, _ offer: FlowOffer,
        _ makeFlow: @escaping @Sendable (Session, NEFlowMetaData) -> NEAppProxyFlow,
        _ decided: @escaping @Sendable (OfferVerdict) -> Void
    ) {
        guard let session = sessions.first else {
            // Nobody is left: the kernel connects to the original destination itself, which may fail [SRC].
            if knobs.directConnectFails { return decided(.failed(SocketError(ENETUNREACH))) }
            return decided(.direct(.declined))
        }
        note(.offered, offer, proxy: session.name)
        session.present(offer, makeFlow) { [self] answer in
            switch answer {
            case .claimed:
                note(.claimed, offer, proxy: session.name)
                decided(.claimed(session))
            case .declined:
                note(.declined, offer, proxy: session.name)
                ask(sessions.dropFirst(), offer, makeFlow, decided)
            case .refused:
                note(.refused, offer, proxy: session.name, errno: ECONNABORTED)
                decided(.failed(SocketError(ECONNABORTED)))
            case .unasked:
                ask(sessions.dropFirst(), offer, makeFlow, decided)
            case .aborted:
                note(.aborted, offer, proxy: session.name, errno: ECONNABORTED)
                decided(.failed(SocketError(ECONNABORTED)))
            }
        }
    }

    func note(_ event: KernelLog.Event, _ offer: FlowOffer, proxy: String? = nil, errno: Int32 = 0) {
        note(
            KernelLog.Entry(
                event: event, program: offer.process.program.name, pid: offer.process.pid,
                destination: offer.destination, proxy: proxy, errno: errno))
    }
}
