// SPDX-License-Identifier: Apache-2.0

// The engine: takes flows from intakes, carries each on its own loop, and knows which are alive.

public import FlowModel
public import FlowPolicy
import NIOConcurrencyHelpers
import NIOCore

/// What the engine needs of the program around it.
public struct EngineServices: Sendable {
    public var egress: any Egress
    public var sink: any FlowSink
    public var metrics: any MetricSink
    /// What a TLS takeover needs; without it TLS is relayed and reported.
    public var takeover: TakeoverServices?
    /// Milliseconds since 1970-01-01 UTC.
    public var now: @Sendable () -> Int64

    public init(
        egress: any Egress, sink: any FlowSink, metrics: any MetricSink, takeover: TakeoverServices?,
        now: @escaping @Sendable () -> Int64
    ) {
        self.egress = egress
        self.sink = sink
        self.metrics = metrics
        self.takeover = takeover
        self.now = now
    }
}

/// Carries flows.
///
/// Thread-safe: intakes on any loop hand it flows; each flow then lives on its own loop alone.
public final class FlowEngine: Sendable {
    let services: EngineServices
    /// The policy in force, and the one before it.
    private let policies: NIOLockedValueBox<(current: PolicySnapshot, previous: PolicySnapshot?)>
    private let live = NIOLockedValueBox<[FlowID: NIOLoopBound<FlowDriver>]>([:])

    /// Makes an engine that judges by `policy`.
    public init(policy: PolicySnapshot, services: EngineServices) {
        policies = NIOLockedValueBox((policy, nil))
        self.services = services
    }

    /// The policy by which new flows are judged.
    public var currentPolicy: Policy { policies.withLockedValue { $0.current.policy } }

    /// The policy that a flow begins with, for an intake that carries flows of its own.
    public func policy(judging facts: FlowFacts) -> Policy { policy(for: facts).policy }

    /// Judges all flows that begin from now on by `policy`; those that are alive keep the one they began with.
    public func use(_ policy: PolicySnapshot) {
        // What nobody needs any more is large, and let go of outside the lock: an intake's one queue may wait at it.
        let dropped = policies.withLockedValue { policies in
            defer { policies = (policy, policies.current) }
            return policies.previous
        }
        withExtendedLifetime(dropped) {}
        services.metrics.add("policy_changes_total", 1)
    }

    /// The policy that a flow begins with.
    ///
    /// The identity of a flow is judged a moment before the flow comes here, and its answers count for the policy that
    /// asked only: when the policy changed in that moment, the flow is one of the policy before.
    private func policy(for facts: FlowFacts) -> PolicySnapshot {
        let (current, previous) = policies.withLockedValue { $0 }
        guard let previous, previous.policy.hasJudged(facts.identity) else { return current }
        return previous
    }

    /// Takes a flow and carries it to its end.
    ///
    /// Call on the flow's loop. What the facts say of the program is final: nobody tells the engine more later, so no
    /// flow is held here. An intake that held one until its policy had no more patience gives that `verdict`.
    public func handle(_ flow: any IncomingFlow, verdict: Verdict? = nil) {
        let driver = FlowDriver(flow, engine: self, policy: policy(for: flow.facts))
        live.withLockedValue { $0[driver.facts.id] = NIOLoopBound(driver, eventLoop: flow.eventLoop) }
        services.metrics.add("flows_total", 1)
        driver.admit(verdict)
    }

    /// Flows that are alive.
    public var liveFlows: Int { live.withLockedValue { $0.count } }

    /// Ends every flow that is still alive.
    public func abortAll() {
        for driver in live.withLockedValue({ Array($0.values) }) {
            driver.eventLoop.execute { driver.value.abort(.aborted) }
        }
    }

    /// The driver has ended: the record is written and the flow forgotten.
    func ended(_ driver: FlowDriver) {
        live.withLockedValue { _ = $0.removeValue(forKey: driver.facts.id) }
        services.sink.record(flow: driver.record)
        services.metrics.add("flows_ended_total", 1)
    }
}
