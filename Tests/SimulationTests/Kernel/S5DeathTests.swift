// SPDX-License-Identifier: Apache-2.0

// S5: what a provider's death, stop and upgrade do to applications.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S5: death and upgrade", .timeLimit(.minutes(1)))
struct S5DeathTests {
    @Test("Death aborts every claimed flow, both ways at once, and leaves direct ones alone")
    func death() async throws {
        let open = try await OpenFlow()
        open.provider.onFlow = { _ in false }
        let direct = try await open.app.connect(to: .echo)
        let socket = open.socket
        async let receiving = errno { _ = try await socket.receive() }
        async let sending = errno {
            while true { try await socket.send(Data(repeating: 1, count: 65_536)) }
        }
        open.proxy.kill()
        #expect(await receiving == ECONNABORTED)
        #expect(await sending == ECONNABORTED)
        try await direct.send(Data("x".utf8))
        #expect(try await direct.receive() == Data("x".utf8))
        #expect(open.proxy.status == .dead)
        #expect(open.mac.log.count(.aborted) == 1)
        #expect(!open.proxy.process.isAlive)
    }

    @Test("A connect that waits for the dying provider is aborted")
    func deathWhileConnecting() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        let app = mac.launch("curl")
        async let outcome = errno { _ = try await app.connect(to: .echo) }
        _ = await provider.flow()
        proxy.kill()
        #expect(await outcome == ECONNABORTED)
    }

    @Test("After a death new connects of its rules fail for a while, excluded ones never, then all go out directly")
    func failClosed() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") {
            let provider = TestProvider()
            provider.settings = .rules([NENetworkRule(anywhere: .any)], excluded: [NENetworkRule("203.0.113.7", 32)])
            return provider
        }
        try await proxy.start()
        proxy.kill()
        let app = mac.launch("curl")
        for _ in 0..<mac.knobs.failClosedConnects {
            #expect(try await app.connect(to: .echo).way == .excluded)
            #expect(await errno { _ = try await app.connect(to: .silent) } == EINVAL)
        }
        #expect(await errno { _ = try await app.connect(to: .silent) } == ECONNREFUSED)
        #expect(mac.log.count(.refused, program: "curl") == mac.knobs.failClosedConnects)
    }

    @Test("Where the kernel withdraws the rules at once there is no window")
    func noWindow() async throws {
        let mac = SimulatedMac(Knobs { $0.failClosedWindow = false })
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        proxy.kill()
        #expect(try await mac.launch("curl").connect(to: .echo).way == .direct)
    }

    @Test("The next provider takes new flows of a dead one")
    func nextTakes() async throws {
        let mac = SimulatedMac()
        let other = TestProvider()
        try await mac.install("other") { other }.start()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        proxy.kill()
        async let connecting = mac.launch("curl").connect(to: .echo)
        #expect(await other.flow().open() == nil)
        #expect(try await connecting.way == .claimed(by: "other"))
    }

    @Test("A dead provider starts again in a new process and ends the window")
    func restart() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider { _ in false } }
        try await proxy.start()
        let first = proxy.process
        proxy.kill()
        try await proxy.start()
        #expect(proxy.status == .running)
        #expect(proxy.process !== first && proxy.process.auditToken != first.auditToken)
        #expect(try await mac.launch("curl").connect(to: .echo).way == .declined)
    }

    @Test("An orderly stop cuts claimed flows too, and leaves no window")
    func stop() async throws {
        let open = try await OpenFlow()
        await open.proxy.stop(.providerDisabled)
        let socket = open.socket
        #expect(await errno { _ = try await socket.receive() } == ECONNABORTED)
        #expect(try await open.app.connect(to: .echo).way == .direct)
    }

    @Test("An upgrade stops the old provider with appUpdate, cuts its flows once and starts the new one")
    func upgrade() async throws {
        let open = try await OpenFlow()
        let (old, process) = (open.provider, open.proxy.process)
        let new = TestProvider { _ in false }
        #expect(await open.proxy.upgrade { new })
        #expect(old.record.read { $0.stops } == [.appUpdate])
        let socket = open.socket
        #expect(await errno { try await socket.send(Data([1])) } == ECONNABORTED)
        #expect(open.mac.log.count(.aborted) == 1)
        #expect(try await open.app.connect(to: .echo).way == .declined)
        #expect(!process.isAlive && open.proxy.process.isAlive)
    }

    @Test("In the gap of an upgrade new connects fail or go out directly", arguments: [true, false])
    func gap(failsClosed: Bool) async throws {
        let mac = SimulatedMac(Knobs { $0.failClosedWindow = failsClosed })
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        let held = Gate<(@Sendable ((any Error)?) -> Void)?>(nil)
        let new = TestProvider()
        new.onStart = { _, done in held.change { $0 = done } }
        async let upgrading = proxy.upgrade { new }
        let done = try #require(await held.wait { $0 })
        let app = mac.launch("curl")
        let outcome = await errno { _ = try await app.connect(to: .echo) }
        #expect(outcome == (failsClosed ? EINVAL : nil))
        done(nil)
        #expect(await upgrading)
    }

    @Test("An uninstalled provider leaves nothing")
    func remove() async throws {
        let mac = SimulatedMac()
        let proxy = mac.install("weir") { TestProvider() }
        try await proxy.start()
        proxy.remove()
        #expect(try await mac.launch("curl").connect(to: .echo).way == .direct)
    }
}
