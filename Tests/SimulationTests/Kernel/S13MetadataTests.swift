// SPDX-License-Identifier: Apache-2.0

// S13: who a flow is attributed to, and the tokens of processes.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S13: who made the flow", .timeLimit(.minutes(1)))
struct S13MetadataTests {
    /// What a provider sees of a flow that the body makes.
    private func seen(
        on mac: SimulatedMac = SimulatedMac(), _ connect: (SimulatedMac) async throws -> Void
    ) async throws -> (token: Data?, unique: Data, identifier: String, name: String?) {
        let metaData = Gate<(Data?, Data, String, String?)?>(nil)
        try await mac.install("weir") {
            TestProvider { flow in
                let data = flow.metaData
                metaData.change {
                    $0 = (
                        data.sourceAppAuditToken, data.sourceAppUniqueIdentifier, data.sourceAppSigningIdentifier,
                        flow.remoteHostname
                    )
                }
                return false
            }
        }.start()
        try await connect(mac)
        let seen = try #require(metaData.read { $0 })
        return (seen.0, seen.1, seen.2, seen.3)
    }

    private func fields(_ token: Data) -> [UInt32] {
        stride(from: 0, to: token.count, by: 4).map { start in
            token.dropFirst(start).prefix(4).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        }
    }

    @Test("A token is xnu's: auid, euid, egid, ruid, rgid, pid, asid, pidversion")
    func layout() throws {
        let process = SimulatedMac().launch(SimulatedProgram("curl"), user: 502)
        let token = try #require(process.auditToken)
        let fields = fields(token)
        #expect(fields.count == 8)
        #expect(Array(fields[0...3]) == [502, 502, 20, 502])
        #expect(fields[5] == UInt32(process.pid))
    }

    @Test("A flow carries its process's token, cdhash and identifier, and the name it connects by")
    func plain() async throws {
        let mac = SimulatedMac()
        let app = mac.launch(SimulatedProgram("curl", signingIdentifier: "com.apple.curl", isPlatform: true))
        let seen = try await seen(on: mac) { _ in _ = try await app.connect(to: .echo, hostname: "echo.example") }
        #expect(seen.token == app.auditToken)
        #expect(seen.unique == app.program.cdhash && seen.unique.count == 20)
        #expect(seen.identifier == "com.apple.curl")
        #expect(seen.name == "echo.example")
    }

    @Test("exec keeps the pid and changes pidversion and program")
    func exec() throws {
        let mac = SimulatedMac()
        let process = mac.launch("sh")
        let before = try #require(process.auditToken)
        process.exec(SimulatedProgram("curl"))
        let after = try #require(process.auditToken)
        #expect(fields(before).prefix(7) == fields(after).prefix(7))
        #expect(fields(before)[7] != fields(after)[7])
        #expect(process.program.name == "curl")
        #expect(mac.processes.process(named: before) == nil)
        #expect(mac.processes.process(named: after) === process)
    }

    @Test("A pid that is reused has another pidversion; the token of an ended process names nobody")
    func reuse() throws {
        let mac = SimulatedMac()
        let first = mac.launch("curl")
        let token = try #require(first.auditToken)
        first.exit()
        #expect(mac.processes.process(named: token) == nil)
        let second = mac.launch(SimulatedProgram("evil"), user: 501, pid: first.pid)
        #expect(second.pid == first.pid)
        #expect(second.auditToken != token)
        #expect(mac.processes.process(named: token) == nil)
        #expect(mac.launch(SimulatedProgram("third"), user: 501, pid: first.pid).pid != first.pid)
    }

    @Test("A child has the same program and its own pid and pidversion")
    func fork() {
        let mac = SimulatedMac()
        let parent = mac.launch("python3")
        let child = parent.fork()
        #expect(child.program == parent.program && child.pid != parent.pid)
        #expect(child.auditToken != parent.auditToken)
    }

    @Test("A flow made in another's name is attributed to that one")
    func delegated() async throws {
        let mac = SimulatedMac()
        let app = mac.launch("notes")
        let daemon = mac.launch(SimulatedProgram("nsurlsessiond", isPlatform: true))
        let seen = try await seen(on: mac) { _ in _ = try await daemon.connect(to: .echo, delegate: app) }
        #expect(seen.token == app.auditToken)
        #expect(seen.identifier == "notes")
    }

    @Test("A process that is gone when its flow is looked at has the token it had")
    func exited() async throws {
        let mac = SimulatedMac()
        let provider = TestProvider()
        let proxy = mac.install("weir") { provider }
        try await proxy.start()
        proxy.hang()
        let app = mac.launch("curl")
        let token = app.auditToken
        let connecting = Task { _ = try await app.connect(to: .echo) }
        while mac.log.count(.offered) == 0 { await Task.yield() }
        app.exit()
        proxy.unhang()
        let flow = await provider.flow()
        #expect(flow.metaData.sourceAppAuditToken == token)
        #expect(mac.processes.process(named: token ?? Data()) == nil)
        await #expect(throws: SocketError.self) { try await connecting.value }
    }

    @Test("The kernel's own flows have pid 0 and no token, some others have none either")
    func nobody() async throws {
        let mac = SimulatedMac()
        let kernel = mac.launch(SimulatedProgram("kernel_task", cdhash: Data(), isKernel: true))
        #expect(kernel.pid == 0)
        let seen = try await seen(on: mac) { _ in _ = try await kernel.connect(to: .echo) }
        #expect(seen.token == nil && seen.unique.isEmpty)
        let tokenless = try await self.seen { mac in
            _ = try await mac.launch(SimulatedProgram("odd", hasToken: false)).connect(to: .echo)
        }
        #expect(tokenless.token == nil && tokenless.identifier == "odd")
    }

    @Test(
        "An identifier is absent unless the kernel finds the code valid or debugged", arguments: [0x1, 0x1000_0000, 0])
    func validity(bits: UInt32) async throws {
        let seen = try await seen { mac in
            _ = try await mac.launch(SimulatedProgram("tool", kernelBits: bits)).connect(to: .echo)
        }
        #expect(seen.identifier == (bits == 0 ? "" : "tool"))
    }
}
