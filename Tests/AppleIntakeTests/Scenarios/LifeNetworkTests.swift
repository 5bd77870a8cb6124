// SPDX-License-Identifier: Apache-2.0

// What goes on around it: sleep, networks that change, other providers, limits of the system.

import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct LifeNetworkTests {
    private static let taken = SimulatedSocket.Way.claimed(by: "weir")

    @Test func `A day of sleep and wake every quarter of an hour leaves no flow taken and not carried`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let old = try await rig.app.ask()
        for round in 1...96 {
            // A flow that is on its way to the provider while the machine falls asleep.
            async let crossing = rig.app.ask()
            await rig.mac.sleep()
            rig.weir.time.change { $0 += 900_000 }
            // In a dark wake programs work before anybody says that the machine is awake.
            let dark = try await rig.app.ask()
            #expect(dark.way == Self.taken)
            rig.mac.wake()
            try await old.ask()
            try await dark.ask()
            dark.close()
            try await crossing.close()
            if round % 8 == 0 {
                // Twice told is not twice as awake.
                await rig.mac.sleep()
                rig.mac.wake()
            }
        }
        try await rig.eventually("each wake was told") { rig.weir.calls("woke") == 96 + 12 }
        #expect(rig.proxy.status == .running)
        old.close()
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
    }

    @Test func `An upstream that cannot be reached is an error of connect, and the next network is used at once`()
        async throws
    {
        let rig = MacRig()
        let first = try await rig.serve()
        try await rig.proxy.start()
        let old = try await rig.app.ask()
        // The network is gone: no way at all, then one where nobody listens.
        rig.internet.place(MacRig.site, at: nil)
        #expect(await rig.app.failure() == EHOSTUNREACH)
        try await first.close()
        rig.internet.place(MacRig.site, at: .loopback(port: first.endpoint.port))
        #expect(await rig.app.failure() == ECONNREFUSED)
        // The portal of a hotel answers for everybody, and one sees its answer.
        let portal = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"
        try await rig.serve(MacRig.site, .http(portal))
        let captive = try await rig.app.connect(to: MacRig.site)
        try await captive.send(MacRig.request)
        #expect(try await captive.receive().starts(with: Data("HTTP/1.1 302".utf8)))
        captive.close()
        try await rig.serve(MacRig.site, .reset)
        let cut = try await rig.app.connect(to: MacRig.site)
        try await cut.send(MacRig.request)
        #expect(await cut.end() == ECONNRESET)
        // The network is back, and what the old one still carries goes on.
        try await rig.serve()
        try await rig.app.ask().close()
        try await old.ask()
        old.close()
        try await rig.nothingIsLeft()
        #expect(rig.weir.records.read { $0.count { $0.outcome == .unreachable } } == 2)
        await rig.proxy.stop(.userInitiated)
    }

    @Test func `Providers before and after it each see what the one before sends, nobody sees its own`() async throws {
        let rig = MacRig(order: 2)
        try await rig.serve()
        let (earlier, before) = InstalledWeir.install(on: rig.mac, "earlier", order: 1)
        let (later, after) = InstalledWeir.install(on: rig.mac, "later", order: 3)
        for proxy in [before, rig.proxy, after] { try await proxy.start() }
        let socket = try await rig.app.ask()
        #expect(socket.way == .claimed(by: "earlier"))
        let offered = rig.mac.log.entries.filter { $0.event == .offered }.map { [$0.program, $0.proxy] }
        #expect(offered == [["app", "earlier"], ["earlier", "weir"], ["weir", "later"]])
        #expect(rig.mac.log.count(.direct, program: "later") == 1)

        // One of them dies: its connections end, and the chain closes over the gap.
        rig.proxy.kill()
        // Between two exchanges that is an orderly end, as of a server that tires of waiting.
        #expect(await socket.end() == nil)
        socket.close()
        let healed = try await rig.app.ask()
        #expect(healed.way == .claimed(by: "earlier"))
        #expect(rig.mac.log.entries.last { $0.event == .claimed && $0.program == "earlier" }?.proxy == "later")
        healed.close()
        for weir in [earlier, rig.weir, later] {
            try await rig.eventually("nothing is left, but \(weir.remains)") { weir.remains.isEmpty }
        }
        for proxy in [before, after] { await proxy.stop(.userInitiated) }
    }

    @Test func `Traffic of our helper, and of our own process, is let go and never carried in a circle`() async throws {
        let rig = MacRig()
        try await rig.serve()
        try await rig.proxy.start()
        let helper = rig.mac.launch(SimulatedProgram("helper", team: "WEIR012345"))
        // Its maker is proved with the first connection, which is held until then, and known with the second.
        let first = try await helper.ask()
        let second = try await helper.ask()
        #expect(second.way == .declined)
        let ours = rig.mac.launch(SimulatedProgram("ours", team: "AB12CD34EF"), pid: getpid())
        let own = try await ours.ask()
        #expect(own.way == .declined)
        // One that only claims to be the helper is inspected as anybody.
        let impostor = rig.mac.launch(
            SimulatedProgram("impostor", signingIdentifier: "helper", team: "AB12CD34EF"))
        let inspected = try await impostor.ask()
        #expect(inspected.way == Self.taken)
        for socket in [first, second, own, inspected] {
            try await socket.ask()
            socket.close()
        }
        #expect(rig.mac.log.count(.offered, program: "weir") == 0)
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
    }

    @Test func `At the system's limit of flows new ones fail at once, old ones go on, and room is used again`()
        async throws
    {
        var knobs = Knobs()
        knobs.flowLimit = 6
        let rig = MacRig(knobs)
        try await rig.serve()
        try await rig.serve(MacRig.excluded)
        try await rig.proxy.start()
        var sockets: [SimulatedSocket] = []
        for _ in 0..<6 { sockets.append(try await rig.app.ask()) }
        let other = rig.mac.launch(SimulatedProgram("other", team: "AB12CD34EF"))
        for _ in 0..<20 { #expect(await other.failure() != nil) }
        for socket in sockets { try await socket.ask() }
        try await other.ask(MacRig.excluded).close()
        #expect(rig.proxy.status == .running)

        sockets.removeLast().close()
        try await rig.eventually("the room is free") { rig.proxy.process.egressCount < 6 }
        let next = try await other.ask()
        #expect(next.way == Self.taken)
        for socket in sockets + [next] { socket.close() }
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
    }
}
