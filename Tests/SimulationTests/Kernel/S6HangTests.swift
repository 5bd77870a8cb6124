// SPDX-License-Identifier: Apache-2.0

// S6 and S7: a hung provider, and whose sockets a provider gets to see.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S6: hangs", .timeLimit(.minutes(1)))
struct S6HangTests {
    @Test("Connects wait while the provider hangs, excluded ones do not, and both go on when it wakes")
    func hang() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") {
            let provider = TestProvider { _ in false }
            provider.settings = .rules([NENetworkRule(anywhere: .TCP)], excluded: [NENetworkRule("203.0.113.7", 32)])
            return provider
        }
        try await proxy.start()
        proxy.hang()
        let app = mac.launch("curl")
        let outcome = Gate<Int32?>(nil)
        let waiting = Task {
            let number = await errno { _ = try await app.connect(to: .silent) }
            outcome.change { $0 = number }
        }
        for _ in 0..<8 {
            let socket = try await app.connect(to: .echo)
            #expect(socket.way == .excluded)
            try await socket.send(Data("x".utf8))
            #expect(try await socket.receive() == Data("x".utf8))
        }
        #expect(outcome.read { $0 } == nil)
        proxy.unhang()
        await waiting.value
        #expect(outcome.read { $0 } == ECONNREFUSED)
    }

    @Test("Killing a hung provider frees those who wait for it")
    func kill() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        proxy.hang()
        let app = mac.launch("curl")
        async let outcome = errno { _ = try await app.connect(to: .echo) }
        while mac.log.count(.offered) == 0 { await Task.yield() }
        proxy.kill()
        #expect(await outcome == ECONNABORTED)
        #expect(mac.log.count(.aborted) == 1)
    }

    @Test("A hung provider gives no credit: an application sends as much as its window holds, and waits")
    func credit() async throws {
        let open = try await OpenFlow()
        open.proxy.hang()
        open.flow.readData { _, _ in }
        let (socket, sent) = (open.socket, Gate(0))
        let sending = Task {
            while (try? await socket.send(Data(repeating: 1, count: 4096))) != nil { sent.change { $0 += 4096 } }
        }
        #expect(await sent.wait { $0 == StreamState.window ? true : nil } == true)
        #expect(socket.state.read { $0.credit } == 0)
        sending.cancel()
        await sending.value
    }

    @Test("An application may give up: its connect ends, and its process may end")
    func givingUp() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        proxy.hang()
        let app = mac.launch("curl")
        let connecting = Task { await errno { _ = try await app.connect(to: .echo) } }
        while mac.log.count(.offered) == 0 { await Task.yield() }
        connecting.cancel()
        #expect(await connecting.value == ECANCELED)
        async let outcome = errno { _ = try await app.connect(to: .echo) }
        while mac.log.count(.offered) == 1 { await Task.yield() }
        app.exit()
        #expect(await outcome == ECONNABORTED)
        #expect(app.egressCount == 0)
    }
}

@Suite("S7: loops", .timeLimit(.minutes(1)))
struct S7LoopTests {
    @Test("A provider's own sockets are offered only to those after it, a helper's to all")
    func ownEgress() async throws {
        let mac = SimulatedMac()
        let (later, own) = (TestProvider { _ in false }, TestProvider { _ in false })
        try await mac.install("later") { later }.start()
        let proxy = mac.install("weir") { own }
        try await proxy.start()
        #expect(try await proxy.process.connect(to: .echo).way == .declined)
        #expect(own.record.read { $0.offered } == 0)
        #expect(later.record.read { $0.offered } == 1)
        let helper = proxy.process.fork()
        #expect(try await helper.connect(to: .echo).way == .declined)
        #expect(own.record.read { $0.offered } == 1)
    }
}
