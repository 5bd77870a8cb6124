// SPDX-License-Identifier: Apache-2.0

// What the program around the provider asks of it, and answers to app messages.

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
    /// Has the system take the rules of the policy in force, after the engine was given another.
    ///
    /// Claimed flows go on under the policy that claimed them. Does nothing while the provider does not run.
    public func followPolicy() async throws(ProviderFailure) {
        try await life.withLock { $0.running }?.capture.follow()
    }

    /// Takes flows again after `ProviderHooks.disarmed` kept it from that.
    public func arm() async throws(ProviderFailure) { try await life.withLock { $0.running }?.capture.arm() }

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
                do throws(ProviderFailure) {
                    _ = try ProviderRequest(message: message)
                    reply = ProviderReply(await status)
                } catch { reply = ProviderReply(nil, error) }
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

    /// How the provider stands.
    public var status: ProviderStatus {
        get async {
            let (phase, running) = life.withLock { ($0.phase, $0.running) }
            var status = ProviderStatus(phase: phase.rawValue)
            status.offered = offered.load(ordering: .relaxed)
            status.declined = declined.load(ordering: .relaxed)
            guard let running else { return status }
            let policy = running.services.engine.currentPolicy
            status.disarmed = await running.capture.disarmed
            status.rules = await running.capture.rules
            status.mode = policy.mode.rawValue
            status.policy = policy.digest
            status.liveFlows = running.services.engine.liveFlows
            status.heldFlows = running.admission.heldFlows
            return status
        }
    }
}
