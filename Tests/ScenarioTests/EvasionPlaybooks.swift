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
}
