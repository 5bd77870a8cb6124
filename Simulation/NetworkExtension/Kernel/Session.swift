// SPDX-License-Identifier: Apache-2.0

// One run of a provider, from its start to its end.

internal import Foundation
internal import NetworkSimulation

/// One instance of a provider with its queue, its rules and the flows it holds.
// `provider` and `configuration` are touched on `queue` alone after `init`; everything else that changes is in `state`,
// behind its lock.
final class Session: ProviderSession, @unchecked Sendable {
    enum Phase: Sendable { case starting, running, stopping, ended }
    /// What a provider makes of an offer; `unasked` when it takes none at all, `refused` when its no ends the flow.
    enum Answer: Sendable { case claimed, declined, refused, unasked, aborted }

    let name: String
    let queue = ProviderQueue()
    let configuration: NEVPNProtocol
    let process: SimulatedProcess
    private let knobs: Knobs
    private let provider: NETransparentProxyProvider
    private let state = Gate(State())
    private struct State {
        var phase = Phase.starting
        var rules: RuleSet?
        var startResult: Result<Void, any Error>?
        var isStopped = false
        var nextOffer = 0
        var offers: [Int: @Sendable (Answer) -> Void] = [:]
        var flows: [ObjectIdentifier: any DivertedFlow] = [:]
    }

    init(
        _ name: String, provider: NETransparentProxyProvider, configuration: NEVPNProtocol, process: SimulatedProcess,
        knobs: Knobs
    ) {
        self.name = name
        self.provider = provider
        self.configuration = configuration
        self.process = process
        self.knobs = knobs
        provider.session = self
    }

    var phase: Phase { state.read { $0.phase } }
    var flowCount: Int { state.read { $0.flows.count } }
    /// The rules, while flows are offered (S1: not before the start has completed, not after stop was called).
    var liveRules: RuleSet? { state.read { $0.phase == .running ? $0.rules : nil } }

    // MARK: Start and stop (1.1)

    func start(_ options: [String: Any]?) async throws {
        for _ in 0..<(knobs.doubleStart ? 2 : 1) {
            queue.run { [self] in
                provider.startProxy(options: options) { [self] error in started(error) }
            }
        }
        guard let result = await state.wait({ $0.startResult }) else { throw CancellationError() }
        try result.get()
    }

    private func started(_ error: (any Error)?) {
        let hasFailed = state.change { state in
            guard state.phase == .starting, state.startResult == nil else { return false }
            state.startResult = error.map { .failure($0) } ?? .success(())
            state.phase = error == nil ? .running : .stopping
            return error != nil
        }
        guard hasFailed else { return }
        if knobs.startErrorSkipsStop { return end() }
        Task { await self.callStop(.providerFailed) }
    }

    /// Stops the provider; returns when it has completed that, or its process has ended.
    func stop(_ reason: NEProviderStopReason) async {
        if !knobs.stopDuringStart { _ = await state.wait { $0.startResult } }
        let isFirst = state.change { state in
            guard state.phase == .starting || state.phase == .running else { return false }
            state.phase = .stopping
            state.startResult = state.startResult ?? .failure(SessionError.stopped)
            return true
        }
        if isFirst {
            await callStop(reason)
        } else {
            _ = await state.wait { $0.phase == .ended ? true : nil }
        }
    }

    private func callStop(_ reason: NEProviderStopReason) async {
        queue.run { [self] in
            provider.stopProxy(with: reason) { [state] in state.change { $0.isStopped = true } }
        }
        _ = await state.wait { $0.isStopped || $0.phase == .ended ? true : nil }
        end()
    }

    func cancel(_ error: (any Error)?) {
        state.change { state in
            state.startResult = state.startResult ?? .failure(error ?? SessionError.stopped)
        }
        guard knobs.cancelCallsStop else { return end() }
        Task { await stop(.providerFailed) }
    }

    /// The provider's process, or its context, is gone: everything it holds is cut at once [SRC].
    func end() {
        let (offers, flows) = state.change { state in
            state.phase = .ended
            state.startResult = state.startResult ?? .failure(SessionError.stopped)
            defer {
                state.offers = [:]
                state.flows = [:]
            }
            return (state.offers.values, state.flows.values)
        }
        queue.end()
        for flow in flows { flow.abort() }
        for answer in offers { answer(.aborted) }
    }

