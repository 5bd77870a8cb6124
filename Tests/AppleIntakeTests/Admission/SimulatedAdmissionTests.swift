// SPDX-License-Identifier: Apache-2.0

// Admission inside a provider of the simulated system.

import CodeIdentity
import Dispatch
import FlowEngine
import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite("Admission on a simulated Mac", .timeLimit(.minutes(2))) struct SimulatedAdmissionTests {
    // It has no state but a constant;
    // the system calls it on its one queue.
    private final class Provider: NETransparentProxyProvider, @unchecked Sendable {
        let admission: FlowAdmission
        init(_ admission: FlowAdmission) { self.admission = admission }

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

        override func handleNewFlow(_ flow: NEAppProxyFlow) -> Bool {
            admission.admit(flow, firstDestination: nil)
        }
    }

    private static let revocation = NWEndpoint.hostPort(host: "203.0.113.80", port: 80)
    private static let origin = NWEndpoint.hostPort(host: "203.0.113.7", port: 443)

    @Test("An oracle whose trust daemon connects through the same provider does not wait for itself")
    func oracle() async throws {
        let internet = MemoryInternet()
        internet.listen(on: Self.revocation) { _ = try? await $0.receive(1) }
        let mac = SimulatedMac(internet: internet)
        let rig = try AdmissionRig(admissionPolicy())
        let proxy = mac.install("weir") { Provider(rig.admission) }
        try await proxy.start()
        func launch(_ program: ScriptedProgram) -> SimulatedProcess {
            mac.launch(SimulatedProgram("\(program)"), pid: program.process().processID)
        }
        let (app, trustd) = (launch(.app), launch(.trustd))
        let ways = Gate<[SimulatedSocket.Way]>([])
        rig.oracle.first { _ in
            let done = DispatchSemaphore(value: 0)
            Task {
                let socket = try? await trustd.connect(to: Self.revocation)
                if let socket { ways.change { $0.append(socket.way) } }
                done.signal()
            }
            done.wait()
        }
        // It fails in the end, because there is no origin behind the engine here; that it ends is the point.
        _ = try? await app.connect(to: Self.origin)
        #expect(ways.read { $0 } == [.declined])
        #expect(mac.log.count(.claimed, program: "app") == 1)
        #expect(rig.world.dialledFor.map(\.identity.codeClass) == [.known(.thirdParty)])
        #expect(rig.admission.log.count(of: .heldKnown) == 1)
        await proxy.stop(.userInitiated)
    }
}
