// SPDX-License-Identifier: Apache-2.0

// S3: one serial queue for new flows and every completion, and what callbacks cost on it.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S3: the provider's queue", .timeLimit(.minutes(1)))
struct S3QueueTests {
    @Test("Callbacks of many flows never overlap")
    func serial() async throws {
        let mac = SimulatedMac()
        let inside = Gate((now: 0, most: 0, total: 0))
        @Sendable func pass() {
            inside.change { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.total + 1) }
            inside.change { $0.now -= 1 }
        }
        let provider = TestProvider { flow in
            pass()
            let flow = Carried(flow)
            flow.value.open(withLocalFlowEndpoint: nil) { _ in
                pass()
                (flow.value as? NEAppProxyTCPFlow)?.readData { _, _ in
                    pass()
                    (flow.value as? NEAppProxyTCPFlow)?.write(Data("x".utf8)) { _ in pass() }
                }
            }
            return true
        }
        try await mac.install("weir") { provider }.start()
        let app = mac.launch("curl")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    let socket = try await app.connect(to: .echo)
                    try await socket.send(Data("y".utf8))
                    #expect(try await socket.receive() == Data("x".utf8))
                    socket.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(await inside.wait { $0.total == 64 * 4 ? true : nil } == true)
        #expect(inside.read { $0.most } == 1)
    }

    @Test("Callbacks are counted with their CPU time, and with the blocking calls that a test counts")
    func figures() async throws {
        let mac = SimulatedMac()
        let calls = Gate(0)
        let provider = TestProvider { _ in
            var sum: UInt64 = 1
            for value in 0..<200_000 as Range<UInt64> { sum = sum &* 31 &+ value }
            calls.change { $0 += sum == 0 ? 0 : 2 }
            return false
        }
        let proxy = mac.install("weir") { provider }
        proxy.blockingCalls = { calls.read { $0 } }
        try await proxy.start()
        let before = proxy.callbacks.count
        _ = try await mac.launch("curl").connect(to: .echo)
        // The figures of a callback are there once the next one is.
        _ = await proxy.send(Data())
        let figures = proxy.callbacks
        #expect(figures.count > before)
        #expect(figures.longestCPU > .zero)
        #expect(figures.longestWall > .zero)
        #expect(figures.blockingCalls == 2)
        #expect(proxy.longestCallback == figures.longestCPU)
    }

    @Test("Figures stay when a provider is started again")
    func figuresStay() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        await proxy.stop(.userInitiated)
        let before = proxy.callbacks.count
        try await proxy.start()
        #expect(proxy.callbacks.count > before)
    }
}
