// SPDX-License-Identifier: Apache-2.0

// From a claim to whoever carries it: the engine, or a flow of datagrams; on the flow's loop.

internal import FlowEngine
internal import FlowModel
internal import NIOCore
internal import NetworkExtension
internal import Synchronization

/// A flow that has been claimed, with its places in the budget.
struct Claim: Sendable {
    let flow: NewFlow
    var facts: FlowFacts
    let seats: FlowBudget.Seats
    let loop: any EventLoop
}

/// Carries claimed flows.
final class ClaimedFlows: Sendable {
    private let services: ProviderServices
    /// With their seats, which are given back when they leave.
    private let datagrams = Mutex<[FlowID: (flow: NIOLoopBound<DatagramFlow>, seats: FlowBudget.Seats)]>([:])
    private let isStopped = Atomic<Bool>(false)

    init(_ services: ProviderServices) { self.services = services }

    /// Begins to carry a flow; call on its loop.
    ///
    /// `verdict` is given when policy has lost patience with it.
    func carry(_ claim: Claim, verdict: Verdict? = nil) {
        guard !isStopped.load(ordering: .acquiring) else { return claim.flow.flow.refuse(.unavailable) }
        switch claim.flow {
        case .stream(let flow):
            let stream = StreamFlow(flow, facts: claim.facts, on: claim.loop, metrics: services.metrics)
            services.attribution.attribute(claim.facts.id, to: flow.flow)
            services.engine.handle(SeatedFlow(stream, claim.seats, services.attribution), verdict: verdict)
            // A stop meanwhile has ended the flows that the engine knew then.
            if isStopped.load(ordering: .acquiring) { services.engine.abortAll() }
        case .datagrams(let flow):
            let id = claim.facts.id
            let datagram = DatagramFlow(flow, facts: claim.facts, services: services, on: claim.loop) {
                // What leaves is let go of outside the lock.
                _ = self.datagrams.withLock { $0.removeValue(forKey: id) }
            }
            let bound = NIOLoopBound(datagram, eventLoop: claim.loop)
            datagrams.withLock { $0[id] = (bound, claim.seats) }
            datagram.begin()
            // A stop meanwhile has ended those that were in the table then.
            if isStopped.load(ordering: .acquiring) { datagram.end() }
        }
    }

    /// Ends the flows of datagrams; those of the engine are its own.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        for flow in datagrams.withLock({ $0.values.map(\.flow) }) { flow.eventLoop.execute { flow.value.end() } }
    }
}

/// A flow that keeps its places, and its name for connections, as long as the engine keeps it.
private final class SeatedFlow: IncomingFlow {
    private let flow: StreamFlow
    private let seats: FlowBudget.Seats
    private let attribution: FlowAttribution

    init(_ flow: StreamFlow, _ seats: FlowBudget.Seats, _ attribution: FlowAttribution) {
        self.flow = flow
        self.seats = seats
        self.attribution = attribution
    }

    deinit { attribution.forget(flow.facts.id) }

    var facts: FlowFacts { flow.facts }
    var eventLoop: any EventLoop { flow.eventLoop }
    var isConnected: Bool { flow.isConnected }
    var canDecline: Bool { flow.canDecline }

    func decline() { flow.decline() }
    func open() -> EventLoopFuture<any Channel> { flow.open() }
    func refuse(_ failure: ConnectFailure) { flow.refuse(failure) }
}
