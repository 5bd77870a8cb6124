// SPDX-License-Identifier: Apache-2.0

// S12: one flow for each socket, many destinations, batches, and what UDP does not say.

import Foundation
import NetworkSimulation
import Testing

@testable import NetworkExtension

@Suite("S12: datagrams", .timeLimit(.minutes(1)))
struct S12DatagramTests {
    private let first = DatagramScene.first
    private let second = DatagramScene.second

    @Test("A socket is offered once, with its first datagram, and all its destinations come through the one flow")
    func oneFlow() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket()
        #expect(scene.mac.log.count(.offered) == 0)
        try socket.send(Data("one".utf8), to: first)
        let flow = try #require(await provider.flow())
        try socket.send(Data("two".utf8), to: second)
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.read() == .success([Datagram("one", first), Datagram("two", second)]))
        #expect(scene.mac.log.count(.offered) == 1)
        #expect(provider.record.read { $0.firstDestinations } == [first])
        #expect(socket.way == .claimed(by: "weir"))
    }

    @Test("A provider with handleNewFlow alone gets UDP there, without a destination")
    func plainEntryPoint() async throws {
        let provider = PlainDatagramProvider()
        let scene = try await DatagramScene(provider)
        try scene.app.datagramSocket().send(Data("one".utf8), to: first)
        #expect(await provider.flow() != nil)
        #expect(provider.record.read { $0.firstDestinations } == [nil])
    }

    @Test("A connected socket is offered before it has sent anything, and takes no other destination")
    func connected() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first, hostname: "example.com")
        let flow = try #require(await provider.flow())
        #expect(flow.remoteHostname == "example.com")
        #expect(throws: SocketError(EISCONN)) { try socket.send(Data("x".utf8), to: second) }
        #expect(throws: SocketError(EDESTADDRREQ)) { try scene.app.datagramSocket().send(Data("x".utf8)) }
    }

    @Test("What a provider writes arrives with the sender that it names")
    func writes() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket()
        try socket.send(Data("one".utf8), to: first)
        let flow = try #require(await provider.flow())
        #expect(await flow.write(Data("early".utf8), from: first) == .notConnected)
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.openDatagrams() == .invalidArgument)
        #expect(await flow.write(Data("answer".utf8), from: second) == nil)
        #expect(Datagram(try await socket.receive()) == Datagram("answer", second))
    }

    @Test("One read may wait, and a read that waits is dropped in silence when the provider closes that side")
    func oneRead() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first)
        let flow = try #require(await provider.flow())
        #expect(await flow.read() == .failure(NEAppProxyFlowError(.notConnected)))
        #expect(await flow.openDatagrams() == nil)
        let answers = Gate<[NEAppProxyUDPFlow.Batch]>([])
        flow.readDatagrams { datagrams, error in
            let batch = NEAppProxyUDPFlow.batch(datagrams, error)
            answers.change { $0.append(batch) }
        }
        #expect(await flow.read() == .failure(NEAppProxyFlowError(.readAlreadyPending)))
        flow.closeReadWithError(nil)
        // The answer to this one comes after the dropped one's would have.
        #expect(await flow.read() == .success(nil))
        #expect(answers.read { $0 } == [])
        #expect(throws: SocketError(EHOSTUNREACH)) { try socket.send(Data("late".utf8)) }
    }

    @Test("With the knobs, a read that waits gets the end when that side is closed, and a batch holds one datagram")
    func knobs() async throws {
        var knobs = Knobs()
        knobs.closeReadDropsPending = false
        knobs.coalescesReads = false
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider, knobs)
        let socket = scene.app.datagramSocket(connectedTo: first)
        for text in ["one", "two"] { try socket.send(Data(text.utf8)) }
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        for text in ["one", "two"] { #expect(await flow.read() == .success([Datagram(text, first)])) }
        let answers = Gate<[NEAppProxyUDPFlow.Batch]>([])
        flow.readDatagrams { datagrams, error in
            let batch = NEAppProxyUDPFlow.batch(datagrams, error)
            answers.change { $0.append(batch) }
        }
        flow.closeReadWithError(nil)
        #expect(await answers.wait { $0.first } == .success(nil))
    }

    @Test("A datagram that the application's buffer can never hold is too large; one that it cannot hold yet waits")
    func tooLarge() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first, receiveBuffer: 1000)
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.write(Data(count: 1001), from: first) == .datagramTooLarge)
        #expect(await flow.write(Data(count: 1000), from: first) == nil)
        async let waiting = flow.write(Data("next".utf8), from: first)
        #expect(try await socket.receive().0.count == 1000)
        #expect(await waiting == nil)
        #expect(Datagram(try await socket.receive()) == Datagram("next", first))
    }

    @Test("An empty datagram comes from an application, and cannot be written to one")
    func emptyDatagrams() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket()
        try socket.send(Data(), to: first)
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.read() == .success([Datagram("", first)]))
        #expect(await flow.write(Data(), from: first) == .invalidArgument)
    }

    @Test("Without credit datagrams are lost and the application is not told; credit returns with delivery")
    func silentDrop() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first)
        let flow = try #require(await provider.flow())
        for _ in 0..<5 { try socket.send(Data(count: 0x10000 - 100)) }
        #expect(socket.dropped == 1)
        #expect(await flow.openDatagrams() == nil)
        guard case .success(let batch) = await flow.read() else { throw SocketError(EIO) }
        #expect(batch?.count == 4)
        try socket.send(Data("again".utf8))
        #expect(await flow.read() == .success([Datagram("again", first)]))
        #expect(socket.dropped == 1)
    }

    @Test("Closing the socket ends a read that waits, unless the knob hides it", arguments: [false, true])
    func closing(isInvisible: Bool) async throws {
        let provider = DatagramProvider()
        var knobs = Knobs()
        knobs.datagramCloseInvisible = isInvisible
        let scene = try await DatagramScene(provider, knobs)
        let socket = scene.app.datagramSocket(connectedTo: first)
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        let answers = Gate<[NEAppProxyUDPFlow.Batch]>([])
        flow.readDatagrams { datagrams, error in
            let batch = NEAppProxyUDPFlow.batch(datagrams, error)
            answers.change { $0.append(batch) }
        }
        socket.close()
        if isInvisible {
            #expect(await flow.read() == .failure(NEAppProxyFlowError(.readAlreadyPending)))
            #expect(answers.read { $0 } == [])
        } else {
            #expect(await answers.wait { $0.first } == .success(nil))
        }
        #expect(await flow.write(Data("late".utf8), from: first) == .notConnected)
        #expect(throws: SocketError(EBADF)) { try socket.send(Data("late".utf8)) }
        #expect(scene.proxy.flowCount == 1)
        flow.closeReadWithError(nil)
        flow.closeWriteWithError(nil)
        #expect(scene.proxy.flowCount == 0)
    }

    @Test("A write that waits when the application closes fails with peerReset")
    func pendingWrite() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first, receiveBuffer: 10)
        let flow = try #require(await provider.flow())
        #expect(await flow.openDatagrams() == nil)
        #expect(await flow.write(Data(count: 10), from: first) == nil)
        let outcome = Gate<NEAppProxyFlowError.Code?>(nil)
        flow.writeDatagrams([(Data(count: 10), first)]) { error in
            outcome.change { $0 = (error as? NEAppProxyFlowError)?.code }
        }
        socket.close()
        #expect(await outcome.wait { $0 } == .peerReset)
    }

    @Test("A claimed flow that is closed unopened tells the application why")
    func refusal() async throws {
        let provider = DatagramProvider()
        let scene = try await DatagramScene(provider)
        let socket = scene.app.datagramSocket(connectedTo: first)
        let flow = try #require(await provider.flow())
        flow.closeReadWithError(NEAppProxyFlowError(.refused))
        flow.closeWriteWithError(NEAppProxyFlowError(.refused))
        await #expect(throws: SocketError(ECONNREFUSED)) { try await socket.receive() }
        #expect(throws: SocketError(ECONNREFUSED)) { try socket.send(Data("x".utf8)) }
        #expect(await flow.openDatagrams() == .peerReset)
        #expect(scene.proxy.flowCount == 0)
    }
}
