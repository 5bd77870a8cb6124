// SPDX-License-Identifier: Apache-2.0

// Admission with everything around it, and the provider's queue.

import CodeIdentity
import ContentInspection
import Dispatch
import FlowEngine
import FlowModel
import FlowPolicy
import NIOCore
import NIOPosix
import NetworkExtension
import Synchronization
import Testing

@testable import AppleIntake

/// Runs admission as the provider does: on one serial queue.
final class AdmissionRig: Sendable {
    static let osPrograms = OSProgramSet(identifiers: ["com.apple.trustd"])

    let oracle = ScriptedOracle()
    let world = DeadEnd()
    let workers: IdentityWorkers
    let engine: FlowEngine
    let admission: FlowAdmission
    private let queue = DispatchQueue(label: "NEFlow")

    init(_ policy: Policy, budget: FlowBudget = FlowBudget(flows: 64), ownProcess: Int32 = 77) throws {
        workers = IdentityWorkers(
            kernel: ScriptedKernel(), oracle: oracle, settings: try .init(osPrograms: Self.osPrograms))
        let services = Self.services(policy, world, MultiThreadedEventLoopGroup.singleton, workers)
        engine = services.engine
        admission = FlowAdmission(services, budget: budget, ownProcess: ownProcess)
    }

    static func services(
        _ policy: Policy, _ world: DeadEnd, _ loops: any EventLoopGroup, _ identities: any SystemCode<AuditToken>
    ) -> ProviderServices {
        let engine = FlowEngine(
            policy: PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32))),
            services: EngineServices(egress: world, sink: world, metrics: world, takeover: nil, now: { 1 }))
        return ProviderServices(
            engine: engine, loops: loops, identities: identities, datagrams: world, sink: world, metrics: world,
            now: { 1 })
    }

    /// What the provider answers to a flow.
    func offer(_ flow: ScriptedFlow, to destination: String? = nil) -> Bool {
        let flow = Offered(flow.flow)
        return queue.sync {
            admission.admit(flow.flow, firstDestination: destination.flatMap { Endpoint($0) })
        }
    }

    /// Has the program examined, so that it is known from then on.
    func know(_ token: AuditToken) async {
        await withCheckedContinuation { known in workers.later(token, now: .now) { _ in known.resume() } }
    }

    func use(_ policy: Policy) { engine.use(PolicySnapshot(policy: policy, key: FindingKey(bytes: Array(0..<32)))) }

    /// Waits until something holds.
    func until(_ what: Comment, _ holds: () -> Bool) async throws {
        for _ in 0..<4_000 where !holds() { try await Task.sleep(for: .milliseconds(5)) }
        try #require(holds(), what)
    }

    // A flow goes to one queue and comes back to the test that made it;
    // its class is documented as safe on any thread.
    private struct Offered: @unchecked Sendable {
        let flow: NEAppProxyFlow
        init(_ flow: NEAppProxyFlow) { self.flow = flow }
    }
}