    // MARK: Rules, messages, sleep

    /// Takes rules all or none, the old ones stay until then (1.3); nil takes them away.
    func set(_ settings: NETunnelNetworkSettings?, _ done: @escaping ((any Error)?) -> Void) {
        let outcome: (any Error)?
        do throws(NETunnelProviderError) {
            let rules = try settings.map { settings throws(NETunnelProviderError) in
                try RuleSet(settings, knobs: knobs)
            }
            state.change { $0.rules = rules }
            outcome = nil
        } catch { outcome = error }
        let completion = Carried(done)
        queue.run { completion.value(outcome) }
    }

    func send(_ message: Data) async -> Data? {
        let reply = Gate<Data??>(nil)
        queue.run { [provider] in
            provider.handleAppMessage(message) { data in reply.change { $0 = .some(data) } }
        }
        // A provider that dies answers nothing; its end is not a change of `reply`, so it is waited for beside it.
        return await withTaskGroup(of: Data??.self) { [state] group in
            group.addTask { await reply.wait { $0 } }
            group.addTask { await state.wait { $0.phase == .ended ? .some(nil) : nil } }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? nil
        }
    }

    /// Tells the provider to sleep; returns when it has completed that, at once when it is hung.
    func sleep() async {
        guard phase == .running, !queue.isHung else { return }
        let isAsleep = Gate(false)
        queue.run { [provider] in provider.sleep { isAsleep.change { $0 = true } } }
        await withTaskGroup(of: Void.self) { [state] group in
            group.addTask { _ = await isAsleep.wait { $0 ? true : nil } }
            group.addTask { _ = await state.wait { $0.phase == .ended ? true : nil } }
            await group.next()
            group.cancelAll()
        }
    }

    func wake() {
        guard phase == .running else { return }
        queue.run { [provider] in provider.wake() }
    }

    // MARK: Flows

    /// Shows the provider a flow on its queue; `answer` is called once, when it has decided or is gone.
    func present(
        _ offer: FlowOffer, _ makeFlow: @escaping @Sendable (Session, NEFlowMetaData) -> NEAppProxyFlow,
        _ answer: @escaping @Sendable (Answer) -> Void
    ) {
        let number: Int? = state.change { state in
            guard state.phase == .running else { return nil }
            state.nextOffer += 1
            state.offers[state.nextOffer] = answer
            return state.nextOffer
        }
        guard let number else { return answer(.unasked) }
        let metaData = Carried(offer.metaData)
        queue.run { [self] in
            guard state.read({ $0.phase == .running && $0.offers[number] != nil }) else { return }
            let flow = makeFlow(self, metaData.value)
            if let kernel = flow.kernel as? any DivertedFlow { hold(kernel) }
            let verdict = ask(flow, offer)
            guard let answer = state.change({ $0.offers.removeValue(forKey: number) }) else { return }
            if verdict != .claimed, let kernel = flow.kernel as? any DivertedFlow { forget(kernel) }
            answer(verdict)
        }
    }

    private func ask(_ flow: NEAppProxyFlow, _ offer: FlowOffer) -> Answer {
        if let datagrams = flow as? NEAppProxyUDPFlow, let special = provider as? any NEAppProxyUDPFlowHandling {
            if special.handleNewUDPFlow(datagrams, initialRemoteFlowEndpoint: offer.destination) { return .claimed }
            return knobs.declineKillsUDP ? .refused : .declined
        }
        return provider.handleNewFlow(flow) ? .claimed : .declined
    }

    private func hold(_ flow: any DivertedFlow) {
        let isEnded = state.change { state in
            if state.phase != .ended { state.flows[ObjectIdentifier(flow)] = flow }
            return state.phase == .ended
        }
        if isEnded { flow.abort() }
    }

    /// The flow is over on both sides.
    func forget(_ flow: any DivertedFlow) { state.change { $0.flows[ObjectIdentifier(flow)] = nil } }
}
