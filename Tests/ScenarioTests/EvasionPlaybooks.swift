// SPDX-License-Identifier: Apache-2.0

// Ways past inspection and policy that must stay shut.

import FlowEngine
import FlowModel
import Testing

@Suite struct EvasionPlaybooks {
    private static let blocking = """
        version: 1
        mode: enforce
        rules:
          - {name: not there, when: {to: bad.example}, then: block}
          - {name: look, then: relay}
        """

    @Test("A flow that admission has blocked stays blocked, whatever host its requests name")
    func hostOfBlockedFlow() throws {
        let play = try Playbook(policy: Self.blocking, to: "bad.example:80")
        play.say("POST / HTTP/1.1\r\nHost: good.example\r\nContent-Length: 6\r\n\r\nsecret")
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(play.egress.dialled.isEmpty)
        #expect(play.records.flows.isEmpty || play.records.flows.first?.verdict.lane == .block)
    }

    @Test(
        "An origin cannot end inspection with a 101 that was not asked for, or before the request is whole",
        arguments: ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"])
    func unaskedUpgrade(fields: String) throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\n\(fields)Content-Length: 99\r\n\r\na")
        try play.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        play.say("my card is 4111 1111 1111 1111 and here it goes")
        #expect(try !play.origin.received.contains("4111"))
        #expect(play.application.received.hasPrefix("HTTP/1.1 502 "))
    }

    @Test("A target and a Host that disagree are refused: policy would judge one, and the origin believe the other")
    func targetAgainstHost() throws {
        let play = try Playbook()
        play.say("GET http://good.example/ HTTP/1.1\r\nHost: bad.example\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 400 "))
        #expect(try play.origin.received.isEmpty)
    }

    @Test("Where policy blocks what cannot be edited, that holds for the fields of a head too")
    func uneditableHead() throws {
        let play = try Playbook(
            policy: """
                version: 1
                mode: enforce
                rules:
                  - {name: look, then: inspect, profile: p}
                profiles:
                  p: {detect: [payment-card], outbound: redact, uneditable: block}
                """)
        play.say(
            "GET / HTTP/1.1\r\nHost: origin.example\r\nContent-MD5: AAAA\r\nX-Note: 5555 5555 5555 4444\r\n\r\n")
        #expect(play.application.received.hasPrefix("HTTP/1.1 403 "))
        #expect(try play.origin.received.isEmpty)
    }

    @Test("Trailer fields are inspected as the fields of a head are")
    func trailers() throws {
        let play = try Playbook()
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\nX-Note: 5555 5555 5555 4444\r\n\r\n")
        let sent = try play.origin.received
        #expect(!sent.contains("5555 5555 5555 4444"))
        #expect(sent.hasSuffix("0\r\nX-Note: XXXX XXXX XXXX 4444\r\n\r\n"))
        #expect(play.records.findings.count == 1)
    }
}
