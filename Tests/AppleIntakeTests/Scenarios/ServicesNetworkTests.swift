// SPDX-License-Identifier: Apache-2.0

// The services that break first when a proxy stands in the way: sign-in pages, push, relays, names, backups.

import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct ServicesNetworkTests {
    @Test func `A program on a network with a sign-in page gets that page as the network sent it`() async throws {
        let rig = try await ServicesRig()
        let page =
            "HTTP/1.1 302 Found\r\nLocation: http://portal.example/?n=4111111111111111\r\nContent-Length: 0\r\n\r\n"
        let portal = ServicesRig.place("17.253.1.3", 80)
        try rig.serve(portal) { socket in
            _ = try await socket.receive(65_536)
            try await socket.send(Data(page.utf8))
        }
        for program in [SimulatedProgram.system("com.apple.captiveagent"), .system("com.apple.Safari"), .app("fox")] {
            let socket = try await rig.mac.launch(program).connect(to: portal, hostname: "captive.apple.com")
            try await socket.send(Data("GET /hotspot-detect.html HTTP/1.0\r\nHost: captive.apple.com\r\n\r\n".utf8))
            let answer = try await socket.receiveExactly(page.utf8.count)
            #expect(String(decoding: answer, as: UTF8.self) == page)
            #expect((socket.way == .declined) == (program.name == "com.apple.captiveagent"))
            socket.close()
        }
        try await rig.end()
    }

    @Test func `An order of device management comes in over push and is fetched, and both go by Weir`() async throws {
        let rig = try await ServicesRig()
        let push = ServicesRig.place("17.57.146.30", 5223)
        let order = Data([0x0A, 0x00, 0x00, 0x00, 0x04, 1, 2, 3, 4])
        try rig.serve(push) { socket in
            try await socket.send(order)
            _ = try await socket.receive(1)
        }
        let apsd = try await rig.mac.launch(.system("com.apple.apsd"), user: 0).connect(to: push)
        #expect(try await apsd.receiveExactly(order.count) == order)
        let client = rig.mac.launch(.system("com.apple.mdmclient"), user: 0)
        #expect(try await rig.isLeftAlone(client, to: ServicesRig.place("203.0.113.40", 443)))
        #expect(apsd.way == .declined)
        #expect(rig.mac.log.count(.claimed) == 0)
        apsd.close()
        try await rig.end()
    }

    @Test func `Private Relay of the system is left alone over both transports, of another program it proves nothing`()
        async throws
    {
        let rig = try await ServicesRig()
        let relay = ServicesRig.place("17.248.1.1", 443)
        try rig.echoDatagrams(relay)
        let system = rig.mac.launch(.system("com.apple.networkserviceproxy"))
        let quic = system.datagramSocket(connectedTo: relay, hostname: "mask.icloud.com")
        try quic.send(Data("quic".utf8))
        #expect(try await quic.receive().0 == Data("quic".utf8))
        #expect(quic.way == .declined)
        let (way, arrived) = try await rig.upload(system, to: relay, hostname: "mask-h2.icloud.com")
        #expect(way == .declined && arrived.contains(ServicesRig.card))

        let app = rig.mac.launch(.app("tunnel"))
        #expect(await app.refusal(to: relay, hostname: "mask.icloud.com") == ECONNREFUSED)
        let other = try await rig.upload(app, to: relay, hostname: "mask.icloud.com")
        #expect(other.way == ServicesRig.claimed && other.arrived.contains(ServicesRig.masked))
        quic.close()
        try await rig.end()
    }

    @Test func `A resolver of its own gets its answers, and so does the system's`() async throws {
        let rig = try await ServicesRig()
        let server = ServicesRig.place("203.0.113.53", 53)
        try rig.echoDatagrams(server)
        let query = Data([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1])
        for program in [SimulatedProgram.system("com.apple.mDNSResponder"), .app("dig")] {
            let socket = rig.mac.launch(program).datagramSocket()
            try socket.send(query, to: server)
            let (answer, sender) = try await socket.receive()
            #expect(answer == query && sender == server)
            socket.close()
        }
        #expect(rig.mac.log.count(.claimed, program: "com.apple.mDNSResponder") == 0)
        try await rig.end()
    }

    @Test func `A backup to a disk in the house is the system's, and a program's own SMB is carried byte by byte`()
        async throws
    {
        let rig = try await ServicesRig()
        let disk = ServicesRig.place("192.168.1.20", 445)
        try await rig.serve(disk, .echo)
        let bytes = Data([0, 0, 0x40, 0, 0xFE, 0x53, 0x4D, 0x42]) + CarriedBytes.data(400_000)
        for program in [SimulatedProgram.system("com.apple.backupd"), .app("smbclient")] {
            let socket = try await rig.mac.launch(program).connect(to: disk)
            async let answer = socket.receiveAll()
            try await socket.send(bytes)
            socket.shutdownWrite()
            let isWhole = try await answer == bytes
            #expect(isWhole)
            #expect(socket.way == (program.name == "smbclient" ? ServicesRig.claimed : .declined))
            socket.close()
        }
        try await rig.end()
    }
}

extension SimulatedProcess {
    /// What a program hears that sends its first datagram of QUIC; nil when it gets an answer.
    func refusal(to endpoint: NWEndpoint, hostname: String? = nil) async -> Int32? {
        let socket = datagramSocket(connectedTo: endpoint, hostname: hostname)
        defer { socket.close() }
        return await errno {
            try socket.send(Data("quic".utf8))
            _ = try await socket.receive()
        }
    }
}
