// SPDX-License-Identifier: Apache-2.0

// QUIC, and sockets that talk to many.

import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct ProtocolsDatagramTests {
    private static let quic = ServicesRig.place("203.0.113.7", 443)

    @Test func `A browser whose QUIC is refused hears so at once, and its upload over TCP is masked`() async throws {
        let rig = try await ServicesRig()
        try rig.echoDatagrams(Self.quic)
        let browser = rig.mac.launch(.app("chrome", team: "EQHXZ8M8AV"))
        #expect(await browser.refusal(to: Self.quic) == ECONNREFUSED)
        #expect(try await rig.isMasked(browser, to: Self.quic))
        // Also the first datagram of a socket that is not connected, and when its program is known already.
        let socket = browser.datagramSocket()
        #expect(
            await errno {
                try socket.send(Data("quic".utf8), to: Self.quic)
                _ = try await socket.receive()
            } == ECONNREFUSED)
        socket.close()
        try await rig.end()
    }

    @Test func `QUIC of the system is declined and goes on`() async throws {
        let rig = try await ServicesRig()
        try rig.echoDatagrams(Self.quic)
        let daemon = rig.mac.launch(.system("com.apple.apsd"))
        #expect(await daemon.refusal(to: Self.quic) == nil)
        #expect(rig.mac.log.count(.declined, program: "com.apple.apsd") == 1)
        try await rig.end()
    }

    @Test func `Each datagram of one socket is judged by where it goes, and answers name who sent them`() async throws {
        let rig = try await ServicesRig()
        let peers = (1...5).map { ServicesRig.place("203.0.113.\($0)", 4_000 + UInt16($0)) }
        for peer in peers { try rig.echoDatagrams(peer) }
        try rig.echoDatagrams(Self.quic)
        let socket = rig.mac.launch(.app("call")).datagramSocket()
        for (number, peer) in peers.enumerated() {
            // Not the first, which would have the whole socket refused.
            if number > 0 { try socket.send(Data("quic".utf8), to: Self.quic) }
            try socket.send(Data("\(number)".utf8), to: peer)
            let (answer, sender) = try await socket.receive()
            #expect(answer == Data("\(number)".utf8) && sender == peer)
        }
        #expect(socket.way == ServicesRig.claimed)
        socket.close()
        let record = try #require(await rig.weir.records.wait { $0.first })
        #expect(record.bytesOutbound == 5)
        try await rig.end()
    }
}
