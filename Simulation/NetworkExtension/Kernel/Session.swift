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
        /// What the provider ended itself with.
        var cancelError: (any Error)?
        var last = 0
        var offers: [Int: @Sendable (Answer) -> Void] = [:]
        var flows: [ObjectIdentifier: any DivertedFlow] = [:]
        var replies: [Int: any Sendable] = [:]

        mutating func nextNumber() -> Int {
            last += 1
            return last
        }
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
        if leaveRunning(SessionError.stopped) {
            await callStop(reason)
        } else {
            _ = await state.wait { $0.phase == .ended ? true : nil }
        }
    }

    /// Offers no flow from here on, and fails a start that waits with the error; false when that was so already.
    private func leaveRunning(_ error: any Error) -> Bool {
        state.change { state in
            guard state.phase == .starting || state.phase == .running else { return false }
            state.phase = .stopping
            state.startResult = state.startResult ?? .failure(error)
            return true
        }
    }

    private func callStop(_ reason: NEProviderStopReason) async {
        let _: Void? = await answer { provider, done in provider.stopProxy(with: reason) { done(()) } }
        end()
    }

    func cancel(_ error: (any Error)?) {
        guard leaveRunning(error ?? SessionError.stopped) else { return }
        state.change { $0.cancelError = error }
        guard knobs.cancelCallsStop else { return end() }
        Task { await callStop(.providerFailed) }
    }

    /// Waits until it has ended; gives what the provider ended itself with.
    func ended() async -> (any Error)? { await state.wait { $0.phase == .ended ? .some($0.cancelError) : nil } ?? nil }

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

    /// Has the provider answer a message; nil when it dies instead.
    func send(_ message: Data) async -> Data? {
        await answer { provider, done in provider.handleAppMessage(message) { done($0) } } ?? nil
    }

    /// Tells the provider to sleep; returns when it has completed that, at once when it is hung.
    func sleep() async {
        guard phase == .running, !queue.isHung else { return }
        let _: Void? = await answer { provider, done in provider.sleep { done(()) } }
    }

    func wake() {
        guard phase == .running else { return }
        queue.run { [provider] in provider.wake() }
    }

    /// Calls the provider on its queue and waits for its completion; nil when it ends before.
    private func answer<Reply: Sendable>(
        _ call: @escaping (NETransparentProxyProvider, @escaping @Sendable (Reply) -> Void) -> Void
    ) async -> Reply? {
        let number = state.change { $0.nextNumber() }
        queue.run { [self] in
            call(provider) { [state] reply in state.change { $0.replies[number] = reply } }
        }
        let reply: Reply?? = await state.wait { state in
            if let reply = state.replies.removeValue(forKey: number) { return .some(reply as? Reply) }
            return state.phase == .ended ? .some(nil) : nil
        }
        return reply ?? nil
    }

    // MARK: Flows

    /// Shows the provider a flow on its queue; `answer` is called once, when it has decided or is gone.
    func present(
        _ offer: FlowOffer, _ makeFlow: @escaping @Sendable (Session, NEFlowMetaData) -> NEAppProxyFlow,
        _ answer: @escaping @Sendable (Answer) -> Void
    ) {
        let number: Int? = state.change { state in
            guard state.phase == .running else { return nil }
            let number = state.nextNumber()
            state.offers[number] = answer
            return number
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
