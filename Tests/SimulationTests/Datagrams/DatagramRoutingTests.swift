// SPDX-License-Identifier: Apache-2.0

// Where datagrams go: rules, declines, addresses and a provider's death.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite("Where datagrams go", .timeLimit(.minutes(1)))
struct DatagramRoutingTests {
    private let first = DatagramScene.first
    private let second = DatagramScene.second

    @Test("A declined socket goes out directly with what it had sent, and stays out", arguments: [false, true])
    func declined(isPlain: Bool) async throws {
        let provider = isPlain ? PlainDatagramProvider(claims: false) : DatagramProvider(claims: false)
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket()
        try socket.send(Data("one".utf8), to: first)
        #expect(Datagram(try await socket.receive()) == Datagram("one", first))
        try socket.send(Data("two".utf8), to: second)
        #expect(Datagram(try await socket.receive()) == Datagram("two", second))
        #expect(socket.way == .declined)
        #expect(scene.mac.log.count(.offered) == 1)
    }

    @Test("With the knob, a no from the UDP entry point ends the socket, one from handleNewFlow does not")
    func declineKills() async throws {
        var knobs = Knobs()
        knobs.declineKillsUDP = true
        let killed = try await DatagramScene(DatagramProvider(claims: false), knobs)
        await #expect(throws: SocketError(ECONNABORTED)) {
            try await killed.app.datagramSocket(connectedTo: first).receive()
        }
        let spared = try await DatagramScene(PlainDatagramProvider(claims: false), knobs)
        let socket = spared.app.datagramSocket()
        try socket.send(Data("one".utf8), to: first)
        #expect(Datagram(try await socket.receive()) == Datagram("one", first))
    }

    @Test("An excluded first destination takes the socket out for all others, and a claimed one takes them all in")
    func stickiness() async throws {
        let rules = NETransparentProxyNetworkSettings.rules(
            [NENetworkRule(anywhere: .UDP)], excluded: [NENetworkRule("203.0.113.7", 32, .UDP)])
        let provider = DatagramProvider(rules)
        let scene = try await DatagramScene(provider)
        let out = scene.app.datagramSocket()
        try out.send(Data("one".utf8), to: first)
        #expect(Datagram(try await out.receive()) == Datagram("one", first))
        try out.send(Data("two".utf8), to: second)
        #expect(Datagram(try await out.receive()) == Datagram("two", second))
        #expect(out.way == .excluded)
        #expect(scene.mac.log.count(.offered) == 0)

        let claimed = scene.app.datagramSocket()
        try claimed.send(Data("two".utf8), to: second)
        let flow = try #require(await provider.flow())
        try claimed.send(Data("one".utf8), to: first)
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.read() == .success([Datagram("two", second), Datagram("one", first)]))
    }

    @Test("IPv4 inside IPv6 is IPv4 for a provider, as first destination and as a later one")
    func mapped() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket()
        try socket.send(Data("one".utf8), to: .hostPort(host: "::ffff:203.0.113.7", port: 443))
        let flow = try #require(await provider.flow())
        try socket.send(Data("two".utf8), to: .hostPort(host: "::ffff:203.0.113.8", port: 53))
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.read() == .success([Datagram("one", first), Datagram("two", second)]))
        #expect(provider.record.read { $0.firstDestinations } == [first])
    }

    @Test("IPv4 multicast fails on a diverted socket, IPv6 multicast does not")
    func multicast() async throws {
        let group = NWEndpoint.hostPort(host: "224.0.0.251", port: 5353)
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        #expect(throws: SocketError(EAFNOSUPPORT)) {
            try scene.app.datagramSocket().send(Data("x".utf8), to: group)
        }
        let socket = scene.app.datagramSocket()
        try socket.send(Data("x".utf8), to: .hostPort(host: "ff02::fb", port: 5353))
        #expect(await provider.flow() != nil)
        #expect(throws: SocketError(EAFNOSUPPORT)) { try socket.send(Data("y".utf8), to: group) }
    }

    @Test("A provider's death aborts its sockets at once; a hung one's go on waiting")
    func death() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first)
        #expect(await provider.flow() != nil)
        scene.proxy.hang()
        let waiting = scene.app.datagramSocket(connectedTo: second)
        try waiting.send(Data("x".utf8))
        #expect(waiting.way == .undecided)
        scene.proxy.kill()
        await #expect(throws: SocketError(ECONNABORTED)) { try await socket.receive() }
        #expect(throws: SocketError(ECONNABORTED)) { try socket.send(Data("x".utf8)) }
        await #expect(throws: SocketError(ECONNABORTED)) { try await waiting.receive() }
    }

    @Test("The sockets of a process that ends are closed, and count no more")
    func exit() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first)
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        #expect(scene.app.egressCount == 1)
        scene.app.exit()
        #expect(await flow.read() == .success(nil))
        #expect(scene.app.egressCount == 0)
        #expect(throws: SocketError(EBADF)) { try socket.send(Data("x".utf8)) }
        #expect(throws: SocketError(ESRCH)) { try scene.app.datagramSocket().send(Data("x".utf8), to: first) }
    }

    @Test("A process with as many flows as it may gets ENOMEM")
    func limit() async throws {
        var knobs = Knobs()
        knobs.flowLimit = 1
        let scene = try await DatagramScene(DatagramProvider(), knobs)
        let socket = scene.app.datagramSocket()
        #expect(throws: SocketError(ENOMEM)) { try scene.app.datagramSocket().send(Data("x".utf8), to: first) }
        socket.close()
        try scene.app.datagramSocket().send(Data("x".utf8), to: first)
    }
}
