// SPDX-License-Identifier: Apache-2.0

// A UDP flow under pressure, in silence and with errors.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import NetworkExtension
import Testing

@testable import AppleIntake

@Suite("A UDP flow at its bounds")
struct DatagramBoundsTests {
    @Test("One write is outstanding; what comes meanwhile waits and goes together")
    func oneWrite() throws {
        let rig = try DatagramRig(takes: false)
        try rig.send(("q", "192.0.2.10:4000"))
        try rig.answer(("1", "192.0.2.10:4000"))
        try rig.answer(("2", "192.0.2.10:4000"))
        try rig.answer(("3", "192.0.2.10:4000"))
        #expect(rig.application.pendingWrites == [1])
        rig.application.take()
        rig.run()
        #expect(rig.application.pendingWrites == [2])
        rig.application.take()
        rig.run()
        #expect(rig.application.received.map(\.first) == ["1", "2", "3"])
        #expect(rig.application.mostWrites == 1)
    }

    @Test("An application that does not read gets the newest of a flood, and no more is kept than the queue holds")
    func flood() throws {
        let rig = try DatagramRig(takes: false)
        let most = AppleIntakeLimits.datagramQueue.value
        try rig.send(("q", "192.0.2.10:4000"))
        for number in 0...(most + 100) { try rig.answer(("\(number)", "192.0.2.10:4000")) }
        while !rig.application.pendingWrites.isEmpty {
            rig.application.take()
            rig.run()
        }
        #expect(rig.application.receivedCount == most + 1)
        #expect(rig.application.received.last == "\(most + 100) from 192.0.2.10:4000")
        rig.end()
        #expect(try rig.note("datagrams-lost") == "100 that gave way to newer ones")
        #expect(rig.records.count(AppleIntakeLimits.datagramQueue.metric) == 100)
    }

    @Test("A datagram too large for the application is dropped by itself")
    func tooLarge() throws {
        let rig = try DatagramRig(takes: false)
        try rig.send(("q", "192.0.2.10:4000"))
        try rig.answer(("1", "192.0.2.10:4000"), ("2", "192.0.2.10:4000"), ("3", "192.0.2.10:4000"))
        rig.application.take(NEAppProxyFlowError(.datagramTooLarge))
        rig.run()
        // Nobody says which of the three it was, so each is tried by itself.
        for error in [nil, NEAppProxyFlowError(.datagramTooLarge), nil] {
            #expect(rig.application.pendingWrites == [1])
            rig.application.take(error)
            rig.run()
        }
        #expect(rig.application.received.map(\.first) == ["1", "3"])
        rig.end()
        #expect(try rig.note("datagrams-lost") == "1 too large for the application")
    }

    @Test("A write to an application that is gone ends the flow")
    func applicationIsGone() throws {
        let rig = try DatagramRig()
        try rig.send(("q", "192.0.2.10:4000"))
        rig.application.fail(writesWith: NEAppProxyFlowError(.notConnected))
        try rig.answer(("1", "192.0.2.10:4000"))
        #expect(try rig.record.outcome == .completed)
        #expect(rig.endings == 1)
    }

    @Test("What the system does not take for a moment is lost, and the flow goes on")
    func systemIsFull() {
        #expect(DatagramWriteFailure(NSError(domain: NSPOSIXErrorDomain, code: Int(ENOBUFS))) == .notTaken)
        #expect(DatagramWriteFailure(NSError(domain: NSPOSIXErrorDomain, code: .max)) == .flowIsOver)
        #expect(DatagramWriteFailure(NEAppProxyFlowError(.invalidArgument)) == .notTaken)
        #expect(DatagramWriteFailure(NSError(domain: NSPOSIXErrorDomain, code: Int(EPIPE))) == .flowIsOver)
        #expect(DatagramWriteFailure(NEAppProxyFlowError(.peerReset)) == .flowIsOver)
    }

    @Test("The application is not read while the socket has no room")
    func backPressure() throws {
        let rig = try DatagramRig()
        try rig.send(("a", "192.0.2.10:4000"))
        let channel = try #require(rig.egress.channels.first)
        channel.isWritable = false
        try rig.send(("b", "192.0.2.10:4000"))
        #expect(!rig.application.isReading)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        rig.run()
        #expect(rig.application.isReading)
        try rig.send(("c", "192.0.2.10:4000"))
        #expect(try rig.sent().count == 3)
        #expect(rig.application.overlappingReads == 0)
    }

    @Test("What was sent before the socket is open is held, and nothing more is read meanwhile")
    func slowSocket() throws {
        let rig = try DatagramRig()
        rig.egress.waits = true
        try rig.send(("a", "192.0.2.10:4000"))
        #expect(!rig.application.isReading)
        rig.application.close()
        rig.egress.answer()
        rig.run()
        #expect(try rig.sent() == ["a to 192.0.2.10:4000"], "it was sent although the application is gone")
        #expect(try rig.record.outcome == .completed)
    }

    @Test("A socket that cannot be opened is an error for the application")
    func noSocket() throws {
        let rig = try DatagramRig()
        rig.egress.failure = .unavailable
        try rig.send(("a", "192.0.2.10:4000"))
        #expect(rig.application.isClosed)
        #expect(try rig.record.outcome == .unreachable)
        #expect(try rig.note("origin-unavailable") != nil)
    }

