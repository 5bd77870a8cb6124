// SPDX-License-Identifier: Apache-2.0

// Coded bodies through the whole engine: held, recoded, and never made into what they were not.

import ContentInspection
import FlowEngine
import FlowModel
import Testing

@Suite struct CodedPlaybooks {
    private static let policy = """
        version: 1
        mode: enforce
        rules:
          - {name: look, then: inspect, profile: p}
        profiles:
          p: {detect: [payment-card], outbound: redact, inbound: redact}
        """

    private static func gzip(_ text: String) throws -> [UInt8] {
        var coded: [UInt8] = []
        var encoder = try ContentEncoder(.gzip)
        encoder.encode(Array(text.utf8).span, into: &coded)
        encoder.finish(into: &coded)
        return coded
    }

    private static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8)
    }

    @Test("A client of HTTP/1.0 never gets chunks, which it could not read")
    func chunksForHTTP10() throws {
        let play = try Playbook(policy: Self.policy)
        play.say("GET / HTTP/1.0\r\nHost: origin.example\r\n\r\n")
        let body = try Self.gzip("no card in here")
        try play.origin.send(
            Array(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
                    .utf8) + body.prefix(12))
        play.run()
        play.wait(milliseconds: 100)
        try play.origin.send(Array(body.dropFirst(12)))
        play.run()
        #expect(play.application.received.contains("Content-Length: "))
        #expect(!play.application.received.contains("chunked"))
    }

    @Test("A coded body that keeps trickling in is held for its limit in all, not for ever")
    func trickle() throws {
        let play = try Playbook(policy: Self.policy)
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n")
        for byte in try Self.gzip("one event and another").prefix(12) {
            play.application.send(Self.chunk([byte]))
            play.run()
            play.wait(milliseconds: 30)
        }
        #expect(try play.origin.received.hasPrefix("POST / HTTP/1.1"))
    }

    @Test("A coded request that was cut off never looks whole to the origin", arguments: [false, true])
    func cut(isSlow: Bool) throws {
        let play = try Playbook(policy: Self.policy)
        play.say(
            "POST / HTTP/1.1\r\nHost: origin.example\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n")
        if isSlow { play.wait(milliseconds: 100) }
        play.application.send(Self.chunk(try Self.gzip("card 4111 1111 1111 1111 here")))
        play.run()
        play.application.finish()
        play.run()
        #expect(try !play.origin.received.hasSuffix("0\r\n\r\n"))
    }

    @Test("A part of a coded answer passes, as it cannot be decoded without the rest")
    func part() throws {
        let play = try Playbook(policy: Self.policy)
        play.say("GET / HTTP/1.1\r\nHost: origin.example\r\nRange: bytes=5-8\r\n\r\n")
        let answer =
            "HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
            + "Content-Range: bytes 5-8/99\r\nContent-Length: 4\r\n\r\nabcd"
        try play.answer(answer)
        #expect(play.application.received == answer)
        #expect(play.records.messages.first?.notes.map(\.code) == ["coding-not-read"])
    }
}
