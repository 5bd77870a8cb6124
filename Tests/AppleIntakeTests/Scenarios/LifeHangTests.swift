// SPDX-License-Identifier: Apache-2.0

// The complaint that comes first: no network while the extension hangs, or after it has died.

import Dispatch
import FlowModel
import FlowPolicy
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct LifeHangTests {
    @Test func `A request is carried through the whole provider, and nothing of it stays`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let socket = try await rig.app.ask()
        #expect(socket.way == .claimed(by: "weir"))
        socket.close()
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
        #expect(rig.weir.calls("close") == 1)
    }

    @Test
    func `A hung extension holds up new inspected connections alone, until the watchdog ends it and it starts again`()
        async throws
    {
        let rig = MacRig(beat: 1_000)
        try await rig.serve()
        try await rig.serve(MacRig.excluded)
        let old = try await rig.app.ask()
        try await rig.proxy.start()
        let system = rig.mac.launch(
            SimulatedProgram("trustd", signingIdentifier: "com.apple.trustd", isPlatform: true))
        let declined = try await system.ask()
        let excluded = try await rig.app.ask(MacRig.excluded)
        let claimed = try await rig.app.ask()
        let ways: [SimulatedSocket.Way] = [.direct, .declined, .excluded, .claimed(by: "weir")]
        #expect([old, declined, excluded, claimed].map(\.way) == ways)

        let release = DispatchSemaphore(value: 0)
        defer { release.signal() }
        rig.weir.beforeFlow.change { $0 = { release.wait() } }
        async let first = rig.app.failure()
        async let second = rig.app.failure()
        try await rig.eventually("both wait") { rig.mac.log.count(.offered, program: "app") == 3 }
        for socket in [old, declined, excluded] { try await socket.ask() }
        try await rig.app.ask(MacRig.excluded).close()

        #expect(await [first, second, claimed.end()] == [ECONNABORTED, ECONNABORTED, ECONNABORTED])
        #expect(rig.proxy.status == .dead)
        rig.weir.beforeFlow.change { $0 = nil }
        for _ in 0..<rig.mac.knobs.failClosedConnects {
            #expect(await rig.app.failure() == EINVAL)
            try await rig.app.ask(MacRig.excluded).close()
        }
        let inTheGap = try await rig.app.ask()
        #expect(inTheGap.way == .direct)

        try await rig.proxy.start()
        let again = try await rig.app.ask()
        #expect(again.way == .claimed(by: "weir"))
        #expect(rig.weir.codes.contains("provider-died"))
        for socket in [old, declined, excluded, inTheGap] { try await socket.ask() }
        for socket in [old, declined, excluded, inTheGap, claimed, again] { socket.close() }
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
    }

    @Test func `A stop that a hung extension does not hear ends with the watchdog, and the next start takes flows`()
        async throws
    {
        let rig = MacRig(beat: 200)
        try await rig.serve()
        try await rig.proxy.start()
        let release = DispatchSemaphore(value: 0)
        defer { release.signal() }
        let isStuck = Gate(false)
        rig.weir.beforeFlow.change {
            $0 = {
                isStuck.change { $0 = true }
                release.wait()
            }
        }
        async let stuck = rig.app.failure()
        try await rig.eventually("the callback is stuck") { isStuck.read { $0 } }
        await rig.proxy.stop(.userInitiated)
        #expect(await stuck == ECONNABORTED)
        #expect(rig.weir.calls("stop") == 0)
        #expect(!rig.proxy.process.isAlive)
        rig.weir.beforeFlow.change { $0 = nil }
        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == .claimed(by: "weir"))
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test func `A crash while connections are held for their maker aborts them, and nothing waits on`() async throws {
        let rig = MacRig()
        try await rig.serve()
        let examined = DispatchSemaphore(value: 0)
        defer { examined.signal() }
        let connecting = try await rig.startHolding(until: examined)
        rig.proxy.kill()
        for connecting in connecting { #expect(await connecting.value == ECONNABORTED) }
        rig.weir.beforeExamination.change { $0 = nil }
        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == .claimed(by: "weir"))
        await rig.proxy.stop(.userInitiated)
        examined.signal()
        try await rig.nothingIsLeft()
    }

    @Test func `A crash in the middle of transfers cuts each claimed one once, and the next provider takes over`()
        async throws
    {
        let rig = MacRig(order: 1)
        let (other, next) = InstalledWeir.install(on: rig.mac, "next", order: 2)
        let large = 4_000_000
        let body = String(repeating: "0123456789", count: large / 10)
        try await rig.serve(MacRig.site, .http("HTTP/1.1 200 OK\r\nContent-Length: \(large)\r\n\r\n\(body)"))
        try await rig.proxy.start()
        var sockets: [SimulatedSocket] = []
        for _ in 0..<4 {
            let socket = try await rig.app.connect(to: MacRig.site)
            try await socket.send(MacRig.request)
            #expect(try await !socket.receive().isEmpty)
            sockets.append(socket)
        }
        // Started only now, so that the connections of the first one are not its flows.
        try await next.start()
        rig.proxy.kill()
        for socket in sockets {
            #expect(await socket.end() == ECONNABORTED)
            #expect(await errno { try await socket.send(MacRig.request) } == ECONNABORTED)
        }
        #expect(rig.mac.log.count(.aborted) == 4)
        try await rig.nothingIsLeft()

        let taken = try await rig.app.connect(to: MacRig.site)
        #expect(taken.way == .claimed(by: "next"))
        try await taken.send(MacRig.request)
        #expect(try await !taken.receive().isEmpty)
        taken.close()
        try await rig.eventually("nothing is left of the next, but \(other.remains)") { other.remains.isEmpty }
        await next.stop(.userInitiated)
    }

    @Test func `The third death leaves it disarmed at the next start, and armed again it takes flows`() async throws {
        let rig = MacRig()
        try await rig.serve()
        for _ in 0..<AppleIntakeLimits.deaths.value {
            try await rig.proxy.start()
            let socket = try await rig.app.ask()
            #expect(socket.way == .claimed(by: "weir"))
            rig.weir.time.change { $0 += 60_000 }
            rig.proxy.kill()
            #expect(await socket.end() == ECONNABORTED)
        }
        try await rig.proxy.start()
        #expect(rig.weir.codes.count { $0 == "provider-died" } == 3)
        #expect(rig.weir.codes.contains("provider-disarmed"))
        let unseen = try await rig.app.ask()
        #expect(unseen.way == .direct)
        #expect(try await rig.status().disarmed != nil)
        try await rig.weir.rearm()
        #expect(try await rig.status().disarmed == nil)
        let seen = try await rig.app.ask()
        #expect(seen.way == .claimed(by: "weir"))
        // A stop is no death, so it stays armed.
        await rig.proxy.stop(.userInitiated)
        #expect(await seen.end() == ECONNRESET)
        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == .claimed(by: "weir"))
        #expect(rig.weir.codes.count { $0 == "provider-died" } == 3)
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }

    @Test func `On a build that is known to go wrong nothing is taken, and what is carried already goes on`()
        async throws
    {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let carried = try await rig.app.ask()
        rig.weir.modeCap.change { $0 = ModeCap(.off, because: "this build is known to go wrong") }
        try await rig.weir.reload()
        let status = try await rig.status()
        #expect(status.mode == "off" && status.rules?.included == 0)
        try await carried.ask()
        #expect(try await rig.app.ask().way == .direct)
        await rig.proxy.stop(.userInitiated)

        let offered = rig.mac.log.count(.offered)
        try await rig.proxy.start()
        #expect(try await rig.app.ask().way == .direct)
        #expect(rig.mac.log.count(.offered) == offered)
        await rig.proxy.stop(.userInitiated)
        try await rig.nothingIsLeft()
    }
}
