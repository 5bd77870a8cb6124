// SPDX-License-Identifier: Apache-2.0

// The channel of a TCP flow: reads, writes and their back-pressure, hops and options.

import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct FlowChannelTests {
    // MARK: Opening

    @Test func `An open flow is an active channel without handlers of ours`() throws {
        let rig = try ChannelRig()
        #expect(rig.channel.isActive)
        #expect(rig.channel.isWritable)
        #expect(rig.stream.reads == 0)
        #expect(rig.listener.heard == ["active"])
        #expect(rig.channel.localAddress == nil && rig.channel.remoteAddress == nil && rig.channel.parent == nil)
    }

    // MARK: Reading

    @Test func `Nothing is read unless asked for, and one answer is one buffer`() throws {
        let rig = try ChannelRig()
        rig.channel.read()
        rig.channel.read()
        #expect(rig.stream.reads == 1)
        rig.deliver("hello")
        #expect(rig.listener.heard == ["active", "read 5", "complete"])
        #expect(rig.stream.reads == 1)
        rig.channel.read()
        #expect(rig.stream.reads == 2)
        #expect(rig.stream.faults == [])
    }

    @Test func `With autoRead it reads on after each answer`() throws {
        let rig = try ChannelRig()
        try rig.channel.syncOptions?.setOption(.autoRead, value: true)
        #expect(rig.stream.reads == 1)
        rig.deliver("a")
        rig.deliver("b")
        #expect(rig.stream.reads == 3)
        #expect(String(buffer: rig.listener.received) == "ab")
    }

    @Test(arguments: [Data(), nil]) func `An empty answer is the end of the input`(_ end: Data?) throws {
        let rig = try ChannelRig()
        rig.channel.read()
        rig.stream.deliver(end)
        rig.run()
        #expect(rig.listener.heard == ["active", "complete", "inputClosed"])
        #expect(rig.channel.isActive)
        rig.channel.read()
        #expect(rig.stream.reads == 1)
        _ = rig.write("still")
        rig.channel.flush()
        #expect(rig.stream.writes.count == 1)
    }

    @Test func `The end of the input closes all where half-closure is not allowed`() throws {
        let rig = try ChannelRig()
        try rig.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        rig.channel.read()
        rig.deliver("")
        #expect(rig.listener.heard == ["active", "complete", "inactive", "unregistered"])
    }

    @Test func `A read costs one hop, and a write one`() throws {
        let rig = try ChannelRig()
        for _ in 0..<100 {
            rig.channel.read()
            rig.deliver("in")
        }
        #expect(rig.loop.executed == 100)
        for _ in 0..<100 {
            rig.channel.writeAndFlush(ByteBuffer(string: "out"), promise: nil)
            rig.take()
        }
        #expect(rig.loop.executed == 200)
    }

    // MARK: Writing

    @Test func `Only what is flushed is written, and what was flushed meanwhile goes out together`() throws {
        let rig = try ChannelRig()
        let first = rig.write("a")
        #expect(rig.stream.writes.isEmpty)
        rig.channel.flush()
        let more = [rig.write("b"), rig.write("c")]
        rig.channel.flush()
        let unflushed = rig.write("d")
        #expect(rig.stream.writes.map(\.data) == [Data("a".utf8)])
        rig.take()
        #expect(first.succeeded)
        #expect(rig.stream.writes.map(\.data) == [Data("bc".utf8)])
        #expect(more.allSatisfy { $0.isPending })
        rig.take()
        #expect(more.allSatisfy { $0.succeeded })
        #expect(rig.stream.writes.isEmpty)
        #expect(unflushed.isPending)
    }

    @Test func `A large write goes out in pieces and is done with the last`() throws {
        let rig = try ChannelRig()
        let size = AppleIntakeLimits.writeSize.value
        let outcome = rig.write(ByteBuffer(repeating: 7, count: 2 * size + 1))
        rig.channel.flush()
        for expected in [size, size, 1] {
            #expect(outcome.isPending)
            #expect(rig.stream.writes.map(\.data.count) == [expected])
            rig.take()
        }
        #expect(outcome.succeeded)
    }

    @Test func `An empty write is done when those before it are, and the flow never sees it`() throws {
        let rig = try ChannelRig()
        let alone = rig.write("")
        rig.channel.flush()
        #expect(alone.succeeded)
        _ = rig.write(ByteBuffer(repeating: 1, count: AppleIntakeLimits.writeSize.value))
        rig.channel.flush()
        let behind = rig.write("")
        rig.channel.flush()
        #expect(behind.isPending)
        rig.take()
        #expect(behind.succeeded)
        #expect(rig.stream.faults == [])
    }

    @Test func `Writability follows what the application has not taken`() throws {
        let rig = try ChannelRig()
        try rig.channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 2, high: 4))
        _ = rig.write("1234")
        #expect(rig.channel.isWritable)
        rig.channel.flush()
        _ = rig.write("5")
        #expect(!rig.channel.isWritable)
        _ = rig.write("6")
        rig.take()
        // Two are not fewer than the low mark.
        #expect(!rig.channel.isWritable)
        rig.channel.flush()
        rig.take()
        #expect(rig.channel.isWritable)
        #expect(rig.listener.heard == ["active", "unwritable", "writable"])
        #expect(try rig.channel.syncOptions?.getOption(.bufferedWritableBytes) == 0)
    }

    @Test func `A write that finds no buffer space is tried again, with longer waits`() throws {
        let rig = try ChannelRig()
        let outcome = rig.write("x")
        rig.channel.flush()
        let first = Int64(AppleIntakeLimits.writeRetryWait.value)
        for wait in [first, first * 2, first * 4] {
            rig.take(NSError(domain: NSPOSIXErrorDomain, code: Int(ENOBUFS)))
            rig.base.advanceTime(by: .milliseconds(wait - 1))
            #expect(rig.stream.writes.isEmpty)
            rig.base.advanceTime(by: .milliseconds(1))
            #expect(rig.stream.writes.map(\.data) == [Data("x".utf8)])
        }
        rig.take()
        #expect(outcome.succeeded)
        #expect(rig.listener.errors.isEmpty)
        #expect(rig.counts[AppleIntakeLimits.writeRetryWait.metric] == 3)
        // The next write begins with the first wait again.
        _ = rig.write("y")
        rig.channel.flush()
        rig.take(POSIXError(.ENOBUFS))
        rig.base.advanceTime(by: .milliseconds(first))
        #expect(rig.stream.writes.map(\.data) == [Data("y".utf8)])
    }

    @Test func `A write that finds no buffer space too often breaks the flow`() throws {
        let rig = try ChannelRig()
        let outcome = rig.write("x")
        rig.channel.flush()
        var tries = 0
        while rig.channel.isActive, tries < 100 {
            tries += 1
            rig.take(POSIXError(.ENOBUFS))
            rig.base.advanceTime(by: .seconds(10))
        }
        #expect(tries == AppleIntakeLimits.writeRetries.value + 1)
        #expect((outcome.error as? IOError)?.errnoCode == ENOBUFS)
        #expect(rig.counts[AppleIntakeLimits.writeRetries.metric] == 1)
        #expect(rig.listener.heard == ["active", "error", "inactive", "unregistered"])
        #expect(rig.stream.writeCloses.map { ($0 as? NEAppProxyFlowError)?.code } == [.peerReset])
    }

    @Test func `Whoever writes from inside a completion does not reorder anything`() throws {
        let rig = try ChannelRig()
        let promise = rig.loop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [channel = rig.channel] _ in
            channel.writeAndFlush(ByteBuffer(string: "3"), promise: nil)
        }
        rig.channel.writeAndFlush(ByteBuffer(string: "1"), promise: promise)
        rig.channel.writeAndFlush(ByteBuffer(string: "2"), promise: nil)
        while !rig.stream.writes.isEmpty {
            #expect(rig.stream.writes.count == 1)
            rig.take()
        }
        #expect(rig.stream.written == Data("123".utf8))
    }

    // MARK: Options and what a flow has not

    @Test func `The options that sockets are given are accepted, and others refused without a trap`() throws {
        let rig = try ChannelRig()
        let options = try #require(rig.channel.syncOptions)
        try options.setOption(.autoRead, value: false)
        try options.setOption(.allowRemoteHalfClosure, value: true)
        try options.setOption(.maxMessagesPerRead, value: 4)
        try options.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1))
        try options.setOption(.writeBufferWaterMark, value: .init(low: 3, high: 9))
        #expect(try options.getOption(.autoRead) == false)
        #expect(try options.getOption(.allowRemoteHalfClosure) == true)
        #expect(try options.getOption(.maxMessagesPerRead) == 4)
        #expect(try options.getOption(.writeBufferWaterMark).high == 9)
        #expect(throws: ChannelError.operationUnsupported) { try options.setOption(.backlog, value: 1) }
        #expect(throws: ChannelError.operationUnsupported) { try options.getOption(.backlog) }
        let set = rig.channel.setOption(.autoRead, value: true).flatMap { [channel = rig.channel] in
            channel.getOption(.autoRead)
        }
        rig.run()
        #expect(try set.wait() == true)
    }

    @Test func `A flow cannot be registered, bound or connected again`() throws {
        let rig = try ChannelRig()
        let address = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        let outcomes = [
            rig.outcome { rig.channel.register(promise: $0) },
            rig.outcome { rig.channel.bind(to: address, promise: $0) },
            rig.outcome { rig.channel.connect(to: address, promise: $0) },
            rig.outcome { rig.channel.triggerUserOutboundEvent("unknown", promise: $0) },
        ]
        #expect(outcomes.map { $0.error as? ChannelError } == Array(repeating: .operationUnsupported, count: 4))
        #expect(rig.channel.isActive)
    }
}
