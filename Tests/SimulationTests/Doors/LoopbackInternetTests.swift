// SPDX-License-Identifier: Apache-2.0

// Real servers in the place of simulated endpoints.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite("An Internet of real servers", .timeLimit(.minutes(1)))
struct LoopbackInternetTests {
    private let place = NWEndpoint.at("203.0.113.7", 80)

    @Test("Where nobody stands the host is unreachable, where nobody listens the connection is refused")
    func nobody() async throws {
        let internet = LoopbackInternet()
        await #expect(throws: SocketError(EHOSTUNREACH)) { try await internet.connect(to: place) }
        let listener = try RealSocket.listen(on: .loopback(port: 0))
        internet.place(place, at: .loopback(port: try listener.port()))
        listener.close()
        await #expect(throws: SocketError(ECONNREFUSED)) { try await internet.connect(to: place) }
    }

    @Test("A server may stand on a unix socket")
    func unixSocket() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "weir-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "s").path
        let listener = try RealSocket.listen(on: .unix(path: path))
        let link = try await LoopbackInternet([place: .unix(path: path)]).connect(to: place)
        let server = try await listener.accept()
        try await server.send(Data("hello".utf8))
        #expect(try await link.receive(100) == Data("hello".utf8))
        server.close()
        #expect(try await link.receive(100).isEmpty)
        let long = RealAddress.unix(path: String(repeating: "x", count: 200))
        await #expect(throws: SocketError(ENAMETOOLONG)) {
            try await LoopbackInternet([place: long]).connect(to: place)
        }
    }

    @Test("Datagrams reach real servers, and answers come from the endpoint that was sent to")
    func datagrams() async throws {
        // Two places, so that the answers have to be told apart.
        let places = [place, NWEndpoint.at("203.0.113.8", 53)]
        let servers = [try RealSocket.make(AF_INET, SOCK_DGRAM), try RealSocket.make(AF_INET, SOCK_DGRAM)]
        let internet = LoopbackInternet()
        for (place, server) in zip(places, servers) {
            try server.bind(to: .loopback(port: 0))
            internet.place(place, at: .loopback(port: try server.port()))
        }
        let mac = SimulatedMac(internet: internet)
        let socket = mac.launch("dig").datagramSocket()
        for (index, (place, server)) in zip(places, servers).enumerated() {
            try socket.send(Data("question \(index)".utf8), to: place)
            let (question, port) = try await server.receiveDatagram()
            #expect(question == Data("question \(index)".utf8))
            try server.send(Data("answer \(index)".utf8), to: .loopback(port: port))
            #expect(Datagram(try await socket.receive()) == Datagram("answer \(index)", place))
        }
        #expect(socket.way == .direct)
    }

    @Test("A call that waits ends when its socket is closed or its task is cancelled")
    func waiting() async throws {
        let server = try RealServer { connection in _ = try await connection.receive(1) }
        let real = try await RealSocket.connect(to: .loopback(port: server.port))
        let cancelled = Task { try await real.receive(1) }
        cancelled.cancel()
        await #expect(throws: SocketError(ECANCELED)) { try await cancelled.value }
        let closed = Task { try await real.receive(1) }
        real.close()
        await #expect(throws: SocketError(EBADF)) { try await closed.value }
    }
}
