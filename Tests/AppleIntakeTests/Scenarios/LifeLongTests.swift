// SPDX-License-Identifier: Apache-2.0

// A provider over hours, and its whole life under everything that is not certain of macOS.

import FlowModel
import Foundation
import NIOCore
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(30))) struct LifeLongTests {
    private static let taken = SimulatedSocket.Way.claimed(by: "weir")

    /// Where connections end in other ways than at `MacRig.site`.
    private enum Place {
        static let resetting = NWEndpoint.hostPort(host: "203.0.113.8", port: 80)
        static let refusing = NWEndpoint.hostPort(host: "203.0.113.9", port: 80)
        static let nowhere = NWEndpoint.hostPort(host: "203.0.113.10", port: 80)
        static let pouring = NWEndpoint.hostPort(host: "203.0.113.11", port: 80)
        static let blocked = NWEndpoint.hostPort(host: "192.0.2.66", port: 80)
        static let datagrams = NWEndpoint.hostPort(host: "203.0.113.7", port: 5000)
    }

    private static let rules = """
        - {name: bad, when: {address: 192.0.2.66}, then: block}
          - {name: voice, when: {transport: udp, port: 5000}, then: relay}
        """

    @Test func `Thousands of flows of all endings over hours leave nothing behind`() async throws {
        let rig = MacRig(policy: MacRig.policy(Self.rules))
        try await rig.serve()
        try await rig.serve(MacRig.excluded)
        try await rig.serve(Place.resetting, .reset)
        try await rig.serve(Place.refusing).close()
        let large = "HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n" + String(repeating: "x", count: 600_000)
        try await rig.serve(Place.pouring, .http(large))
        let echo = try await rig.serveDatagrams(Place.datagrams)
        try await rig.proxy.start()
        var number = 0
        var samples: [Footprint] = []
        // Five hours: each round is a quarter of one. `make soak-macos` makes it a hundred thousand flows.
        let rounds = ProcessInfo.processInfo.environment["WEIR_SOAK_ROUNDS"].flatMap { Int($0) } ?? 20
        for round in 1...rounds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<Ending.allCases.count * 8 {
                    let ending = Ending.allCases[number % Ending.allCases.count]
                    number += 1
                    if number > 16 { try await group.next() }
                    group.addTask { try await Self.end(ending, rig) }
                }
                try await group.waitForAll()
            }
            rig.weir.time.change { $0 += 900_000 }
            rig.weir.records.change { $0 = [] }
            if round % max(rounds / 8, 1) == 0 {
                try await rig.nothingIsLeft()
                samples.append(try Footprint())
            }
        }
        try await rig.nothingIsLeft()
        if rounds >= 200 {
            for sample in samples { print("soak: \(sample)") }
            let (early, late) = (samples[samples.count / 2], samples[samples.count - 1])
            #expect(late.descriptors <= early.descriptors + 8)
            #expect(late.pages <= early.pages + early.pages / 10)
        }
        #expect(rig.app.egressCount == 0)
        #expect(rig.mac.log.count(.claimed) > number / 2)
        #expect(rig.mac.log.count(.claimed, destination: Place.datagrams) == number / 8)
        #expect(rig.proxy.status == .running)
        try await rig.app.ask().close()
        try await rig.nothingIsLeft()
        await rig.proxy.stop(.userInitiated)
        try await echo.close()
    }

    /// What this process holds of the machine.
    private struct Footprint: CustomStringConvertible {
        let descriptors: Int
        /// Resident pages of 4 KiB.
        let pages: Int

        init() throws {
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            pages = try #require(words.count > 1 ? Int(words[1]) : nil)
        }

        var description: String { "\(descriptors) descriptors, \(pages * 4 / 1024) MiB resident" }
    }

    private enum Ending: CaseIterable {
        case orderly, halfClosed, reset, unused, cutRequest, droppedRequest, unread, originReset, refused, unreachable
        case blocked, excluded, exit, givenUpWhileHeld, answeredDatagram, unansweredDatagram
    }

    private static func end(_ ending: Ending, _ rig: MacRig) async throws {
        let app = rig.app
        switch ending {
        case .orderly:
            try await app.ask().close()
        case .halfClosed:
            let socket = try await app.ask()
            socket.shutdownWrite()
            #expect(await socket.end() == nil)
            socket.close()
        case .reset:
            try await app.ask().reset()
        case .unused:
            try await app.connect(to: MacRig.site).close()
        case .cutRequest, .droppedRequest:
            let socket = try await app.connect(to: MacRig.site)
            try await socket.send(MacRig.request.prefix(40))
            if ending == .cutRequest { socket.reset() } else { socket.close() }
        case .unread:
            let socket = try await app.connect(to: Place.pouring)
            try await socket.send(MacRig.request)
            #expect(try await !socket.receive(1).isEmpty)
            socket.close()
        case .originReset:
            let socket = try await app.connect(to: Place.resetting)
            try await socket.send(MacRig.request)
            #expect(await socket.end() == ECONNRESET)
            socket.close()
        case .refused:
            #expect(await app.failure(Place.refusing) == ECONNREFUSED)
        case .unreachable:
            #expect(await app.failure(Place.nowhere) == EHOSTUNREACH)
        case .blocked:
            let outcome = await errno {
                let socket = try await app.connect(to: Place.blocked)
                defer { socket.close() }
                try await socket.send(MacRig.request)
                while try await !socket.receive().isEmpty {}
            }
            #expect(outcome == nil || outcome == ECONNRESET, "\(String(describing: outcome))")
        case .excluded:
            try await app.ask(MacRig.excluded).close()
        case .exit:
            let process = rig.mac.launch(app.program)
            _ = try await process.ask()
            process.exit()
        case .givenUpWhileHeld:
            let process = rig.mac.launch(app.program)
            let connecting = Task { await process.failure() }
            connecting.cancel()
            _ = await connecting.value
            process.exit()
        case .answeredDatagram, .unansweredDatagram:
            let socket = app.datagramSocket()
            try socket.send(Data("voice".utf8), to: Place.datagrams)
            if ending == .answeredDatagram { #expect(try await socket.receive().0 == Data("voice".utf8)) }
            socket.close()
        }
    }

    @Test(arguments: Array(Knobs.pairwise().indices))
    func `A whole life goes well, whatever the kernel is like`(_ row: Int) async throws {
        let knobs = Knobs.pairwise()[row]
        let rig = MacRig(knobs, policy: "version: 1\nmode: [")
        try await rig.serve()
        try await rig.serve(MacRig.excluded)
        let old = try await rig.app.ask()
        await #expect(throws: ProviderFailure.self) { try await rig.proxy.start() }
        _ = await rig.proxy.ended()
        rig.weir.policy.change { $0 = MacRig.policy() }
        try await rig.proxy.start()

        let system = rig.mac.launch(
            SimulatedProgram("trustd", signingIdentifier: "com.apple.trustd", isPlatform: true))
        #expect(await system.failure() == (knobs.directConnectFails ? ENETUNREACH : nil))
        #expect(try await rig.app.ask(MacRig.excluded).way == .excluded)
        let claimed = try await rig.app.ask()
        #expect(claimed.way == Self.taken)
        try await Self.traffic(rig)

        let nothing: SimulatedSocket.Way = knobs.emptyRulesRefused ? .excluded : .direct
        for isResting in [true, false, true, false] {
            try await rig.weir.rest(isResting)
            #expect(try await rig.app.ask().way == (isResting ? nothing : Self.taken))
        }
        rig.weir.policy.change { $0 = "mode: [" }
        await #expect(throws: (any Error).self) { try await rig.weir.reload() }
        rig.weir.policy.change { $0 = MacRig.policy("# the same, read again") }
        try await rig.weir.reload()
        await rig.mac.sleep()
        rig.mac.wake()
        try await claimed.ask()

        let weir = rig.weir
        #expect(await rig.proxy.upgrade { WeirUnderTest(weir) })
        #expect(await claimed.end() == ECONNRESET)
        try await Self.traffic(rig)
        let cut = try await rig.app.ask()
        rig.proxy.kill()
        #expect(await cut.end() == ECONNABORTED)
        for _ in 0..<(knobs.failClosedWindow ? knobs.failClosedConnects : 0) {
            #expect(await rig.app.failure() == EINVAL)
        }
        #expect(try await rig.app.ask().way == .direct)
        try await rig.proxy.start()
        #expect(weir.codes.count { $0 == "provider-died" } == 1)
        try await Self.traffic(rig)
        let last = try await rig.app.ask()
        await rig.proxy.stop(.userInitiated)
        #expect(await last.end() == ECONNRESET)
        #expect(try await rig.app.ask().way == .direct)
        try await old.ask()
        try await rig.nothingIsLeft()
        // Of the four that were made, one could not read its policy and one died.
        #expect(weir.calls("make") == 4 && weir.calls("close") == 2)
    }

    /// Flows that end in the common ways.
    private static func traffic(_ rig: MacRig) async throws {
        for ending in [Ending.orderly, .halfClosed, .reset, .unused, .cutRequest] { try await end(ending, rig) }
    }
}
