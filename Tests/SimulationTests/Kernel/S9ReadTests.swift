// SPDX-License-Identifier: Apache-2.0

// S9: reading from an application.

import Foundation
import Testing

@testable import NetworkExtension

@Suite("S9: reading", .timeLimit(.minutes(1)))
struct S9ReadTests {
    @Test("What was sent between two reads comes in one piece")
    func coalesced() async throws {
        let open = try await OpenFlow()
        for part in ["one ", "two ", "three"] { try await open.socket.send(Data(part.utf8)) }
        #expect(await open.flow.read() == .success(Data("one two three".utf8)))
    }

    @Test("Without coalescing a read gives one message of the kernel")
    func messages() async throws {
        let open = try await OpenFlow(Knobs { $0.coalescesReads = false })
        try await open.socket.send(Data(count: StreamState.message + 1))
        #expect(try await open.flow.read().get().count == StreamState.message)
        #expect(try await open.flow.read().get().count == 1)
    }

    @Test("At most 256 KiB wait, and a sender goes on when they are delivered")
    func window() async throws {
        let open = try await OpenFlow()
        let (socket, flow) = (open.socket, open.flow)
        let all = Data((0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        let sending = Task {
            try await socket.send(all)
            socket.shutdownWrite()
        }
        _ = await socket.state.wait { $0.credit == 0 ? true : nil }
        var received = Data()
        while true {
            let part = try await flow.read().get()
            if part.isEmpty { break }
            if received.isEmpty { #expect(part.count == 0x40000) }
            received.append(part)
        }
        try await sending.value
        #expect(received == all)
    }

    @Test("A second read while one is pending fails, the first goes on")
    func alreadyPending() async throws {
        let open = try await OpenFlow()
        let first = Gate<Data?>(nil)
        open.flow.readData { data, _ in first.change { $0 = data } }
        #expect(await open.flow.read() == .failure(NEAppProxyFlowError(.readAlreadyPending)))
        try await open.socket.send(Data("x".utf8))
        #expect(await first.wait { $0 } == Data("x".utf8))
    }

    @Test("The end is empty data, as often as it is read")
    func end() async throws {
        let open = try await OpenFlow()
        try await open.socket.send(Data("last".utf8))
        open.socket.shutdownWrite()
        #expect(await open.flow.read() == .success(Data("last".utf8)))
        #expect(await open.flow.read() == .success(Data()))
        #expect(await open.flow.read() == .success(Data()))
        #expect(await errno { try await open.socket.send(Data([1])) } == EPIPE)
    }

    @Test("Closing the read side drops a pending read without a word; later reads give the end")
    func droppedSilently() async throws {
        let open = try await OpenFlow()
        let wasCalled = Gate(false)
        open.flow.readData { _, _ in wasCalled.change { $0 = true } }
        open.flow.closeReadWithError(nil)
        try await open.socket.send(Data("unheard".utf8))
        open.socket.shutdownWrite()
        #expect(await open.flow.read() == .success(Data()))
        open.socket.close()
        // The queue is serial: an answer to a message comes after whatever was under way.
        _ = await open.proxy.send(Data())
        #expect(!wasCalled.read { $0 })
    }

    @Test("Where a pending read is not dropped it gets the end")
    func notDropped() async throws {
        let open = try await OpenFlow(Knobs { $0.closeReadDropsPending = false })
        let data = Gate<Data?>(nil)
        open.flow.readData { part, _ in data.change { $0 = part } }
        open.flow.closeReadWithError(nil)
        #expect(await data.wait { $0 } == Data())
    }

    @Test("What an application sent before it closed or exited is still read", arguments: [true, false])
    func afterClose(exits: Bool) async throws {
        let open = try await OpenFlow()
        try await open.socket.send(Data("bye".utf8))
        if exits { open.app.exit() } else { open.socket.close() }
        #expect(await open.flow.read() == .success(Data("bye".utf8)))
        #expect(await open.flow.read() == .success(Data()))
    }

    @Test(
        "A reset is an error of the next read, or just the end; what was on its way is lost", arguments: [true, false])
    func reset(isError: Bool) async throws {
        let open = try await OpenFlow(Knobs { $0.resetIsError = isError })
        try await open.socket.send(Data("lost".utf8))
        open.socket.reset()
        if isError { #expect(await open.flow.read() == .failure(NEAppProxyFlowError(.peerReset))) }
        #expect(await open.flow.read() == .success(Data()))
    }
}
