// SPDX-License-Identifier: Apache-2.0

// S1: no flow before a start has completed, none after stop was called; and the ways in which starts go wrong.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S1: start and stop", .timeLimit(.minutes(1)))
struct S1LifecycleTests {
    @Test("A claimed flow carries bytes both ways")
    func carries() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        let app = mac.launch("curl")
        async let connecting = app.connect(to: .echo)
        let flow = await provider.flow()
        #expect(await flow.open() == nil)
        let socket = try await connecting
        #expect(socket.way == .claimed(by: "weir"))
        try await socket.send(Data("hello".utf8))
        #expect(await flow.read() == .success(Data("hello".utf8)))
        #expect(await flow.write(Data("there".utf8)) == nil)
        #expect(try await socket.receive() == Data("there".utf8))
    }

    @Test("Before the start has completed and after stop was called, connects go out directly")
    func outsideOfRunning() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        let held = Gate<(@Sendable ((any Error)?) -> Void)?>(nil)
        provider.onStart = { provider, done in
            provider.setTunnelNetworkSettings(provider.settings) { _ in held.change { $0 = done } }
        }
        let proxy = mac.install("weir") { provider }
        async let starting: Void = proxy.start()
        let done = try #require(await held.wait { $0 })
        #expect(proxy.status == .starting)
        let app = mac.launch("curl")
        #expect(try await app.connect(to: .echo).way == .direct)
        done(nil)
        try await starting
        #expect(proxy.status == .running)
        provider.onFlow = { _ in false }
        #expect(try await app.connect(to: .echo).way == .declined)
        await proxy.stop(.userInitiated)
        #expect(try await app.connect(to: .echo).way == .direct)
        #expect(provider.record.read { $0.offered } == 1)
        #expect(provider.record.read { $0.stops } == [.userInitiated])
        #expect(proxy.status == .stopped)
    }
}
