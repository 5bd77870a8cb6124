// SPDX-License-Identifier: Apache-2.0

// Flows whose verdict waits for a name that does not come in time.

import FlowEngine
import FlowModel
import Testing

@Suite struct DeferralPlaybooks {
    private static func policy(_ then: String, within: String = "within: 2s, ") -> String {
        """
        version: 1
        mode: enforce
        deferred: {\(within)then: \(then)}
        rules:
          - {name: not there, when: {to: bad.example}, then: block}
          - {name: pass, then: relay}
        """
    }

    private static let badRequest = "GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n"
    private static let goodRequest = "GET / HTTP/1.1\r\nHost: good.example\r\n\r\n"

    /// A flow to an address, whose application is connected before the origin is.
    private func connected(_ policy: String) throws -> Playbook {
        try Playbook(policy: policy, to: "192.0.2.7:80", intake: .exec, isConnected: true)
    }

    @Test("`missing` dials the origin when the time is over, and a name that comes late still decides")
    func missing() throws {
        let play = try connected(Self.policy("missing"))
        play.wait(milliseconds: 1_999)
        #expect(play.egress.dialled.isEmpty)
        play.wait(milliseconds: 1)
        #expect(play.egress.dialled.count == 1)
        play.say(Self.badRequest)
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(try play.origin.received.isEmpty)
    }

    @Test("`relay` relays raw when the time is over, with what was said until then, and says so")
    func relay() throws {
        let play = try connected(Self.policy("relay"))
        play.say("GE")
        play.wait(milliseconds: 1_999)
        #expect(play.egress.dialled.isEmpty)
        play.wait(milliseconds: 1)
        play.say(String(Self.badRequest.dropFirst(2)))
        #expect(try play.origin.received == Self.badRequest)
        play.abortAll()
        let record = try #require(play.records.flows.first)
        #expect(record.verdict.lane == .relay && record.verdict.reason.code == "deadline")
        #expect(record.protocols.isEmpty)
    }

    @Test("`block` refuses what comes after the time is over in the application's words, whatever it names")
    func block() throws {
        let play = try connected(Self.policy("block"))
        play.wait(milliseconds: 2_000)
        #expect(play.application.end == .open)
        play.say(Self.goodRequest)
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(play.egress.dialled.isEmpty)
        play.application.finish()
        play.run()
        let record = try #require(play.records.flows.first)
        #expect(record.outcome == .blocked && record.verdict.reason.code == "deadline")
    }

    @Test("A flow blocked for its silence that stays silent is reset, and the origin it was given is let go")
    func blockInSilence() throws {
        let play = try Playbook(policy: Self.policy("block"), to: "192.0.2.7:80")
        #expect(play.egress.dialled.count == 1)
        play.wait(milliseconds: 2_000)
        play.run()
        #expect(try play.origin.end != .open)
        #expect(play.application.end == .open)
        play.wait(milliseconds: 10_000)
        #expect(play.application.end == .reset)
        #expect(play.records.flows.map(\.outcome) == [.blocked])
        #expect(play.liveFlows == 0)
    }

    @Test("Without `within` the engine's own limit holds")
    func ownLimit() throws {
        let play = try connected(Self.policy("relay", within: ""))
        play.wait(milliseconds: Int64(EngineLimits.classifyWait.value) - 1)
        #expect(play.egress.dialled.isEmpty)
        play.wait(milliseconds: 1)
        #expect(play.egress.dialled.count == 1)
    }

    @Test("A name that comes in time decides, and the deadline is forgotten", arguments: ["missing", "relay", "block"])
    func inTime(then: String) throws {
        let play = try connected(Self.policy(then))
        play.wait(milliseconds: 1_999)
        play.say(Self.goodRequest)
        #expect(try play.origin.received == Self.goodRequest)
        play.wait(milliseconds: 5_000)
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 200 "))
        play.abortAll()
        #expect(play.records.flows.first?.verdict.rule == "pass")
    }

    @Test("A flow that waits for nothing has no deadline")
    func decided() throws {
        let play = try Playbook(
            policy: """
                version: 1
                mode: enforce
                deferred: {within: 2s, then: block}
                rules:
                  - {name: look, then: inspect, profile: p}
                profiles:
                  p: {detect: [payment-card], outbound: redact}
                """, to: "192.0.2.7:80", isConnected: true)
        play.wait(milliseconds: 60_000)
        play.say(Self.goodRequest)
        #expect(try play.origin.received == Self.goodRequest)
    }
}
