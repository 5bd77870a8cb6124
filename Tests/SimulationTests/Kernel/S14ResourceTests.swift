// SPDX-License-Identifier: Apache-2.0

// S14, S15, S16: flows of a process, sleep, and an oracle that needs the network itself.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S14: resources", .timeLimit(.minutes(1)))
struct S14ResourceTests {
    @Test("A process that has all the flows it may have gets ENOMEM, and one again when it closes one")
    func limit() async throws {
        let mac = SimulatedMac(Knobs { $0.flowLimit = 3 })
        let process = mac.launch("weir")
        let socket = try await process.connect(to: .echo)
        try process.openEgress()
        try process.openEgress()
        #expect(await errno { try process.openEgress() } == ENOMEM)
        #expect(await errno { _ = try await process.connect(to: .echo) } == ENOMEM)
        socket.close()
        socket.close()
        try process.openEgress()
        #expect(process.egressCount == 3)
        for _ in 0..<4 { process.closeEgress() }
        #expect(process.egressCount == 0)
    }

    @Test("Connects that fail give back what they took")
    func failed() async throws {
        let process = SimulatedMac().launch("curl")
        _ = await errno { _ = try await process.connect(to: .silent) }
        #expect(process.egressCount == 0)
    }

    @Test("The log is bounded, and still counts everything")
    func boundedLog() async throws {
        let mac = SimulatedMac()
        let app = mac.launch("curl")
        for port in 1...3000 as ClosedRange<UInt16> {
            _ = await errno { _ = try await app.connect(to: .at("203.0.113.9", port)) }
        }
        #expect(mac.log.entries.count <= KernelLog.entryLimit)
        #expect(mac.log.count(.direct) == 3000)
        #expect(mac.log.count(.direct, program: "curl") == 3000)
        #expect(mac.log.count(.direct, destination: .at("203.0.113.9", 1)) == 1)
    }
}

@Suite("S15: sleep and wake", .timeLimit(.minutes(1)))
struct S15SleepTests {
    @Test("Every provider that runs is told of sleep, and of wake after it; flows stay")
    func pairs() async throws {
        let open = try await OpenFlow()
        for round in 1...4 {
            await open.mac.sleep()
            #expect(open.provider.record.read { $0.sleeps } == round)
            open.mac.wake()
            #expect(await open.provider.record.wait { $0.wakes == round ? true : nil } == true)
        }
        try await open.socket.send(Data("x".utf8))
        #expect(await open.flow.read() == .success(Data("x".utf8)))
    }

    @Test("Sleep does not wait for a provider that hangs, is stopped or dies")
    func unanswered() async throws {
        let mac = SimulatedMac()
        _ = mac.install("stopped") { TestProvider() }
        let hung = mac.install("hung") { TestProvider() }
        try await hung.start()
        hung.hang()
        await mac.sleep()
        hung.unhang()
        let mute = MuteProvider()
        let proxy = mac.install("mute") { mute }
        try await proxy.start()
        let sleeping = Task { await mac.sleep() }
        _ = await mute.record.wait { $0.sleeps == 1 ? true : nil }
        proxy.kill()
        await sleeping.value
    }

    // It adds nothing that changes to its parent.
    // The parent proves itself.
    private final class MuteProvider: TestProvider, @unchecked Sendable {
        override func sleep(completionHandler: @escaping @Sendable () -> Void) { record.change { $0.sleeps += 1 } }
    }
}

@Suite("S16: an oracle behind the same proxy", .timeLimit(.minutes(1)))
struct S16OracleTests {
    @Test("An oracle's flow is offered while another flow waits for its answer")
    func oracle() async throws {
        let mac = SimulatedMac()
        let trustd = mac.launch(SimulatedProgram("trustd", isPlatform: true))
        let provider = TestProvider { flow in
            guard flow.metaData.sourceAppSigningIdentifier != "trustd" else { return false }
            let flow = Carried(flow)
            Task {
                let socket = try await trustd.connect(to: .echo)
                try await socket.send(Data("who?".utf8))
                _ = try await socket.receive(exactly: 4)
                _ = await flow.value.open()
            }
            return true
        }
        try await mac.install("weir") { provider }.start()
        #expect(try await mac.launch("curl").connect(to: .echo).way == .claimed(by: "weir"))
        #expect(mac.log.count(.declined, program: "trustd") == 1)
    }

    @Test("A provider that waits for its oracle in the callback holds up the oracle's own flow")
    func deadlock() async throws {
        let mac = SimulatedMac()
        let trustd = mac.launch("trustd")
        let (asked, answered) = (Gate(false), DispatchSemaphore(value: 0))
        let provider = TestProvider { flow in
            guard flow.metaData.sourceAppSigningIdentifier != "trustd" else { return false }
            asked.change { $0 = true }
            answered.wait()
            return false
        }
        try await mac.install("weir") { provider }.start()
        let app = mac.launch("curl")
        let waiting = Task { try await app.connect(to: .echo).way }
        _ = await asked.wait { $0 ? true : nil }
        let oracle = Task { try await trustd.connect(to: .echo).way }
        while mac.log.count(.offered, program: "trustd") == 0 { await Task.yield() }
        #expect(mac.log.count(.declined) == 0)
        answered.signal()
        #expect(try await waiting.value == .declined)
        #expect(try await oracle.value == .declined)
    }
}
