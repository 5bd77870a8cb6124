// SPDX-License-Identifier: Apache-2.0

// Answers app messages, and the same requests when they come another way.

internal import FlowEngine
internal import FlowModel
internal import FlowPolicy
internal import Foundation
internal import Synchronization

/// The way back to whoever sent an app message.
// The system gives the closure to be called once, whenever the answer is there; it does not mark it as one that may go
// to another thread, but says nothing of the queue either, and an answer on the queue would be work on the queue.
struct AppMessageAnswer: @unchecked Sendable {
    let send: (Data?) -> Void
}

extension TransparentProxy {
    /// Has the system take the rules of the policy in force; does nothing while the provider does not run.
    public func followPolicy() async throws(ProviderFailure) {
        try await life.withLock { $0.running }?.capture.follow()
    }

    /// Takes flows again, whatever kept it from that.
    public func arm() async throws(ProviderFailure) { try await life.withLock { $0.running }?.capture.arm() }

    /// Carries out a request and says how the provider stands then.
    public func answer(_ request: ProviderRequest) async -> ProviderReply {
        guard request.verb != .status else { return ProviderReply(await status) }
        guard let running = life.withLock({ $0.running }) else {
            return ProviderReply(await status, ProviderFailure(.stopped, "the provider does not run"))
        }
        do throws(ProviderFailure) {
            switch request.verb {
            case .status: break
            case .pause: try await running.capture.pause(until: request.until ?? 0)
            case .resume: try await running.capture.resume()
            case .off: try await running.capture.turnOff()
            case .rearm: try await running.capture.arm()
            case .reload: try await reload(running)
            }
            return ProviderReply(await status)
        } catch {
            return ProviderReply(await status, error)
        }
    }

    /// Takes a message on the provider's queue; it is read and answered elsewhere.
    func receive(_ message: Data, _ answer: AppMessageAnswer) {
        let isOneTooMany =
            messages.wrappingAdd(1, ordering: .relaxed).newValue > AppleIntakeLimits.messagesAtOnce.value
        Task {
            let reply: ProviderReply
            if message.count > AppleIntakeLimits.messageBytes.value {
                reply = refusal(AppleIntakeLimits.messageBytes, "it is too large")
            } else if isOneTooMany {
                reply = refusal(AppleIntakeLimits.messagesAtOnce, "too many are being answered: ask again")
            } else {
                reply = await self.reply(to: message)
            }
            messages.wrappingSubtract(1, ordering: .relaxed)
            answer.send(try? JSONEncoder().encode(reply))
        }
    }

    /// The answer to a message that a limit keeps from being read.
    private func refusal(_ limit: Limit, _ detail: String) -> ProviderReply {
        life.withLock { $0.running }?.services.metrics.add(limit.metric, 1)
        return ProviderReply(nil, ProviderFailure(.message, "\(detail); \(limit.name) is \(limit.value)"))
    }

    private func reply(to message: Data) async -> ProviderReply {
        do throws(ProviderFailure) {
            let request = try ProviderRequest(message: message)
            guard allows(appMessage: request.verb) else {
                throw ProviderFailure(.forbidden, "`\(request.verb.rawValue)` is not taken from an app message")
            }
            return await self.answer(request)
        } catch {
            return ProviderReply(nil, error)
        }
    }

    /// Waits no longer than its limit; a policy that is read later is used all the same.
    private func reload(_ running: RunningProvider) async throws(ProviderFailure) {
        let (outcomes, outcome) = AsyncStream.makeStream(
            of: ProviderFailure?.self, bufferingPolicy: .bufferingOldest(1))
        Task {
            do throws(ProviderFailure) {
                try await running.capture.reload()
                outcome.yield(nil)
            } catch {
                outcome.yield(error)
            }
        }
        let deadline = Task { [waits] in
            try await Task.sleep(for: waits.reload)
            running.services.metrics.add(AppleIntakeLimits.reloadWait.metric, 1)
            outcome.yield(ProviderFailure(.reloadOverdue, "the policy has not been read in time"))
        }
        defer { deadline.cancel() }
        for await failure in outcomes {
            if let failure { throw failure }
            return
        }
    }

    private var status: ProviderStatus {
        get async {
            let (phase, running) = life.withLock { ($0.phase, $0.running) }
            var status = ProviderStatus(phase: phase.rawValue)
            status.offered = offered.load(ordering: .relaxed)
            status.declined = declined.load(ordering: .relaxed)
            guard let running else { return status }
            let policy = running.services.engine.currentPolicy
            status.capture = await running.capture.capture
            status.rules = await running.capture.rules
            status.mode = policy.mode.rawValue
            status.policy = policy.digest
            status.liveFlows = running.services.engine.liveFlows
            status.heldFlows = running.admission.heldFlows
            return status
        }
    }
}
