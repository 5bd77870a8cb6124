// SPDX-License-Identifier: Apache-2.0

// Streams through the whole provider: who speaks first, how they end, how much they carry, and how they fail.

import FlowEngine
import FlowModel
import Foundation
import NetworkSimulation
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite(.timeLimit(.minutes(2))) struct ProtocolsStreamTests {
    private static let large = 3_000_000

    @Test(arguments: [("SSH-2.0-OpenSSH_9.9\r\n", 22), ("220 mail.example ESMTP\r\n", 25), ("* OK IMAP4\r\n", 143)])
    func `A server that speaks first is heard before its application says a word`(_ banner: String, _ port: Int)
        async throws
    {
        let rig = try await ServicesRig()
        let place = ServicesRig.place("203.0.113.25", UInt16(port))
        try rig.serve(place) { socket in
            try await socket.send(Data(banner.utf8))
            try await socket.send(try await socket.receive(65_536))
        }
        let socket = try await rig.mac.launch(.app("client")).connect(to: place)
        #expect(socket.way == ServicesRig.claimed)
        #expect(try await socket.receiveExactly(banner.utf8.count) == Data(banner.utf8))
        try await socket.send(Data("EHLO card \(ServicesRig.card)\r\n".utf8))
        #expect(try await socket.receive() == Data("EHLO card \(ServicesRig.card)\r\n".utf8))
        socket.close()
        let record = try await rig.record(of: place)
        #expect(record.verdict.lane == .relay && record.verdict.reason.code == "server-first", "\(record)")
        try await rig.end()
    }

    @Test func `An application that ends its side still gets all of the answer, which the server begins only then`()
        async throws
    {
        let rig = try await ServicesRig()
        let bytes = CarriedBytes.data(500_000)
        try rig.serve(ServicesRig.site) { socket in
            var all = Data()
            while case let part = try await socket.receive(65_536), !part.isEmpty { all.append(part) }
            try await socket.send(all)
            socket.shutdownWrite()
        }
        let socket = try await rig.mac.launch(.app("nc")).connect(to: ServicesRig.site)
        try await socket.send(bytes)
        socket.shutdownWrite()
        let isWhole = try await socket.receiveAll() == bytes
        #expect(isWhole)
        socket.close()
        try await rig.end()
    }

    @Test func `A server that ends its side still gets all that the application sends after that`() async throws {
        let rig = try await ServicesRig()
        let bytes = CarriedBytes.data(500_000)
        let arrived = Gate<Data?>(nil)
        try rig.serve(ServicesRig.site) { socket in
            try await socket.send(Data("banner\n".utf8))
            socket.shutdownWrite()
            var all = Data()
            while case let part = try await socket.receive(65_536), !part.isEmpty { all.append(part) }
            arrived.change { $0 = all }
        }
        let socket = try await rig.mac.launch(.app("nc")).connect(to: ServicesRig.site)
        #expect(try await socket.receiveAll() == Data("banner\n".utf8))
        try await socket.send(bytes)
        socket.shutdownWrite()
        let isWhole = await arrived.wait { $0 } == bytes
        #expect(isWhole)
        socket.close()
        try await rig.end()
    }

    @Test func `A large upload and a large download pass inspection byte by byte`() async throws {
        let rig = try await ServicesRig()
        let head = "Content-Type: application/octet-stream\r\nContent-Length: \(Self.large)\r\n\r\n"
        let bytes = CarriedBytes.data(Self.large)
        let arrived = Gate<Data?>(nil)
        try rig.serve(ServicesRig.site) { socket in
            var all = Data()
            while all.range(of: bytes.suffix(64)) == nil, case let part = try await socket.receive(65_536),
                !part.isEmpty
            { all.append(part) }
            arrived.change { $0 = all }
            try await socket.send(Data("HTTP/1.1 200 OK\r\n\(head)".utf8) + bytes)
        }
        let socket = try await rig.mac.launch(.app("sync")).connect(to: ServicesRig.site)
        try await socket.send(Data("PUT /backup HTTP/1.1\r\nHost: shop.example\r\n\(head)".utf8) + bytes)
        let up = await arrived.wait { $0 }?.suffix(Self.large) == bytes
        #expect(up)
        let down = try await socket.receiveExactly("HTTP/1.1 200 OK\r\n\(head)".utf8.count + Self.large)
        let isWhole = down.suffix(Self.large) == bytes
        #expect(isWhole)
        socket.close()
        let record = try await rig.record(of: ServicesRig.site)
        #expect(record.messages == 1 && record.verdict.lane == .inspect)
        try await rig.end()
    }

    @Test func `A server that reads nothing holds its application back, and all arrives when it reads again`()
        async throws
    {
        let rig = try await ServicesRig()
        let (reads, arrived) = (Gate(false), Gate<Data?>(nil))
        let bytes = Data([0]) + CarriedBytes.data(16_000_000)
        try rig.serve(ServicesRig.site) { socket in
            _ = await reads.wait { $0 ? true : nil }
            var all = Data()
            while case let part = try await socket.receive(65_536), !part.isEmpty { all.append(part) }
            arrived.change { $0 = all }
        }
        let socket = try await rig.mac.launch(.app("push")).connect(to: ServicesRig.site)
        let sent = Gate(0)
        let sending = Task {
            var rest = bytes
            while !rest.isEmpty {
                try await socket.send(Data(rest.prefix(65_536)))
                rest = Data(rest.dropFirst(65_536))
                sent.change { $0 = bytes.count - rest.count }
            }
            socket.shutdownWrite()
        }
        // It stands still when two looks, some time apart, find the same.
        var (before, looks) = (-1, 0)
        while looks < 5 {
            try await Task.sleep(for: .milliseconds(100))
            let now = sent.read { $0 }
            (before, looks) = (now, now == before && now > 0 ? looks + 1 : 0)
        }
        #expect(before < bytes.count)
        reads.change { $0 = true }
        try await sending.value
        let isWhole = await arrived.wait { $0 } == bytes
        #expect(isWhole)
        socket.close()
        try await rig.end()
    }

    @Test(arguments: [
        (ConnectFailure.refused, ECONNREFUSED), (.timedOut, ETIMEDOUT), (.hostUnreachable, EHOSTUNREACH),
        (.networkUnreachable, EHOSTUNREACH), (.reset, ECONNRESET), (.unavailable, ECONNABORTED),
    ])
    func `A server that cannot be reached is what the application's own connect fails with`(
        _ failure: ConnectFailure, _ number: Int32
    ) async throws {
        let rig = try await ServicesRig()
        try rig.fail(ServicesRig.site, failure)
        let app = rig.mac.launch(.app("app"))
        #expect(await errno { _ = try await app.connect(to: ServicesRig.site) } == number)
        #expect(rig.mac.log.count(.refused) == 1)
        #expect(try await rig.record(of: ServicesRig.site).outcome == .unreachable)
        try await rig.end()
    }
}