    @Test("A lost socket ends the flow, an error of one datagram does not")
    func lostSocket() throws {
        let rig = try DatagramRig()
        try rig.send(("a", "192.0.2.10:4000"))
        let channel = try #require(rig.egress.channels.first)
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNREFUSED, reason: "test"))
        rig.run()
        #expect(rig.endings == 0)
        channel.close(promise: nil)
        rig.run()
        #expect(rig.endings == 1)
        #expect(try rig.record.outcome == .unreachable)
    }

    // MARK: Silence

    @Test("Silence ends a flow, and each datagram in either direction puts it off")
    func idle() throws {
        let rig = try DatagramRig()
        try rig.send(("a", "192.0.2.10:4000"))
        rig.wait(seconds: 50)
        try rig.answer(("b", "192.0.2.10:4000"))
        rig.wait(seconds: 59)
        #expect(rig.endings == 0)
        rig.wait(seconds: 1)
        #expect(rig.endings == 1)
        #expect(try rig.note("idle") == "silent for 60000 ms")
        #expect(rig.records.count(AppleIntakeLimits.datagramIdle.metric) == 1)
    }

    @Test("A flow that only asks name servers ends sooner")
    func idleDNS() throws {
        let rig = try DatagramRig(to: "192.0.2.53:53")
        try rig.send(("q", "192.0.2.53:53"))
        try rig.answer(("a", "192.0.2.53:53"))
        rig.wait(seconds: 9)
        #expect(rig.endings == 0)
        rig.wait(seconds: 1)
        #expect(rig.endings == 1)
        #expect(try rig.record.verdict.lane == .relay)
    }

    @Test("A flow that asks others too has the time of others")
    func idleMixed() throws {
        let rig = try DatagramRig(to: "192.0.2.53:53")
        try rig.send(("q", "192.0.2.53:53"), ("x", "192.0.2.10:4000"))
        rig.wait(seconds: 59)
        #expect(rig.endings == 0)
    }

    @Test("A flow on which nothing ever comes is ended too")
    func neverUsed() throws {
        let rig = try DatagramRig()
        rig.wait(seconds: 60)
        #expect(rig.endings == 1)
        #expect(try rig.record.verdict.reason.code == "undecided")
    }

    // MARK: The end

    @Test("A flow can be ended at any time, is ended once, and is kept by nobody afterwards", arguments: 0...4)
    func endAnytime(moment: Int) throws {
        let rig = try DatagramRig(takes: false, begins: false)
        rig.egress.waits = moment == 2
        if moment > 0 { rig.begin() }
        if moment > 1 { try rig.send(("a", "192.0.2.10:4000")) }
        if moment > 3 { try rig.answer(("b", "192.0.2.10:4000")) }
        rig.end()
        rig.end()
        rig.egress.answer()
        rig.application.take()
        rig.application.close()
        rig.run()
        #expect(rig.endings == 1)
        #expect(rig.application.closes == 1)
        #expect(rig.records.flows.count == 1)
        #expect(rig.egress.channels.allSatisfy { !$0.isActive })
        #expect(!rig.isKept())
        rig.wait(seconds: 3600)
        #expect(rig.endings == 1)
    }

    @Test("A completion that the system never calls does not keep the system's flow")
    func neglectedCompletion() throws {
        let rig = try DatagramRig(takes: false)
        try rig.send(("a", "192.0.2.10:4000"))
        try rig.answer(("b", "192.0.2.10:4000"))
        rig.end()
        #expect(rig.application.pendingWrites == [1])
        #expect(rig.system == nil)
    }

    @Test("Verdicts are kept for so many destinations and the oldest is judged anew")
    func manyDestinations() throws {
        let rig = try DatagramRig()
        let most = AppleIntakeLimits.datagramDestinations.value
        for port in 10_001...(10_050 + most) {
            try rig.send(("a", "192.0.2.10:\(port)"), ("x", "203.0.113.1:\(port)"))
        }
        #expect(try rig.sent().count == most + 50)
        try rig.send(("again", "192.0.2.10:10001"), ("x", "203.0.113.1:10001"))
        #expect(try rig.sent() == ["again to 192.0.2.10:10001"])
        rig.end()
        #expect(rig.records.count(AppleIntakeLimits.datagramDestinations.metric) == most + 102)
        #expect(rig.records.count("datagrams_lost_total") == most + 51)
    }
}

@Suite("A queue of datagrams")
struct DatagramQueueTests {
    private let sender: SystemEndpoint

    init() throws { sender = try ScriptedDatagrams.endpoint("192.0.2.1:1") }

    @Test("The oldest give way when there are too many bytes, even all of them")
    func bytes() {
        var queue = DatagramQueue(count: 10, bytes: 5)
        for text in ["ab", "cd", "ef"] { queue.append(Data(text.utf8), from: sender) }
        #expect(queue.take(9).map { String(decoding: $0.0, as: UTF8.self) } == ["cd", "ef"])
        #expect(queue.dropped == 1)
        queue.append(Data("too long".utf8), from: sender)
        #expect(queue.isEmpty)
        #expect(queue.dropped == 2)
    }

    @Test("What is put back comes first and one by one, then the rest together")
    func putBack() {
        var queue = DatagramQueue(count: 10, bytes: 100)
        for text in ["a", "b", "c"] { queue.append(Data(text.utf8), from: sender) }
        let taken = queue.take(2)
        queue.append(Data("d".utf8), from: sender)
        queue.putBack(taken)
        let batches = (0..<3).map { _ in queue.take(9).map { String(decoding: $0.0, as: UTF8.self) }.joined() }
        #expect(batches == ["a", "b", "cd"])
    }
}
