// SPDX-License-Identifier: Apache-2.0

// Real clients become sockets of simulated applications, with everything that happens to those.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite("A SOCKS door into the machine", .timeLimit(.minutes(1)))
struct SocksDoorTests {
    private let internet = LoopbackInternet()
    private let mac: SimulatedMac
    private let provider = TestProvider()
    private let proxy: InstalledProxy
    private let door: SocksDoor

    init() throws {
        let mac = SimulatedMac(internet: internet)
        self.mac = mac
        proxy = mac.install("weir") { [provider] in provider }
        let curl = mac.launch("curl")
        door = try SocksDoor(resolving: ["example.com": "203.0.113.7"]) { $0 == "curl" ? curl : nil }
    }

    @Test("A client is a socket of the application that it names, to the address of the name that it asks for")
    func claimed() async throws {
        try await proxy.start()
        let client = try await SocksClient(door)
        #expect(try await client.logIn("curl") == 0)
        async let reply = client.request("Example.com", 80)
        let flow = await provider.flow()
        #expect(flow.remoteHostname == "Example.com")
        #expect(flow.remoteFlowEndpoint == .at("203.0.113.7", 80))
        #expect(flow.metaData.sourceAppSigningIdentifier == "curl")
        #expect(await flow.open() == nil)
        #expect(try await reply == 0)
        try await client.real.send(Data("hello".utf8))
        #expect(await flow.read() == .success(Data("hello".utf8)))
        // Each half ends by itself.
        client.real.shutdownWrite()
        #expect(await flow.read() == .success(Data()))
        #expect(await flow.write(Data("there".utf8)) == nil)
        flow.closeWriteWithError(nil)
        #expect(try await client.exactly(5) == Array("there".utf8))
        #expect(try await client.real.receive(1).isEmpty)
    }

    @Test("Who names no known application is turned away, and so is what is no connect")
    func turnedAway() async throws {
        #expect(try await SocksClient(door).logIn("stranger") == 1)
        let client = try await SocksClient(door)
        try await client.real.send(Data([5, 1, 0]))
        #expect(try await client.exactly(2) == [5, 0xFF])
        let binder = try await SocksClient(door)
        #expect(try await binder.logIn("curl") == 0)
        #expect(try await binder.request("203.0.113.7", 80, command: 2) == 7)
        let lost = try await SocksClient(door)
        #expect(try await lost.logIn("curl") == 0)
        #expect(try await lost.request("nowhere.example", 80) == 4)
    }

    @Test(
        "The reply says how the application's connect failed",
        arguments: [
            (NEAppProxyFlowError.Code.refused, UInt8(5)), (.hostUnreachable, 4), (.timedOut, 6), (.peerReset, 1),
        ])
    func replies(_ code: NEAppProxyFlowError.Code, _ expected: UInt8) async throws {
        provider.onFlow = { flow in
            flow.closeReadWithError(NEAppProxyFlowError(code))
            flow.closeWriteWithError(NEAppProxyFlowError(code))
            return true
        }
        try await proxy.start()
        let client = try await SocksClient(door)
        #expect(try await client.logIn("curl") == 0)
        #expect(try await client.request("203.0.113.7", 80) == expected)
    }

    @Test("A client's reset is the application's, and the death of the provider resets the client")
    func resets() async throws {
        try await proxy.start()
        let (first, flow) = try await connect(0)
        let read = Task { await Carried(flow).value.read() }
        first.real.reset()
        #expect(await read.value == .failure(NEAppProxyFlowError(.peerReset)))
        let (second, _) = try await connect(1)
        proxy.kill()
        await #expect(throws: SocketError(ECONNRESET)) { try await second.real.receive(1) }
    }

    @Test("A provider that does not read stops the client, and nothing is lost when it reads again")
    func backPressure() async throws {
        try await proxy.start()
        let (client, flow) = try await connect(0)
        let size = 16 << 20
        let isSent = Gate(false)
        Task {
            try await client.real.send(Data(repeating: 7, count: size))
            isSent.change { $0 = true }
            client.real.shutdownWrite()
        }
        guard case .success(var data) = await flow.read() else { throw SocketError(EIO) }
        // The kernel's buffers, the door's and the window hold far less than that.
        #expect(!isSent.read { $0 })
        var (total, largest) = (data.count, data.count)
        while !data.isEmpty {
            guard case .success(let next) = await flow.read() else { throw SocketError(EIO) }
            data = next
            total += data.count
            largest = max(largest, data.count)
        }
        #expect(total == size)
        #expect(largest <= 0x40000)
        #expect(isSent.read { $0 })
    }

    @Test("What is declined goes to the real server in the endpoint's place")
    func declined() async throws {
        let server = try RealServer.echo()
        internet.place(.at("203.0.113.7", 80), at: .loopback(port: server.port))
        provider.onFlow = { _ in false }
        try await proxy.start()
        let client = try await SocksClient(door)
        #expect(try await client.logIn("curl") == 0)
        #expect(try await client.request("example.com", 80) == 0)
        try await client.real.send(Data("hello".utf8))
        #expect(try await client.exactly(5) == Array("hello".utf8))
        client.real.shutdownWrite()
        #expect(try await client.real.receive(1).isEmpty)
        #expect(mac.log.count(.declined) == 1)
    }

    @Test("Real curl runs through a provider")
    func realCurl() async throws {
        try await proxy.start()
        async let output = run(
            "curl", "--silent", "--show-error", "--max-time", "30", "--proxy",
            "socks5h://curl:x@127.0.0.1:\(door.port)",
            "http://example.com/path")
        let flow = await provider.flow()
        #expect(await flow.open() == nil)
        guard case .success(let request) = await flow.read() else { throw SocketError(EIO) }
        #expect(String(decoding: request, as: UTF8.self).hasPrefix("GET /path HTTP/1.1\r\nHost: example.com\r\n"))
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        #expect(await flow.write(Data(answer.utf8)) == nil)
        #expect(try await output == "hello")
    }

    /// What a program of the test machine prints; throws when it is not installed or fails.
    private func run(_ program: String, _ arguments: String...) async throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = output
        let status = try await withCheckedThrowingContinuation { done in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        try #require(status == 0, "\(program) ended with \(status)")
        return String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    @Test("A closed door resets those inside and lets nobody in")
    func closes() async throws {
        try await proxy.start()
        let (client, _) = try await connect(0)
        door.close()
        await #expect(throws: SocketError(ECONNRESET)) { try await client.real.receive(1) }
        await #expect(throws: SocketError(ECONNREFUSED)) { try await SocksClient(door) }
    }

    /// A client whose flow the provider has opened.
    private func connect(_ number: Int) async throws -> (SocksClient, NEAppProxyTCPFlow) {
        let client = try await SocksClient(door)
        #expect(try await client.logIn("curl") == 0)
        async let reply = client.request("203.0.113.7", 80)
        let flow = await provider.flow(number)
        #expect(await flow.open() == nil)
        #expect(try await reply == 0)
        return (client, flow)
    }
}
