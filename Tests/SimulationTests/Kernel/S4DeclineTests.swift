// SPDX-License-Identifier: Apache-2.0

// S4: a declined flow goes to the next provider, then out directly with what was buffered.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S4: declines and the chain", .timeLimit(.minutes(1)))
struct S4DeclineTests {
    @Test("Providers are asked in order: by number first, then the most recently installed", arguments: [true, false])
    func order(newestFirst: Bool) async throws {
        let mac = SimulatedMac(Knobs { $0.newestFirst = newestFirst })
        let asked = Gate<[String]>([])
        for (name, order) in [("old", nil), ("new", nil), ("second", 2), ("first", 1)] as [(String, Int?)] {
            let proxy = mac.install(name, order: order) {
                TestProvider { _ in
                    asked.change { $0.append(name) }
                    return false
                }
            }
            try await proxy.start()
        }
        #expect(try await mac.launch("curl").connect(to: .echo).way == .declined)
        #expect(asked.read { $0 } == ["first", "second"] + (newestFirst ? ["new", "old"] : ["old", "new"]))
        #expect(mac.log.count(.declined, program: "curl", destination: .echo) == 4)
    }

    @Test("The first that claims has the flow, and those after it never see it")
    func oneTakes() async throws {
        let mac = SimulatedMac()
        let last = TestProvider()
        try await mac.install("last") { last }.start()
        let middle = TestProvider()
        try await mac.install("middle") { middle }.start()
        try await mac.install("first") { TestProvider { _ in false } }.start()
        async let connecting = mac.launch("curl").connect(to: .echo)
        #expect(await middle.flow().open() == nil)
        #expect(try await connecting.way == .claimed(by: "middle"))
        #expect(last.record.read { $0.offered } == 0)
    }

    @Test("A decline replays what the application sent with its connect, and is for the life of the socket")
    func replay() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider { _ in false }
        try await mac.install("weir") { provider }.start()
        let socket = try await mac.launch("curl").connect(to: .echo, early: Data("early".utf8))
        #expect(try await socket.receive(exactly: 5) == Data("early".utf8))
        try await socket.send(Data("later".utf8))
        #expect(try await socket.receive(exactly: 5) == Data("later".utf8))
        socket.shutdownWrite()
        #expect(try await socket.receive() == Data())
        #expect(provider.record.read { $0.offered } == 1)
    }

    @Test("What a provider did to a flow that it declines is undone")
    func undone() async throws {
        let mac = SimulatedMac()
        let late = Gate<NEAppProxyFlowError.Code?>(nil)
        let provider = TestProvider { flow in
            flow.open(withLocalFlowEndpoint: nil) { _ in }
            flow.closeReadWithError(NEAppProxyFlowError(.refused))
            flow.closeWriteWithError(nil)
            let flow = Carried(flow)
            flow.value.open(withLocalFlowEndpoint: nil) { error in
                late.change { $0 = (error as? NEAppProxyFlowError)?.code }
            }
            return false
        }
        try await mac.install("weir") { provider }.start()
        let socket = try await mac.launch("curl").connect(to: .echo)
        try await socket.send(Data("x".utf8))
        #expect(try await socket.receive() == Data("x".utf8))
        #expect(await late.wait { $0 } == .peerReset)
    }

    @Test("The direct connect after a decline fails with its own error")
    func directFails() async throws {
        let provider: @Sendable () -> NETransparentProxyProvider = { TestProvider { _ in false } }
        let mac = SimulatedMac()
        try await mac.install("weir", make: provider).start()
        let app = mac.launch("curl")
        #expect(await errno { _ = try await app.connect(to: .silent) } == ECONNREFUSED)
        let broken = SimulatedMac(Knobs { $0.directConnectFails = true })
        try await broken.install("weir", make: provider).start()
        let other = broken.launch("curl")
        #expect(await errno { _ = try await other.connect(to: .echo) } == ENETUNREACH)
    }
}
