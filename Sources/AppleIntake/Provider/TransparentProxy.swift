// SPDX-License-Identifier: Apache-2.0

// The provider class: Apple's entry points, each handed on at once.

internal import FlowModel
public import Foundation
public import NetworkExtension
internal import Synchronization

/// Weir as a transparent proxy provider; the program derives its principal class from this one.
///
/// The system calls every entry point on one queue, which also carries the flows of the whole machine. So none of them
/// does more than hand on: what takes time goes to tasks of its own, and a new flow is judged from memory.
// Sendable: every property is a constant of a type that is Sendable itself, and of the system's methods it calls from
// elsewhere only those that send a message to the session.
open class TransparentProxy: NETransparentProxyProvider, @unchecked Sendable {
    typealias StartAnswer = @Sendable ((any Error)?) -> Void
    typealias StopAnswer = @Sendable () -> Void
    typealias Life = ProviderLife<RunningProvider, StartAnswer, StopAnswer>

    let waits: ProviderWaits
    /// Held for a change of state or a look at it, never while anything else is called.
    let life = Mutex(Life())
    let offered = Atomic<Int>(0)
    let declined = Atomic<Int>(0)
    /// App messages that are being answered.
    let messages = Atomic<Int>(0)
    let watchdog: Watchdog

    /// Makes a provider whose queue is watched by `watchdog`.
    public init(watchdog: Watchdog) {
        self.watchdog = watchdog
        waits = ProviderWaits()
        super.init()
    }

    public override convenience init() { self.init(watchdog: Watchdog()) }

    /// For tests, which choose short waits.
    init(watchdog: Watchdog, waits: ProviderWaits) {
        self.watchdog = watchdog
        self.waits = waits
        super.init()
    }

    /// Makes what the provider works with; called once for each instance, off the provider's queue.
    ///
    /// Throws what keeps it from starting; the system is told so.
    open func makeServices() async throws -> ProviderServices { throw CocoaError(.featureUnsupported) }

    // MARK: Entry points

    open override func startProxy(
        options: [String: Any]? = nil, completionHandler: @escaping @Sendable ((any Error)?) -> Void
    ) {
        onQueue { perform(life.withLock { $0.start(completionHandler) }) }
    }

    open override func stopProxy(
        with reason: NEProviderStopReason, completionHandler: @escaping @Sendable () -> Void
    ) {
        onQueue { perform(life.withLock { $0.stop(completionHandler) }) }
    }

    /// Ends flows and frees what they use, then stops the provider.
    open override func cancelProxyWithError(_ error: (any Error)?) {
        let detail = error.map { "\($0)" } ?? "the provider ended itself"
        perform(life.withLock { $0.fail(ProviderFailure(.cancelled, detail)) })
    }

    /// Answers at once: what flows do before sleep cannot be hurried, and draining them has wedged providers.
    open override func sleep(completionHandler: @escaping @Sendable () -> Void) {
        onQueue {
            watchdog.forgive()
            completionHandler()
        }
    }

    open override func wake() {
        onQueue {
            watchdog.forgive()
            guard let running = life.withLock({ $0.running }) else { return }
            Task { await running.services.hooks.woke() }
        }
    }

    open override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool {
        take(flow) { (flow as? NEAppProxyTCPFlow).flatMap { Endpoint($0.remoteFlowEndpoint) } }
    }

    open override func handleAppMessage(_ messageData: Data, completionHandler: ((Data?) -> Void)? = nil) {
        onQueue { receive(messageData, AppMessageAnswer(send: completionHandler ?? { _ in })) }
    }

    /// Whether the flow is claimed; one that comes while nothing is taken is left to the system.
    private func take(_ flow: NEAppProxyFlow, _ firstDestination: () -> Endpoint?) -> Bool {
        onQueue {
            offered.wrappingAdd(1, ordering: .relaxed)
            if let running = life.withLock({ $0.running }), running.capture.isTaking,
                admit(flow, firstDestination(), running)
            {
                return true
            }
            declined.wrappingAdd(1, ordering: .relaxed)
            return false
        }
    }

    /// Asks admission; a method of its own for tests, which answer in its place.
    func admit(_ flow: NEAppProxyFlow, _ firstDestination: Endpoint?, _ running: RunningProvider) -> Bool {
        running.admission.admit(flow, firstDestination: firstDestination)
    }

    private func onQueue<Result>(_ entry: () -> Result) -> Result {
        watchdog.enter()
        defer { watchdog.leave() }
        return entry()
    }
}

extension TransparentProxy: NEAppProxyUDPFlowHandling {
    public func handleNewUDPFlow(
        _ flow: NEAppProxyUDPFlow, initialRemoteFlowEndpoint remoteEndpoint: SystemEndpoint
    ) -> Bool {
        take(flow) { Endpoint(remoteEndpoint) }
    }
}
