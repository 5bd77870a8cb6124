// SPDX-License-Identifier: Apache-2.0

// How flows end: nothing that was sent is lost, whoever ends first.

import FlowEngine
import FlowModel
import Testing

@Suite struct EndPlaybooks {
    @Test("An application that takes the last answer slowly gets all of it")
    func slowReader() throws {
        let play = try Playbook()
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n")
        play.application.setWritable(false)
        try play.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
        play.wait(milliseconds: 60_000)
        play.application.setWritable(true)
        play.run()
        #expect(play.application.received.hasSuffix("hello"))
        #expect(play.application.end == .halfClosed)
        play.wait(milliseconds: 3_000)
        #expect(play.liveFlows == 0)
    }

    @Test("A relay whose two sides have ended still delivers what was sent, however slowly it is taken")
    func slowRelay() throws {
        let play = try Playbook(policy: AdmissionPlaybooks.relay)
        play.say("ask")
        play.application.finish()
        play.run()
        play.application.setWritable(false)
        try play.answer("all of it")
        try play.origin.finish()
        play.run()
        play.wait(milliseconds: 60_000)
        play.application.setWritable(true)
        play.run()
        #expect(play.application.received == "all of it")
        #expect(play.liveFlows == 0)
    }

    @Test("An exchange that the origin's end cuts short after its answer is recorded")
    func endAfterEarlyAnswer() throws {
        let play = try Playbook()
        play.say("POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Length: 10\r\n\r\nabc")
        try play.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try play.origin.finish()
        play.run()
        #expect(play.records.messages.map(\.status) == [200])
    }

    @Test("A half-close behind two requests is carried after the second, and both are answered")
    func halfCloseBehindTwo() throws {
        let play = try Playbook()
        let one = "GET /1 HTTP/1.1\r\nHost: origin.example\r\n\r\n"
        let two = "GET /2 HTTP/1.1\r\nHost: origin.example\r\n\r\n"
        play.say(one + two)
        play.application.finish()
        play.run()
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try play.origin.received == one + two)
        #expect(try play.origin.end == .halfClosed)
        try play.answer("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(play.records.messages.count == 2)
    }
}
