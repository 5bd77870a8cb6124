// SPDX-License-Identifier: Apache-2.0

// Many flows, and that nothing of them stays.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("Soak", .timeLimit(.minutes(5)))
struct SoakTests {
    @Test("After thousands of flows of every end the kernel holds none of them")
    func flows() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider { flow in answer(flow) } }
        try await proxy.start()
        let app = mac.launch("curl")
        let count = 4000
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 32 { try await group.next() }
                group.addTask {
                    let socket = try await app.connect(to: .echo)
                    try await socket.send(Data("ping".utf8))
                    switch number % 4 {
                    case 0: socket.reset()
                    case 1: socket.close()
                    case 2:
                        _ = try await socket.receive(exactly: 4)
                        socket.shutdownWrite()
                        #expect(try await socket.receive() == Data())
                        socket.close()
                    default:
                        _ = try await socket.receive(exactly: 4)
                        socket.close()
                    }
                }
            }
            try await group.waitForAll()
        }
        while proxy.flowCount > 0 { await Task.yield() }
        #expect(app.egressCount == 0)
        #expect(mac.log.count(.claimed) == count)
        #expect(mac.log.count(.closed) == count)
    }
}

/// Opens a flow and sends back what it reads until the end.
private func answer(_ flow: NEAppProxyFlow) -> Bool {
    guard let flow = flow as? NEAppProxyTCPFlow else { return false }
    let carried = Carried(flow)
    flow.open(withLocalFlowEndpoint: nil) { _ in pump(carried) }
    return true
}

private func pump(_ flow: Carried<NEAppProxyTCPFlow>) {
    flow.value.readData { data, error in
        guard let data, !data.isEmpty, error == nil else {
            flow.value.closeReadWithError(nil)
            flow.value.closeWriteWithError(nil)
            return
        }
        flow.value.write(data) { _ in
            // After an error the next read says how it ends.
            pump(flow)
        }
    }
}
