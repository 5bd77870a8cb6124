// SPDX-License-Identifier: Apache-2.0

// A claimed TCP flow: opened, refused, or never answered by the system.

import FlowEngine
import FlowModel
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import AppleIntake
@testable import NetworkExtension

@Suite struct StreamFlowTests {
    private let loop = EmbeddedEventLoop()
    private let stream = ScriptedStream()
    private let counts = Counts()

    private func makeFlow() throws -> StreamFlow {
        let destination = try #require(Endpoint("192.0.2.1:443"))
        return StreamFlow(
            SystemFlow(stream.flow),
            facts: FlowFacts(intake: .networkExtension, destination: destination, startedAt: 0),
            on: loop)
    }

    /// What became of an `open`.
    private final class Answer {
        var channel: (any Channel)?
        var error: (any Error)?
    }

    private func open(_ flow: StreamFlow) -> Answer {
        let answer = Answer()
        flow.open().assumeIsolated().whenComplete {
            switch $0 {
            case .success(let channel): answer.channel = channel
            case .failure(let error): answer.error = error
            }
        }
        return answer
    }

    private func closeCodes() -> [NEAppProxyFlowError.Code?] {
        (stream.readCloses + stream.writeCloses).map { ($0 as? NEAppProxyFlowError)?.code }
    }

    @Test func `Nothing is opened or read before the engine says so`() throws {
        let flow = try makeFlow()
        #expect(!flow.isConnected && !flow.canDecline)
        #expect(stream.opens == 0)
        let answer = open(flow)
        loop.run()
        #expect(stream.opens == 1 && answer.channel == nil)
        stream.opening?(nil)
        loop.run()
        let channel = try #require(answer.channel)
        #expect(channel.isActive && channel.eventLoop === loop)
        #expect(stream.reads == 0)
        channel.close(promise: nil)
        loop.run()
        loop.advanceTime(by: .hours(1))
        #expect(closeCodes() == [nil, nil])
    }

    @Test func `An application that has left while its origin was dialled is a failed open`() throws {
        let answer = open(try makeFlow())
        stream.opening?(NEAppProxyFlowError(.peerReset))
        loop.run()
        #expect((answer.error as? IOError)?.errnoCode == ECONNRESET)
        #expect(closeCodes() == [.peerReset, .peerReset])
    }

    @Test func `A system that never answers an open does not keep the flow`() throws {
        weak var kept: NEAppProxyTCPFlow?
        let answer = try { () throws -> Answer in
            let system = stream.flow
            kept = system
            let destination = try #require(Endpoint("192.0.2.1:443"))
            let facts = FlowFacts(intake: .networkExtension, destination: destination, startedAt: 0)
            return open(StreamFlow(SystemFlow(system), facts: facts, on: loop, metrics: counts))
        }()
        let wait = Int64(AppleIntakeLimits.openWait.value)
        loop.advanceTime(by: .milliseconds(wait - 1))
        #expect(answer.error == nil)
        loop.advanceTime(by: .milliseconds(1))
        #expect((answer.error as? IOError)?.errnoCode == ETIMEDOUT)
        #expect(closeCodes() == [.peerReset, .peerReset])
        #expect(kept == nil)
        #expect(counts[AppleIntakeLimits.openWait.metric] == 1)
        // Too late: there is nothing any more that it could open.
        stream.opening?(nil)
        loop.run()
        #expect(answer.channel == nil && stream.readCloses.count == 1)
    }

    @Test func `A refusal closes both sides unopened, with what the application shall see`() throws {
        let flow = try makeFlow()
        flow.refuse(.timedOut)
        #expect(stream.opens == 0)
        #expect(closeCodes() == [.timedOut, .timedOut])
    }

    @Test func `A claimed flow cannot be handed back, so declining aborts it`() throws {
        try makeFlow().decline()
        #expect(closeCodes() == [.aborted, .aborted])
    }
}
