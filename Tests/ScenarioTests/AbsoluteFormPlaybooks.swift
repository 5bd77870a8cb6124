// SPDX-License-Identifier: Apache-2.0

// The absolute form of a proxy: many origins behind one connection, none of which may speak for another.

import FlowEngine
import FlowModel
import Testing

@Suite struct AbsoluteFormPlaybooks {
    @Test("Where policy does not look, each request still goes to its own origin, in origin form")
    func relayedByRule() throws {
        let play = try Playbook(
            policy: "version: 1\nmode: enforce\nrules:\n  - {name: pass, when: {to: one.example}, then: relay}\n",
            to: "one.example:80", intake: .absoluteForm)
        play.say(
            "GET http://one.example/a HTTP/1.1\r\nHost: one.example\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n")
        #expect(try play.origin.received == "GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n")
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        play.say("GET http://two.example/b HTTP/1.1\r\nHost: two.example\r\n\r\n")
        #expect(play.egress.dialled.map(\.description) == ["one.example:80", "two.example:80"])
    }

    @Test("What an origin sends behind its answer never becomes the answer of another origin")
    func answerBehindAnswer() throws {
        let play = try Playbook(to: "one.example:80", intake: .absoluteForm)
        play.say("GET http://one.example/a HTTP/1.1\r\nHost: one.example\r\n\r\n")
        try play.answer(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        play.say("GET http://two.example/b HTTP/1.1\r\nHost: two.example\r\n\r\n")
        if play.egress.lines.count > 1 {
            try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
        }
        #expect(!play.application.received.contains("evil"))
        #expect(play.records.messages.count == 1)
    }

    @Test("An origin that goes on sending behind an early answer is not collected in memory")
    func floodBehindEarlyAnswer() throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 10\r\n\r\nabc")
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try play.answer("more")
        try play.answer("and more")
        #expect(try play.origin.end != .open)
        #expect(play.records.messages.count == 1)
    }
}
