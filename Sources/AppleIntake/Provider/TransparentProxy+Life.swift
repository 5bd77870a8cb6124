// SPDX-License-Identifier: Apache-2.0

// Carries out what the life of the provider asks for, off the provider's queue.

internal import FlowEngine
internal import FlowModel
internal import Foundation
internal import NIOCore
internal import NetworkExtension
internal import Synchronization

/// What a running provider has.
final class RunningProvider: Sendable {
    let services: ProviderServices
    let admission: FlowAdmission
    let capture: CaptureControl

    init(_ services: ProviderServices, _ capture: CaptureControl) {
        self.services = services
        self.capture = capture
        admission = FlowAdmission(services)
    }

    /// Ends all flows and frees the services; an application hears at once, because nobody carries its bytes any more.
    func end() async {
        admission.stop()
        services.engine.abortAll()
        // Flows end on their loops: whoever comes after them there comes when they have ended.
        for loop in services.loops.makeIterator() { try? await loop.submit {}.get() }
        await services.hooks.close()
    }
}

extension TransparentProxy {
    /// Carries out what a change of state asks for.
    func perform(_ action: Life.Action) {
        switch action {
        case .nothing: break
        case .make: make()
        case .set(let running):
            watchdog.start(running.services.loops)
            Task {
                do throws(ProviderFailure) {
                    try await running.capture.begin()
                    perform(life.withLock { $0.ruled() })
                    // The policy may have changed while the first rules were set, when nobody could ask for others.
                    try? await followPolicy()
                } catch {
                    perform(life.withLock { $0.fail(error) })
                }
            }
        case .free(let running):
            Task {
                await running.end()
                watchdog.stop()
                perform(life.withLock { $0.freed() })
            }
            after(waits.end) { provider in
                let action = provider.life.withLock { $0.freed() }
                if case .report = action { running.services.metrics.add(AppleIntakeLimits.endWait.metric, 1) }
                provider.perform(action)
            }
        case .report(let report):
            for answer in report.starts { answer(report.failure) }
            for answer in report.stops { answer() }
            if report.cancels { super.cancelProxyWithError(report.failure) }
        }
    }

    private func make() {
        Task {
            do {
                let services = try await makeServices()
                perform(life.withLock { $0.made(running(services)) })
            } catch {
                perform(life.withLock { $0.unmade(ProviderFailure(.services, "\(error)")) })
            }
        }
        after(waits.services) { provider in
            let failure = ProviderFailure(.servicesOverdue, "making the services took too long")
            provider.perform(provider.life.withLock { $0.unmade(failure) })
        }
    }

    private func running(_ services: ProviderServices) -> RunningProvider {
        let capture = CaptureControl(services, waits) { [weak self] lists, answer in
            guard let self else { return answer(ProviderFailure(.stopped, "the provider is gone")) }
            setTunnelNetworkSettings(lists.settings) { answer($0) }
        }
        return RunningProvider(services, capture)
    }

    private func after(_ wait: Duration, _ act: @escaping @Sendable (TransparentProxy) -> Void) {
        Task { [weak self] in
            try? await Task.sleep(for: wait)
            if let self { act(self) }
        }
    }
}
