// SPDX-License-Identifier: Apache-2.0

// S11: half-closes in both directions, errors, and when a flow is over.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S11: half-closes", .timeLimit(.minutes(1)))
struct S11HalfCloseTests {
    @Test("An application that has sent all still receives")
    func applicationShuts() async throws {
        let open = try await OpenFlow()
        open.socket.shutdownWrite()
        #expect(await open.flow.read() == .success(Data()))
        #expect(await open.flow.write(Data("answer".utf8)) == nil)
        #expect(try await open.socket.receive(exactly: 6) == Data("answer".utf8))
    }

    @Test("A provider that has written all still reads")
    func providerShuts() async throws {
        let open = try await OpenFlow()
        open.flow.closeWriteWithError(nil)
        #expect(try await open.socket.receive() == Data())
        #expect(try await open.socket.receive() == Data())
        try await open.socket.send(Data("more".utf8))
        #expect(await open.flow.read() == .success(Data("more".utf8)))
    }

    @Test("Closing the read side without an error is not told to the application, or is", arguments: [true, false])
    func nilCloseRead(isInvisible: Bool) async throws {
        let open = try await OpenFlow(Knobs { $0.nilErrorCloseReadInvisible = isInvisible })
        open.flow.closeReadWithError(nil)
        #expect(await errno { try await open.socket.send(Data([1])) } == (isInvisible ? nil : EPIPE))
        #expect(await open.flow.write(Data("still".utf8)) == nil)
        #expect(try await open.socket.receive(exactly: 5) == Data("still".utf8))
    }

    @Test("Closing the read side with an error fails the application's send")
    func closeReadWithError() async throws {
        let open = try await OpenFlow()
        let (socket, flow) = (open.socket, open.flow)
        let sending = Task {
            await errno { while true { try await socket.send(Data(count: 65_536)) } }
        }
        _ = await socket.state.wait { $0.credit == 0 ? true : nil }
        flow.closeReadWithError(NEAppProxyFlowError(.timedOut))
        #expect(await sending.value == ETIMEDOUT)
    }

    @Test("Closing the write side with an error comes after what was written, and drops what was not read")
    func closeWriteWithError() async throws {
        let open = try await OpenFlow()
        try await open.socket.send(Data("unread".utf8))
        #expect(await open.flow.write(Data("partial".utf8)) == nil)
        open.flow.closeWriteWithError(NEAppProxyFlowError(.peerReset))
        #expect(try await open.socket.receive(exactly: 7) == Data("partial".utf8))
        #expect(await errno { _ = try await open.socket.receive() } == ECONNRESET)
        #expect(open.socket.state.read { $0.outgoing.isEmpty })
    }

    @Test("Closed on both sides the flow is gone, for the provider and for the application")
    func bothSides() async throws {
        let open = try await OpenFlow()
        #expect(open.proxy.flowCount == 1)
        open.flow.closeReadWithError(nil)
        #expect(open.proxy.flowCount == 1)
        open.flow.closeWriteWithError(nil)
        #expect(open.proxy.flowCount == 0)
        #expect(try await open.socket.receive() == Data())
        #expect(await errno { try await open.socket.send(Data([1])) } == EPIPE)
        #expect(await open.flow.read() == .success(Data()))
        open.proxy.kill()
        #expect(open.mac.log.count(.aborted) == 0)
    }

    @Test("A flow that waits for its application to read is gone when it has")
    func goneAfterDraining() async throws {
        let open = try await OpenFlow()
        open.flow.write(Data(count: StreamState.receiveBuffer + 1)) { _ in }
        open.flow.closeWriteWithError(nil)
        open.flow.closeReadWithError(nil)
        #expect(open.proxy.flowCount == 1)
        _ = try await open.socket.receive(exactly: StreamState.receiveBuffer + 1)
        #expect(open.proxy.flowCount == 0)
    }

    @Test("A flow whose application has closed stays the provider's until it closes it, too")
    func providerOwns() async throws {
        let open = try await OpenFlow()
        open.socket.close()
        #expect(open.proxy.flowCount == 1)
        open.flow.closeReadWithError(nil)
        open.flow.closeWriteWithError(nil)
        #expect(open.proxy.flowCount == 0)
    }

    @Test("A flow that is over is freed with everything of it")
    func freed() async throws {
        weak var socket: SimulatedSocket?
        weak var flow: NEAppProxyTCPFlow?
        do {
            let open = try await OpenFlow()
            (socket, flow) = (open.socket, open.flow)
            open.flow.closeReadWithError(nil)
            open.flow.closeWriteWithError(nil)
            open.socket.close()
            open.provider.record.change { $0.flows = [] }
            _ = await open.proxy.send(Data())
        }
        #expect(socket == nil)
        #expect(flow == nil)
    }
}
