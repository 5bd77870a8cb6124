// SPDX-License-Identifier: Apache-2.0

// How a flow is begun: declined, refused, opened, in the right order.

import FlowEngine
import FlowModel
import Testing

@Suite struct AdmissionPlaybooks {
    static let bypass = """
        version: 1
        mode: enforce
        rules:
          - {name: leave alone, when: {to: origin.example}, then: bypass}
        """
    static let block = """
        version: 1
        mode: enforce
        rules:
          - {name: not there, when: {to: origin.example}, then: block}
        """
    static let relay = """
        version: 1
        mode: enforce
        rules:
          - {name: pass, then: relay}
        """

    @Test("A bypassed flow is declined, never opened and never dialled")
    func bypassDeclines() throws {
        let play = try Playbook(policy: Self.bypass, canDecline: true)
        #expect(play.flow.answers == [.declined])
        #expect(play.egress.dialled.isEmpty)
        #expect(play.records.flows.first?.outcome == .declined)
        #expect(play.liveFlows == 0)
    }

    @Test("Where an intake cannot hand a flow back, bypass is carried out as relay and says so")
    func bypassRelays() throws {
        let play = try Playbook(policy: Self.bypass)
        play.say("raw bytes")
        #expect(try play.origin.received == "raw bytes")
        play.application.finish()
        try play.origin.finish()
        play.run()
        #expect(play.records.flows.first?.notes.contains { $0.code == "bypass-relayed" } == true)
    }

    @Test("No byte is read before the flow is opened, and it is opened only once the origin is connected")
    func openAfterDial() throws {
        let play = try Playbook()
        #expect(play.flow.answers == [.opened])
        #expect(!play.flow.wasReadBeforeOpen)
        #expect(play.egress.dialled.map(\.description) == ["origin.example:80"])
    }

    @Test(
        "An origin that cannot be reached is a failed connect, not an opened flow",
        arguments: [
            ConnectFailure.refused, .timedOut, .nameNotFound,
        ])
    func originFails(failure: ConnectFailure) throws {
        let play = try Playbook(originFails: failure)
        #expect(play.flow.answers == [.refused(failure)])
        #expect(play.records.flows.first?.outcome == .unreachable)
        #expect(play.liveFlows == 0)
    }

    @Test("A flow blocked by name gets 403 and its origin is never contacted")
    func blockedByName() throws {
        let play = try Playbook(policy: Self.block)
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(play.egress.dialled.isEmpty)
        play.application.finish()
        play.run()
        let record = try #require(play.records.flows.first)
        #expect(record.outcome == .blocked)
        #expect(play.application.received.contains(record.facts.id.description))
    }

    @Test("A blocked flow that speaks neither TLS nor HTTP is reset")
    func blockedOther() throws {
        let play = try Playbook(policy: Self.block)
        play.say("SSH-2.0-client\r\n")
        #expect(play.application.end == .reset)
        #expect(play.egress.dialled.isEmpty)
    }

    @Test("A rule on a name waits for the name before the origin of a connected application is dialled")
    func waitsForName() throws {
        let play = try Playbook(policy: Self.block, to: "192.0.2.7:80", intake: .exec, isConnected: true)
        #expect(play.egress.dialled.isEmpty)
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        #expect(play.egress.dialled.isEmpty)
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
    }

    @Test("An application that waits for its server to speak is connected after a short silence")
    func silenceDials() throws {
        let play = try Playbook(policy: Self.block, to: "192.0.2.7:22", intake: .exec, isConnected: true)
        #expect(play.egress.dialled.isEmpty)
        play.wait(milliseconds: 251)
        #expect(play.egress.dialled.count == 1)
        try play.answer("SSH-2.0-server\r\n")
        #expect(play.application.received == "SSH-2.0-server\r\n")
    }

    @Test("Relay carries half-closes in both directions, one after the other")
    func relayHalfCloses() throws {
        let play = try Playbook(policy: Self.relay)
        play.say("question")
        play.application.finish()
        play.run()
        #expect(try play.origin.received == "question")
        #expect(try play.origin.end == .halfClosed)
        #expect(play.application.end == .open)
        try play.answer("late answer")
        #expect(play.application.received == "late answer")
        try play.origin.finish()
        play.run()
        #expect(play.application.end != .open)
    }

    @Test("Relay carries a reset as a reset", arguments: [true, false])
    func relayResets(byApplication: Bool) throws {
        let play = try Playbook(policy: Self.relay)
        let origin = try play.origin
        if byApplication { play.application.breakDown() } else { origin.breakDown() }
        play.run()
        #expect((byApplication ? origin : play.application).end == .reset)
        #expect(play.records.flows.first?.outcome == .reset)
    }

    @Test(
        "What the never set leaves alone is relayed unread where an intake cannot hand it back, and says why",
        arguments: [IntakeKind.connect, .socks5, .exec])
    func neverSetRelays(intake: IntakeKind) throws {
        let play = try Playbook(to: "127.0.0.1:8080", intake: intake, isConnected: intake == .exec)
        play.say(Self.card)
        #expect(try play.origin.received == Self.card)
        play.abortAll()
        let record = try #require(play.records.flows.first)
        #expect(record.verdict.lane == .bypass && record.verdict.reason.code == "never")
        #expect(record.verdict.reason.detail.contains("core-protocols/loopback-v4"))
        #expect(record.notes.map(\.code) == ["bypass-relayed"])
    }

    @Test("A row that the policy takes out of the never set by name is inspected")
    func neverSetInspected() throws {
        let play = try Playbook(
            policy: """
                version: 1
                mode: enforce
                capture: {inspect-never: [loopback-v4]}
                rules:
                  - {name: look, then: inspect, profile: p}
                profiles:
                  p: {detect: [payment-card], outbound: redact}
                """, to: "127.0.0.1:8080")
        play.say(Self.card)
        #expect(try !play.origin.received.contains("5555 5555"))
    }

    @Test(
        "What is refused of Private Relay stands in the event, and a program that is not the system's gets nothing blind",
        arguments: ["allow-blind", "refuse"])
    func privateRelay(setting: String) throws {
        let play = try Playbook(
            policy: """
                version: 1
                mode: enforce
                rules:
                  - {name: look, then: inspect, profile: p}
                profiles:
                  p: {detect: [payment-card], outbound: redact, private-relay: \(setting)}
                """, to: "mask.icloud.com:443")
        #expect(play.egress.dialled.count == (setting == "refuse" ? 0 : 1))
        play.application.send(TakeoverPlaybooks.hello)
        play.run()
        play.abortAll()
        let verdict = try #require(play.records.flows.first).verdict
        #expect(verdict.rule == "look" && verdict.reason.code != "private-relay-blind", "\(verdict)")
        #expect((verdict.reason.code == "private-relay-refused") == (setting == "refuse"), "\(verdict)")
    }

    private static let card = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-Note: 5555 5555 5555 4444\r\n\r\n"
}
