// SPDX-License-Identifier: Apache-2.0

// The example runs: identity and policy inside a provider that is not ours, on a simulated Mac.

import CodeIdentity
import EmbedInYourProvider
import FlowModel
import FlowPolicy
import Foundation
import NetworkExtension
import NetworkSimulation
import Synchronization
import Testing

@Suite("Embedded in somebody else's provider", .timeLimit(.minutes(1)))
struct EmbedInYourProviderTests {
    /// The kernel's word on the programs of a simulated Mac.
    private struct Kernel: CodeSigningKernel {
        let mac: SimulatedMac

        func status(of token: AuditToken) -> Result<KernelStatus, KernelStatusError> {
            guard let program = mac.processes.process(named: Data(token.bytes))?.program else {
                return .failure(.exited)
            }
            return .success(
                KernelStatus(
                    bits: KernelCodeStatus(rawValue: program.kernelBits), cdhash: CDHash([UInt8](program.cdhash)),
                    claimedIdentifier: program.signingIdentifier, claimedTeam: program.team))
        }
    }

    /// Knows nobody's signature.
    private struct Oracle: CodeSigningOracle {
        func verify(_ token: AuditToken, requirements: [String]) throws(CodeSigningError) -> CodeExamination {
            CodeExamination(invalidity: .code(.unsigned))
        }
    }

    /// Notes what it is to carry, and leaves it to the system.
    private final class YourProvider: EmbeddedProvider {
        let carried: @Sendable (Verdict) -> Void

        init(policy: Policy, identities: any SystemCode<AuditToken>, carried: @escaping @Sendable (Verdict) -> Void) {
            self.carried = carried
            super.init(policy: policy, identities: identities)
        }

        override func startProxy(
            options: [String: Any]?, completionHandler: @escaping @Sendable ((any Error)?) -> Void
        ) {
            let settings = NETransparentProxyNetworkSettings(tunnelRemoteAddress: "127.0.0.1")
            settings.includedNetworkRules = [
                NENetworkRule(
                    remoteNetworkEndpoint: nil, remotePrefix: 0, localNetworkEndpoint: nil, localPrefix: 0,
                    protocol: .any, direction: .outbound)
            ]
            setTunnelNetworkSettings(settings) { completionHandler($0) }
        }

        override func carry(_ flow: NEAppProxyTCPFlow, because verdict: Verdict) -> Bool {
            carried(verdict)
            return false
        }
    }

    private static let document = """
        version: 1
        mode: enforce
        unknown: {third-party-pending: block, exited: block, unresolved: block}
        rules:
          - {name: the system, when: {class: os}, then: bypass}
          - {name: read it, when: {class: platform-interactive}, then: inspect, profile: p}
          - {name: nobody's, when: {class: unsigned}, then: block}
        profiles:
          p: {detect: [email], outbound: report}
        """

    @Test("The system passes, its tools are inspected, an impostor with the same identifier is refused")
    func decides() async throws {
        let site = NWEndpoint.hostPort(host: "203.0.113.9", port: 5223)
        let internet = MemoryInternet()
        internet.listen(on: site) { _ in }
        let mac = SimulatedMac(internet: internet)
        let policy = try Policy.read(
            yaml: Self.document, file: "policy.yaml",
            PolicyEnvironment(detectors: [DetectorName(id: "email", family: "email")]))
        let resolver = AppleIdentityResolver(
            kernel: Kernel(mac: mac), oracle: Oracle(),
            settings: try .init(osPrograms: OSProgramSet(identifiers: ["com.apple.apsd"])), wake: {})
        let carried = Mutex<[String]>([])
        let proxy = mac.install("yours") {
            YourProvider(policy: policy, identities: resolver) { verdict in
                carried.withLock { $0.append(verdict.rule ?? "") }
            }
        }
        try await proxy.start()

        func way(_ program: SimulatedProgram) async -> SimulatedSocket.Way? {
            try? await mac.launch(program).connect(to: site).way
        }
        #expect(await way(SimulatedProgram("apsd", signingIdentifier: "com.apple.apsd", isPlatform: true)) == .declined)
        #expect(carried.withLock { $0 } == [])
        #expect(await way(SimulatedProgram("curl", signingIdentifier: "com.apple.curl", isPlatform: true)) == .declined)
        #expect(carried.withLock { $0 } == ["read it"])
        let impostor = SimulatedProgram("apsd", signingIdentifier: "com.apple.apsd")
        #expect(await way(impostor) == nil)
        #expect(mac.log.count(.claimed) == 1)
        // The oracle's answer is in memory now, and says that nobody signed it.
        resolver.resolvePending { .now }
        #expect(await way(impostor) == nil)
        #expect(mac.log.count(.claimed) == 2)
        #expect(carried.withLock { $0.count } == 1)
    }
}
