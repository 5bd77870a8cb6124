// SPDX-License-Identifier: Apache-2.0

// How the channel of a TCP flow ends: half-closes, resets, errors, and that nothing of it stays.

import FlowEngine
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct FlowChannelEndTests {
    private static let reset: [NEAppProxyFlowError.Code?] = [.peerReset]

    private func codes(_ errors: [(any Error)?]) -> [NEAppProxyFlowError.Code?] {
        errors.map { ($0 as? NEAppProxyFlowError)?.code }
    }

    // MARK: Half-closes

    @Test func `The output ends behind what was written, and the input goes on`() throws {
        let rig = try ChannelRig()
        _ = rig.write("a")
        rig.channel.flush()
        _ = rig.write("b")
        rig.channel.flush()
        let end = rig.close(.output)
        let late = rig.write("c")
        #expect(late.error as? ChannelError == .outputClosed)
        rig.take()
        #expect(rig.stream.writeCloses.isEmpty && end.isPending)
        rig.take()
        #expect(end.succeeded)
        #expect(codes(rig.stream.writeCloses) == [nil])
        #expect(rig.stream.written == Data("ab".utf8))
        #expect(rig.listener.heard == ["active", "outputClosed"])
        rig.channel.read()
        rig.deliver("more")
        #expect(String(buffer: rig.listener.received) == "more")
        #expect(rig.close(.output).error as? ChannelError == .outputClosed)
    }

    @Test func `Both halves ended is the end, once the rest is taken`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        rig.deliver("")
        let written = rig.write("rest")
        rig.channel.flush()
        let end = rig.close(.output)
        #expect(rig.channel.isActive)
        rig.take()
        #expect(written.succeeded && end.succeeded)
        #expect(rig.listener.heard == ["active", "complete", "inputClosed", "inactive", "unregistered"])
        #expect(codes(rig.stream.readCloses) == [nil] && codes(rig.stream.writeCloses) == [nil])
    }

    @Test func `An end of the input after that of the output is the end`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        #expect(rig.close(.output).succeeded)
        rig.deliver("")
        #expect(rig.listener.heard == ["active", "outputClosed", "complete", "inactive", "unregistered"])
    }

    @Test func `Closing the input drops the read that is outstanding, and nobody waits for it`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        #expect(rig.close(.input).succeeded)
        #expect(codes(rig.stream.readCloses) == [nil])
        rig.deliver("late")
        rig.channel.read()
        #expect(rig.stream.reads == 1)
        #expect(rig.listener.heard == ["active", "inputClosed"])
        #expect(rig.close(.input).error as? ChannelError == .inputClosed)
        #expect(rig.close(.output).succeeded)
        #expect(!rig.channel.isActive)
    }

    // MARK: The end of all

    @Test func `A close leaves to the flow what it was given, and is orderly`() throws {
        let rig = try ChannelRig()
        let given = rig.write("a")
        rig.channel.flush()
        #expect(rig.close(.all).succeeded)
        #expect(codes(rig.stream.readCloses) == [nil] && codes(rig.stream.writeCloses) == [nil])
        #expect(given.error as? ChannelError == .ioOnClosedChannel)
        #expect(!rig.channel.isActive && !rig.channel.isWritable)
        rig.take()
        #expect(given.results.count == 1)
        #expect(rig.listener.heard == ["active", "inactive", "unregistered"])
    }

    @Test(arguments: [false, true])
    func `A close that cuts bytes off does not look like an orderly end`(_ isFlushed: Bool) throws {
        let rig = try ChannelRig()
        _ = rig.write("a")
        rig.channel.flush()
        let cut = rig.write("b")
        if isFlushed { rig.channel.flush() }
        #expect(rig.close(.all).succeeded)
        #expect(cut.error as? ChannelError == .ioOnClosedChannel)
        #expect(codes(rig.stream.readCloses) == Self.reset && codes(rig.stream.writeCloses) == Self.reset)
        rig.take()
        #expect(rig.stream.written == Data("a".utf8) && rig.stream.writes.isEmpty)
    }

    @Test func `A close while a write waits for buffer space cuts it off`() throws {
        let rig = try ChannelRig()
        _ = rig.write("a")
        rig.channel.flush()
        rig.take(POSIXError(.ENOBUFS))
        _ = rig.close(.all)
        rig.base.advanceTime(by: .seconds(10))
        #expect(codes(rig.stream.writeCloses) == Self.reset)
        #expect(rig.stream.writes.isEmpty)
    }

    @Test func `What is done to a closed channel fails, and nothing reaches the flow`() throws {
        let rig = try ChannelRig()
        let closed = rig.outcome { rig.channel.closeFuture.cascade(to: $0) }
        let end = rig.close(.all)
        #expect(end.succeeded)
        #expect(rig.close(.all).error as? ChannelError == .alreadyClosed)
        rig.run()
        rig.channel.read()
        let late = rig.write("late")
        rig.channel.flush()
        rig.run()
        #expect(late.error != nil)
        #expect(rig.stream.reads == 0 && rig.stream.writes.isEmpty)
        #expect(rig.stream.readCloses.count == 1 && rig.stream.writeCloses.count == 1)
        #expect(closed.succeeded)
    }

    @Test func `A reset is seen as a reset at once, whatever waits to be written`() throws {
        let rig = try ChannelRig()
        let outcomes = [rig.write("a"), rig.write("b")]
        rig.channel.flush()
        rig.channel.triggerUserOutboundEvent(ResetConnection(), promise: nil)
        rig.channel.close(promise: nil)
        #expect(codes(rig.stream.readCloses) == Self.reset && codes(rig.stream.writeCloses) == Self.reset)
        #expect(rig.stream.writes.count == 1)
        #expect(outcomes.allSatisfy { $0.error != nil })
        #expect(rig.listener.heard == ["active", "inactive", "unregistered"])
    }

    // MARK: Errors

    @Test func `An error of a read is heard, and then the end, once`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        rig.stream.deliver(nil, NEAppProxyFlowError(.aborted))
        rig.run()
        #expect(rig.listener.errors.map { ($0 as? IOError)?.errnoCode } == [ECONNABORTED])
        #expect(rig.listener.heard == ["active", "error", "inactive", "unregistered"])
        #expect(codes(rig.stream.readCloses) == Self.reset)
    }

    @Test func `When the application has closed, a write fails and the channel ends once`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        let outcomes = [rig.write("a")]
        rig.channel.flush()
        let queued = rig.write("b")
        rig.channel.flush()
        rig.take(NEAppProxyFlowError(.peerReset))
        rig.deliver("")
        #expect(outcomes[0].results.count == 1 && queued.results.count == 1)
        #expect((queued.error as? IOError)?.errnoCode == ECONNRESET)
        #expect(rig.listener.heard == ["active", "error", "inactive", "unregistered"])
        #expect(rig.stream.faults == [])
    }

    @Test func `A handler that closes while it hears of an error does not turn it into an orderly end`() throws {
        let rig = try ChannelRig()
        rig.listener.reactions["error"] = { [channel = rig.channel] in channel.close(promise: nil) }
        _ = rig.write("a")
        rig.channel.flush()
        _ = rig.write("b")
        rig.channel.flush()
        rig.take(NEAppProxyFlowError(.notConnected))
        #expect(codes(rig.stream.writeCloses) == Self.reset)
        #expect(rig.stream.writes.isEmpty)
        #expect(rig.listener.heard == ["active", "error", "inactive", "unregistered"])
    }

    @Test(arguments: ["complete", "read 1"])
    func `A handler that closes while it is read to hears nothing after the end`(_ moment: String) throws {
        let rig = try ChannelRig()
        rig.listener.reactions[moment] = { [channel = rig.channel] in channel.close(promise: nil) }
        rig.channel.read()
        rig.deliver(moment == "complete" ? "" : "x")
        #expect(rig.listener.heard == ["active", moment, "inactive", "unregistered"])
    }

    // MARK: Nothing stays

    @Test func `Nothing of a closed channel stays, although the system keeps closures that it never calls`() throws {
        let stream = ScriptedStream()
        weak var channel: FlowChannel?
        weak var flow: NEAppProxyTCPFlow?
        try autoreleasing {
            let rig = try ChannelRig(over: stream)
            channel = rig.channel
            flow = rig.flow
            rig.channel.read()
            _ = rig.write("never taken")
            rig.channel.flush()
            _ = rig.close(.all)
            rig.run()
        }
        #expect(stream.read != nil && stream.writes.count == 1)
        #expect(channel == nil && flow == nil)
    }

    @Test func `Nothing stays of a channel that was reset while a write waited to be tried again`() throws {
        let stream = ScriptedStream()
        weak var channel: FlowChannel?
        try autoreleasing {
            let rig = try ChannelRig(over: stream)
            channel = rig.channel
            _ = rig.write("x")
            rig.channel.flush()
            rig.take(POSIXError(.ENOBUFS))
            rig.channel.triggerUserOutboundEvent(ResetConnection(), promise: nil)
            rig.run()
        }
        #expect(channel == nil)
    }

    private func autoreleasing(_ body: () throws -> Void) throws { try body() }
}
